"""The client for asyncio: `Router` with `await`. Kept in step with `router.py` by a test."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal

from . import catalogue, checked_arguments, methods, outcomes, requests, selection, sources
from .async_caller import AsyncCaller
from .calling import AsyncCalling, Delivery
from .catalogue import Change, Described
from .checked_arguments import CheckedArguments
from .connection import DEFAULT_ADDRESS, connection
from .conversation import TurnLike
from .definition import ToolLike
from .listing import AsyncToolListing
from .outcomes import CalledTool, Outcome, Report, ToolOutcome
from .retry import RetryPolicy
from .selection import Format, SchemaProfile, SelectedTool, Selection
from .sources import SourceStatus
from .tool_ref import RefLike
from .trace_context import origin
from .watch import AsyncWatch, Place


class AsyncRouter:
    """A connection to a tool-router. Make one per event loop and keep it.

    `timeout` is in seconds, for the whole of a call with all its retries; the router answers by words alone where its model would be too
    late. `retries` is how often a call is tried again that got no answer or was told to come back later.

    `agent_name`, at most 64 of A-Za-z0-9_.- and blanks, says who calls, for the router's traces and service map; an entry
    `gen_ai.agent.name` of the current OpenTelemetry baggage goes before it. Where OpenTelemetry is set up, every call is a CLIENT span;
    `spans=False` leaves that to an instrumentation of gRPC.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        token: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        timeout: float = 10.0,
        retries: int = 3,
        agent_name: str | None = None,
        spans: bool = True,
    ) -> None:
        policy = RetryPolicy(retries=requests.retries(retries))
        where = connection(address, token, token_file, ca_file, agent_name, spans)
        self._caller = AsyncCaller(where, requests.seconds("timeout", timeout), policy)
        self._delivery = Delivery()

    async def select(
        self,
        query: str | None = None,
        *,
        conversation: Iterable[TurnLike] | None = None,
        max_tokens: int | None = None,
        tokenizer: str | None = None,
        max_tools: int | None = None,
        min_tools: int | None = None,
        min_confidence: float | None = None,
        relative_margin: float | None = None,
        format: Format = "openai_chat",
        schema_profile: SchemaProfile = "raw",
        defer_loading: bool = False,
        tool_references: bool = False,
        directory: bool = False,
        previous_tools: Iterable[SelectedTool] | None = None,
        session_id: str | None = None,
        sources: Iterable[str] = (),
        domains: Iterable[str] = (),
        tags: Iterable[str] = (),
        allow: Iterable[RefLike] = (),
        deny: Iterable[RefLike] = (),
        pinned: Iterable[RefLike] = (),
        explain: bool = False,
        explain_tools: Iterable[RefLike] = (),
        min_catalog_version: str | None = None,
        keep_replay: bool = False,
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Selection:
        """The tools for a turn. What is left out is the router's default: 1,500 tokens of `o200k_base`, 20 tools, all sources.

        Give a `query`, or a `conversation` when the user's last words may lean on earlier ones ("now close it"): `Turn`s, or the messages
        of a chat completion as they are. `Selection.condensed` says what it became.

        Left out, `min_confidence` returns none where it is too unlikely, by the model's calibration, that any fits, and cuts no list. With
        a number, in [0, 1], none is returned when the confidence that any fits is below it, and no tool whose own is; 0 holds nothing back.
        `relative_margin` of 0.2 leaves out tools below 0.8 times the best confidence, or the best score where no confidence is known. The
        first `min_tools` of the ranking are returned however unlikely they are.

        `schema_profile` says in whose dialect of JSON Schema arguments are described; a tool that has no such form is shown as `"lean"`,
        and its `profile_detail` says why. Turn arguments that were made for `"openai_strict"` back with `check_arguments`.
        `defer_loading`, for Anthropic and OpenAI's Responses, marks all but pinned tools to be loaded once a search found them; with
        `tool_references`, for Anthropic, `Selection.tool_references` is what such a search answers with.

        With `directory`, tools that are worth knowing of and did not fit as objects are lines of text in `Selection.directory`, under the
        same cap. With `previous_tools`, the `tools` of the turn before (`()` on the first), the list keeps them in their places where that
        is good enough, so that a prompt cache goes on: `Selection.continuity` says what became of them. `session_id` names the
        conversation in the router's log.

        Where several routers share a catalogue, `min_catalog_version` is a version that one of them gave, by `Change.catalog_version` for
        instance: whichever answers has caught up with it. With `keep_replay` the router keeps what `tool-router replay TRACE_ID` needs to
        run this selection again; the trace id is in `Selection.meta`.
        """
        request = requests.select(
            query,
            conversation=conversation,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
            max_tools=max_tools,
            min_tools=min_tools,
            min_confidence=min_confidence,
            relative_margin=relative_margin,
            format=format,
            schema_profile=schema_profile,
            defer_loading=defer_loading,
            tool_references=tool_references,
            directory=directory,
            previous_tools=previous_tools,
            session_id=session_id,
            sources=sources,
            domains=domains,
            tags=tags,
            allow=allow,
            deny=deny,
            pinned=pinned,
            explain=explain,
            explain_tools=explain_tools,
            min_catalog_version=min_catalog_version,
            keep_replay=keep_replay,
        )
        answer = await self._caller.look_up(methods.SELECT, request, timeout, origin(traceparent, tracestate))
        return selection.selection(answer, format)

    async def rank(
        self,
        query: str | None,
        tools: Mapping[str, Iterable[ToolLike]] | Iterable[ToolLike],
        *,
        conversation: Iterable[TurnLike] | None = None,
        max_tokens: int | None = None,
        tokenizer: str | None = None,
        max_tools: int | None = None,
        min_tools: int | None = None,
        min_confidence: float | None = None,
        relative_margin: float | None = None,
        format: Format = "openai_chat",
        schema_profile: SchemaProfile = "raw",
        defer_loading: bool = False,
        tool_references: bool = False,
        directory: bool = False,
        previous_tools: Iterable[SelectedTool] | None = None,
        session_id: str | None = None,
        pinned: Iterable[RefLike] = (),
        explain: bool = False,
        explain_tools: Iterable[RefLike] = (),
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Selection:
        """The same over up to 200 tools that are given here and kept nowhere: by source, or as a list, whose source is then `caller`."""
        request = requests.rank(
            query,
            tools,
            conversation=conversation,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
            max_tools=max_tools,
            min_tools=min_tools,
            min_confidence=min_confidence,
            relative_margin=relative_margin,
            format=format,
            schema_profile=schema_profile,
            defer_loading=defer_loading,
            tool_references=tool_references,
            directory=directory,
            previous_tools=previous_tools,
            session_id=session_id,
            pinned=pinned,
            explain=explain,
            explain_tools=explain_tools,
        )
        answer = await self._caller.look_up(methods.RANK, request, timeout, origin(traceparent, tracestate))
        return selection.selection(answer.selection, format)

    async def describe(
        self,
        tools: Iterable[RefLike] = (),
        *,
        model_names: Iterable[str] = (),
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> list[Described]:
        """The publishers' own definitions of up to 50 tools: first `tools`, then `model_names`, each in order."""
        request = requests.describe(tools, model_names)
        answer = await self._caller.look_up(methods.DESCRIBE, request, timeout, origin(traceparent, tracestate))
        return catalogue.described(answer.results)

    async def check_arguments(
        self,
        tool: RefLike,
        arguments: str | Mapping[str, Any],
        *,
        made_for: SchemaProfile = "raw",
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> CheckedArguments:
        """Whether a tool, by reference or by the name that the model called, takes these arguments, and what to call it with. `made_for` is
        the tool's `schema_profile` in the selection: nulls that stand for "left out" in `"openai_strict"` are left out."""
        request = requests.check_arguments(tool, arguments, made_for)
        answer = await self._caller.look_up(methods.DESCRIBE, request, timeout, origin(traceparent, tracestate))
        return checked_arguments.checked(answer.checked)

    async def register(
        self,
        source: str,
        tools: Iterable[ToolLike],
        *,
        expected_version: str | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Change:
        """Adds or replaces up to 1,000 tools of a source, all of them or none. No deadline unless one is given: embedding takes as long
        as it takes. Registering twice is registering once, so a lost answer is asked for again, except with `expected_version`."""
        request = requests.register(source, tools, expected_version=expected_version, dry_run=dry_run)
        answer = await self._caller.unary(
            methods.REGISTER,
            request,
            requests.optional_seconds("timeout", timeout),
            origin(traceparent, tracestate),
            repeatable=expected_version is None,
        )
        return catalogue.change(answer)

    async def sync(
        self,
        source: str,
        tools: Iterable[ToolLike],
        allow_mass_removal: bool = False,
        *,
        expected_version: str | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Change:
        """Makes `tools` the whole list of a source; what it does not have is removed. Raises `Refused` when more than half of the source's
        tools, and more than five, would go. Deadline and retries as for `register`."""
        stream = requests.sync(source, tools, allow_mass_removal=allow_mass_removal, expected_version=expected_version, dry_run=dry_run)
        answer = await self._caller.stream_in(
            methods.SYNC,
            stream,
            requests.optional_seconds("timeout", timeout),
            origin(traceparent, tracestate),
            repeatable=expected_version is None,
        )
        return catalogue.change(answer)

    async def unregister(
        self,
        source: str,
        tools: Iterable[str] = (),
        *,
        all: bool = False,
        expected_version: str | None = None,
        dry_run: bool = False,
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Change:
        """Removes tools of a source by name, or all of them. Not tried again when the answer is lost: a second removal would be told that
        the tools do not exist."""
        request = requests.unregister(source, tools, all=all, expected_version=expected_version, dry_run=dry_run)
        answer = await self._caller.look_up(methods.UNREGISTER, request, timeout, origin(traceparent, tracestate))
        return catalogue.change(answer)

    async def report(
        self,
        selection: Selection | None,
        tool: CalledTool,
        outcome: Outcome = "ok",
        *,
        latency_ms: float | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        error_class: str = "",
        call_id: str = "",
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Report:
        """Says how a call of a tool went. `selection` is the answer that showed the tool, `None` where there was none; `tool` is one of its
        tools, the name that the model called, or a reference. What the router finds wrong is in `Report.refused`, not raised.

        `outcome` is `"ok"`, `"error"` (the tool answered that it failed, or could not be reached), `"timeout"`, `"cancelled"` (given up by
        the caller) or `"rejected"` (not called at all: the arguments did not fit, or somebody denied it). `error_class` is a short name
        such as `"http_503"`. The tokens are those of the model's turn that made the call, as its API reported them; where a turn calls
        several tools, give them with one. `call_id` is the model's id of the call: a second report of it changes nothing."""
        one = ToolOutcome(selection, tool, outcome, latency_ms, input_tokens, output_tokens, error_class, call_id)
        request = outcomes.report_of_one(one)
        where, repeatable = origin(traceparent, tracestate), outcomes.counts_once(request)
        return outcomes.report(await self._caller.look_up(methods.REPORT, request, timeout, where, repeatable))

    async def report_many(
        self,
        reports: Iterable[ToolOutcome],
        *,
        timeout: float | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Report:
        """The same for up to 500 calls at once. Each is taken or refused by itself; `Report.refused` has the place in `reports`."""
        request = outcomes.report_of_many(reports)
        where, repeatable = origin(traceparent, tracestate), outcomes.counts_once(request)
        return outcomes.report(await self._caller.look_up(methods.REPORT, request, timeout, where, repeatable))

    def calling(
        self,
        selection: Selection | None,
        tool: CalledTool,
        *,
        call_id: str = "",
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        timeout: float = 1.0,
    ) -> AsyncCalling:
        """A `with` block around the call of a tool (`async with` on an `AsyncRouter`), which is timed and then reported.

        An exception is reported as `"timeout"`, `"cancelled"` or `"error"`, and goes on its way. On what `with` gives, set `input_tokens`,
        `output_tokens` and `call_id` when you know them, `outcome` and `error_class` where a call fails without an exception, and
        `latency_ms` where the block does more than the call. A report that does not arrive within `timeout` seconds is given up: no work
        fails for it, and the log says so once."""
        return AsyncCalling(self.report_many, self._delivery, selection, tool, call_id, input_tokens, output_tokens, timeout)

    def list_tools(
        self,
        source: str | None = None,
        *,
        state: Literal["enabled", "disabled"] | None = None,
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> AsyncToolListing:
        """All tools in order of source and name. Pages are fetched while you iterate; `timeout` is for each."""
        where = origin(None, None)
        return AsyncToolListing(
            requests.page(source, state, page_size), lambda page: self._caller.look_up(methods.LIST_TOOLS, page, timeout, where)
        )

    def watch(
        self,
        since_version: str | None = None,
        *,
        source: str | None = None,
        bookmark_interval: float | None = None,
        patience: float | None = None,
    ) -> AsyncWatch:
        """Changes as they are published, after a `catalog_version`, else after the `Bookmark` that comes first. Begins when the first event
        is asked for. Reconnects by itself and misses nothing; gives up after `patience` seconds without a connection, by default never.
        `bookmark_interval`: longest silence in seconds."""
        return AsyncWatch(self._caller, Place(since_version, source, bookmark_interval, patience), origin(None, None))

    async def list_sources(self, *, timeout: float | None = None) -> list[SourceStatus]:
        """The sources that the router's configuration names, with their state."""
        answer = await self._caller.look_up(methods.LIST_SOURCES, requests.all_sources(), timeout, origin(None, None))
        return [sources.status(one) for one in answer.sources]

    async def health(self, *, timeout: float | None = None) -> bool:
        """Whether the router takes traffic. Raises `Unavailable` where none answers. Needs no token."""
        return await self._caller.look_up(methods.HEALTH, None, timeout, origin(None, None))

    async def close(self) -> None:
        """Ends running calls and watches."""
        await self._caller.close()

    async def __aenter__(self) -> AsyncRouter:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
