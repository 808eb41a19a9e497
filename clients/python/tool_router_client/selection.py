"""The answer of a turn: the tools to offer, the exact text that was counted, and what the model's call means."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from . import proto_json
from ._proto.toolrouter.v1 import router_pb2, tool_pb2
from .definition import JsonObject
from .errors import UnknownTool, WrongFormat
from .tool_ref import ToolRef

Format = Literal["openai_chat", "anthropic", "mcp", "openai_responses", "gemini"]
SchemaProfile = Literal["raw", "lean", "openai_strict", "gemini"]
Fidelity = Literal["skeleton", "lean", "full", "unspecified"]
Mode = Literal["semantic", "lexical", "unspecified"]
NoMatchReason = Literal["empty_catalog", "empty_scope", "nothing_relevant", "over_budget", "low_confidence", "unspecified"]
DropReason = Literal["over_budget", "max_tools", "not_found", "disabled", "out_of_scope", "low_confidence", "not_missed", "unspecified"]
Line = Literal["name", "signature", "unspecified"]
ListChange = Literal["first", "appended", "rebuilt", "unspecified"]

_FIDELITIES: dict[int, Fidelity] = {
    tool_pb2.FIDELITY_SKELETON: "skeleton",
    tool_pb2.FIDELITY_LEAN: "lean",
    tool_pb2.FIDELITY_FULL: "full",
}
_PROFILES: dict[int, SchemaProfile] = {
    tool_pb2.SCHEMA_PROFILE_LEAN: "lean",
    tool_pb2.SCHEMA_PROFILE_OPENAI_STRICT: "openai_strict",
    tool_pb2.SCHEMA_PROFILE_GEMINI: "gemini",
}
_MODES: dict[int, Mode] = {router_pb2.MODE_SEMANTIC: "semantic", router_pb2.MODE_LEXICAL: "lexical"}
_NO_MATCH_REASONS: dict[int, NoMatchReason] = {
    router_pb2.NoMatch.REASON_EMPTY_CATALOG: "empty_catalog",
    router_pb2.NoMatch.REASON_EMPTY_SCOPE: "empty_scope",
    router_pb2.NoMatch.REASON_NOTHING_RELEVANT: "nothing_relevant",
    router_pb2.NoMatch.REASON_OVER_BUDGET: "over_budget",
    router_pb2.NoMatch.REASON_LOW_CONFIDENCE: "low_confidence",
}
_DROP_REASONS: dict[int, DropReason] = {
    router_pb2.DroppedTool.REASON_OVER_BUDGET: "over_budget",
    router_pb2.DroppedTool.REASON_MAX_TOOLS: "max_tools",
    router_pb2.DroppedTool.REASON_NOT_FOUND: "not_found",
    router_pb2.DroppedTool.REASON_DISABLED: "disabled",
    router_pb2.DroppedTool.REASON_OUT_OF_SCOPE: "out_of_scope",
    router_pb2.DroppedTool.REASON_LOW_CONFIDENCE: "low_confidence",
    router_pb2.DroppedTool.REASON_NOT_MISSED: "not_missed",
}
_LINES: dict[int, Line] = {router_pb2.ListedTool.LINE_NAME: "name", router_pb2.ListedTool.LINE_SIGNATURE: "signature"}
_CHANGES: dict[int, ListChange] = {
    router_pb2.ListContinuity.CHANGE_FIRST: "first",
    router_pb2.ListContinuity.CHANGE_APPENDED: "appended",
    router_pb2.ListContinuity.CHANGE_REBUILT: "rebuilt",
}


@dataclass(frozen=True)
class SelectedTool:
    """A tool to offer to the model."""

    source: str
    tool: str
    """Its name within the source."""
    model_name: str
    """Its name in the prompt, which the model will call."""
    score: float
    """Higher is better. Comparable within one answer only; no probability."""
    confidence: float | None
    """How likely it is that the query needs this tool, in [0, 1]. `None` where the selection's is, and for a pinned tool that was not
    ranked."""
    fidelity: Fidelity
    """How much of the definition is shown."""
    tokens: int
    """Of this entry, its separator included."""
    definition_json: str
    """The entry of the prompt, verbatim."""
    reasons: tuple[str, ...]
    """Why it is here, when `explain` was set."""
    schema_profile: SchemaProfile = "raw"
    """Whose dialect its schema is in: the one asked for, or `"lean"` where it has no such form."""
    profile_lossy: bool = False
    """Whether that schema says or takes less than the publisher's: check arguments before the call."""
    profile_detail: str = ""
    """What it says less, or why it has no such form."""
    definition_hash: str = ""
    """Says which text the definition is, to the next turn's `previous_tools`."""

    @property
    def ref(self) -> ToolRef:
        return ToolRef(self.source, self.tool)

    @cached_property
    def definition(self) -> JsonObject:
        """The parsed entry of the prompt, in the format that was asked for."""
        parsed: JsonObject = json.loads(self.definition_json)
        return parsed


@dataclass(frozen=True)
class ListedTool:
    """A tool that is a line of the directory: to be known of, not to be called."""

    source: str
    tool: str
    """Its name within the source."""
    model_name: str
    """Its name in the directory."""
    score: float
    confidence: float | None
    line: Line
    """How much its line says."""
    tokens: int
    """Of its line."""
    reasons: tuple[str, ...]
    """Why it is listed and not callable, when `explain` was set."""

    @property
    def ref(self) -> ToolRef:
        return ToolRef(self.source, self.tool)


@dataclass(frozen=True)
class ListContinuity:
    """What became of the list before."""

    change: ListChange
    """`"appended"`: the list before is the beginning of this one, byte for byte."""
    kept_tools: int
    """So many of its tools, from the first on, are in their places with their bytes."""
    detail: str
    """Why the list is not simply appended to."""


@dataclass(frozen=True)
class Usage:
    """What the list costs and saves, in tokens of the requested tokenizer and format."""

    eligible_tokens: int
    """What sending every tool in scope in full would cost."""
    returned_tokens: int
    """Exact count of prompt and directory."""
    saved_tokens: int
    max_tokens: int
    """The cap that was applied."""
    eligible_tools: int
    overhead_tokens: int = 0
    """What the vendor adds around the tools, as the router is configured; within the cap, beside ``returned_tokens``."""
    directory_tokens: int = 0
    """The part of `returned_tokens` that is the directory."""


@dataclass(frozen=True)
class NoMatch:
    """Why no tool is returned."""

    reason: NoMatchReason
    detail: str


@dataclass(frozen=True)
class DroppedTool:
    """A candidate that is not in the list, or a pinned tool that is not."""

    source: str
    tool: str
    reason: DropReason
    detail: str


@dataclass(frozen=True)
class Explanation:
    """What became of a tool that was asked about."""

    source: str
    tool: str
    fate: str
    rank: int | None
    """Its place among all eligible tools, from 1. `None` when it was not ranked."""
    score: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """A stage of a selection."""

    name: str
    micros: int
    """How long it took, microseconds."""


@dataclass(frozen=True)
class SelectionMeta:
    """What may differ between two equal answers."""

    selection_id: str
    """Names this selection in logs and reports."""
    trace_id: str
    """32 hex digits; what `tool-router replay` takes."""
    traceparent: str
    """Of the selection's span, for links to it. Empty from a router that is older than this."""
    stages: tuple[Stage, ...]
    engine: str
    """Who compared vectors: `exact`, `hnsw`, or nobody."""
    cache: str
    """What was known from before: `answer`, `vector`, or `miss`."""


@dataclass(frozen=True)
class Selection:
    """The tools for one turn."""

    tools: tuple[SelectedTool, ...]
    """Best first."""
    prompt: str
    """The whole list as one JSON array, exactly the text that was counted. Empty when there is no tool."""
    usage: Usage
    no_match: NoMatch | None
    """Set when there is no tool."""
    dropped: tuple[DroppedTool, ...]
    mode: Mode
    confidence: float | None
    """How likely it is that any tool fits, in [0, 1]. `None` where that is not calibrated: the router's model has no weights file, the mode
    is lexical, or the query is mostly in scripts that the model does not read."""
    degraded_reason: str
    """Why the answer is less than it could be, in any mode: why it is lexical, why the configured reranker had no say, or that
    `min_confidence` was not applied. Empty otherwise."""
    catalog_version: str
    explanations: tuple[Explanation, ...]
    """One for each of `explain_tools`, in their order."""
    format: Format
    """Whose API the prompt is for."""
    message: router_pb2.SelectToolsResponse = field(repr=False)
    """The answer as it came."""
    tool_references: tuple[JsonObject, ...] = ()
    """The content of the `tool_result` that answers a tool search of Anthropic's, where it was asked for."""
    directory: str = ""
    """Tools to know of, one line each, where it was asked for: text for the prompt, counted under the cap."""
    listed: tuple[ListedTool, ...] = ()
    """The tools of the directory, in its order."""
    continuity: ListContinuity | None = None
    """What became of `previous_tools`, where they were given."""
    condensed: str = ""
    """What the conversation became: its last user turn, behind it the earlier words that were searched for as well. Empty for a query."""

    @property
    def meta(self) -> SelectionMeta:
        """Ids and timings of this answer."""
        meta = self.message.meta
        stages = tuple(Stage(one.stage, one.micros) for one in meta.stages)
        return SelectionMeta(meta.selection_id, meta.trace_id, meta.traceparent, stages, meta.engine, meta.cache)

    def resolve(self, model_name: str) -> ToolRef:
        """The tool that the model called. Raises `UnknownTool` for a name it was not given: models do make names up."""
        for tool in self.tools:
            if tool.model_name == model_name:
                return tool.ref
        names = [tool.model_name for tool in self.tools]
        given = ", ".join(names) if names else "none at all"
        close = difflib.get_close_matches(model_name, names, n=1)
        hint = f"; did it mean {close[0]}?" if close else ""
        raise UnknownTool("NOT_FOUND", f"the model called {model_name!r}, but was given {given}{hint}; tell the model so and let it go on")

    def openai_tools(self) -> list[JsonObject]:
        """For `tools` of a Chat Completions request."""
        return self._entries("openai_chat")

    def openai_responses_tools(self) -> list[JsonObject]:
        """For `tools` of a Responses request."""
        return self._entries("openai_responses")

    def gemini_tools(self) -> list[JsonObject]:
        """For `tools` of a Gemini request: all of them as one tool's `functionDeclarations`, or none."""
        declarations = self._entries("gemini")
        return [{"functionDeclarations": declarations}] if declarations else []

    def anthropic_tools(self) -> list[JsonObject]:
        """For `tools` of a Messages request."""
        return self._entries("anthropic")

    def mcp_tools(self) -> list[JsonObject]:
        """As an MCP `tools/list` answer has them."""
        return self._entries("mcp")

    def _entries(self, wanted: Format) -> list[JsonObject]:
        if self.format != wanted:
            raise WrongFormat(
                "INVALID_ARGUMENT", f'this selection was made in the format "{self.format}": select with format="{wanted}" for these tools'
            )
        entries: list[JsonObject] = json.loads(self.prompt) if self.prompt else []
        return entries

    def to_json(self) -> str:
        """The line that `tool-router select --json` prints, byte for byte; only what is in `meta` differs from answer to answer."""
        return proto_json.line(self.message)


def selection(message: router_pb2.SelectToolsResponse, format: Format) -> Selection:
    usage = message.usage
    return Selection(
        tools=tuple(_selected(tool) for tool in message.tools),
        prompt=message.prompt,
        usage=Usage(
            eligible_tokens=usage.eligible_tokens,
            returned_tokens=usage.returned_tokens,
            saved_tokens=usage.saved_tokens,
            max_tokens=usage.max_tokens,
            eligible_tools=usage.eligible_tools,
            overhead_tokens=usage.overhead_tokens,
            directory_tokens=usage.directory_tokens,
        ),
        no_match=_no_match(message.no_match) if message.HasField("no_match") else None,
        dropped=tuple(
            DroppedTool(one.source, one.tool, _DROP_REASONS.get(one.reason, "unspecified"), one.detail) for one in message.dropped
        ),
        mode=_MODES.get(message.mode, "unspecified"),
        confidence=message.confidence if message.HasField("confidence") else None,
        degraded_reason=message.degraded_reason,
        catalog_version=message.catalog_version,
        explanations=tuple(_explanation(one) for one in message.explanations),
        format=format,
        message=message,
        tool_references=tuple(json.loads(message.tool_references_json)) if message.tool_references_json else (),
        directory=message.directory,
        listed=tuple(_listed(tool) for tool in message.listed),
        continuity=_continuity(message.continuity) if message.HasField("continuity") else None,
        condensed=message.condensed,
    )


def _selected(tool: router_pb2.SelectedTool) -> SelectedTool:
    return SelectedTool(
        source=tool.source,
        tool=tool.tool,
        model_name=tool.model_name,
        score=tool.score,
        confidence=tool.confidence if tool.HasField("confidence") else None,
        fidelity=_FIDELITIES.get(tool.fidelity, "unspecified"),
        tokens=tool.tokens,
        definition_json=tool.definition_json,
        reasons=tuple(tool.reasons),
        schema_profile=_PROFILES.get(tool.schema_profile, "raw"),
        profile_lossy=tool.profile_lossy,
        profile_detail=tool.profile_detail,
        definition_hash=tool.definition_hash,
    )


def _listed(tool: router_pb2.ListedTool) -> ListedTool:
    return ListedTool(
        source=tool.source,
        tool=tool.tool,
        model_name=tool.model_name,
        score=tool.score,
        confidence=tool.confidence if tool.HasField("confidence") else None,
        line=_LINES.get(tool.line, "unspecified"),
        tokens=tool.tokens,
        reasons=tuple(tool.reasons),
    )


def _continuity(what: router_pb2.ListContinuity) -> ListContinuity:
    return ListContinuity(_CHANGES.get(what.change, "unspecified"), what.kept_tools, what.detail)


def _no_match(why: router_pb2.NoMatch) -> NoMatch:
    return NoMatch(_NO_MATCH_REASONS.get(why.reason, "unspecified"), why.detail)


def _explanation(one: router_pb2.ToolExplanation) -> Explanation:
    return Explanation(
        source=one.source,
        tool=one.tool,
        fate=one.fate,
        rank=one.rank if one.HasField("rank") else None,
        score=one.score if one.HasField("score") else None,
        reasons=tuple(one.reasons),
    )
