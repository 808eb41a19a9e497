"""Messages from arguments.

Only what cannot be put into a message is refused here, with field and value; limits are the router's to check, so that they stand in one
place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._proto.toolrouter.v1 import catalog_pb2, router_pb2, sources_pb2, tool_pb2
from .conversation import TurnLike, message
from .definition import ToolLike, definitions
from .errors import invalid
from .selection import Format, SchemaProfile, SelectedTool
from .tool_ref import RefLike, messages

_FORMATS: dict[str, tool_pb2.Format] = {
    "openai_chat": tool_pb2.FORMAT_OPENAI_CHAT,
    "anthropic": tool_pb2.FORMAT_ANTHROPIC,
    "mcp": tool_pb2.FORMAT_MCP,
    "openai_responses": tool_pb2.FORMAT_OPENAI_RESPONSES,
    "gemini": tool_pb2.FORMAT_GEMINI,
}
_PROFILES: dict[str, tool_pb2.SchemaProfile] = {
    "raw": tool_pb2.SCHEMA_PROFILE_RAW,
    "lean": tool_pb2.SCHEMA_PROFILE_LEAN,
    "openai_strict": tool_pb2.SCHEMA_PROFILE_OPENAI_STRICT,
    "gemini": tool_pb2.SCHEMA_PROFILE_GEMINI,
}
_FIDELITIES: dict[str, tool_pb2.Fidelity] = {
    "skeleton": tool_pb2.FIDELITY_SKELETON,
    "lean": tool_pb2.FIDELITY_LEAN,
    "full": tool_pb2.FIDELITY_FULL,
}
_WITH_DIRECTORY = [router_pb2.INCLUDE_PROMPT, router_pb2.INCLUDE_DEFINITIONS, router_pb2.INCLUDE_DIRECTORY]
_MOST_UINT32 = 2**32 - 1
_MOST_FLOAT32 = float(2**128 - 2**104)
# The source of tools that are ranked without one.
_OWN_SOURCE = "caller"
# A chunk of a synced list, well under the 1,000 tools and 8 MiB that the router takes.
_CHUNK_TOOLS = 200
_CHUNK_BYTES = 4 * 1024 * 1024


def select(
    query: str | None,
    *,
    conversation: Iterable[TurnLike] | None,
    max_tokens: int | None,
    tokenizer: str | None,
    max_tools: int | None,
    min_tools: int | None,
    min_confidence: float | None,
    relative_margin: float | None,
    format: Format,
    schema_profile: SchemaProfile,
    defer_loading: bool,
    tool_references: bool,
    directory: bool,
    previous_tools: Iterable[SelectedTool] | None,
    session_id: str | None,
    sources: Iterable[str],
    domains: Iterable[str],
    tags: Iterable[str],
    allow: Iterable[RefLike],
    deny: Iterable[RefLike],
    pinned: Iterable[RefLike],
    explain: bool,
    explain_tools: Iterable[RefLike],
    min_catalog_version: str | None,
    keep_replay: bool,
) -> router_pb2.SelectToolsRequest:
    _one_of(query, conversation)
    return router_pb2.SelectToolsRequest(
        query=None if query is None else text("query", query),
        conversation=None if conversation is None else message(conversation),
        scope=router_pb2.Scope(
            sources=_texts("sources", sources),
            domains=_texts("domains", domains),
            tags=_texts("tags", tags),
            allow=messages("allow", allow),
            deny=messages("deny", deny),
        ),
        budget=_budget(max_tokens, tokenizer, max_tools, min_tools),
        output=_output(format, schema_profile, defer_loading, tool_references, directory),
        pinned=messages("pinned", pinned),
        explain=bool(explain),
        explain_tools=messages("explain_tools", explain_tools),
        min_confidence=_number("min_confidence", min_confidence),
        relative_margin=_number("relative_margin", relative_margin),
        continuity=_continuity(previous_tools, session_id),
        min_catalog_version=None if min_catalog_version is None else text("min_catalog_version", min_catalog_version),
        keep_replay=bool(keep_replay),
    )


def rank(
    query: str | None,
    tools: Mapping[str, Iterable[ToolLike]] | Iterable[ToolLike],
    *,
    conversation: Iterable[TurnLike] | None,
    max_tokens: int | None,
    tokenizer: str | None,
    max_tools: int | None,
    min_tools: int | None,
    min_confidence: float | None,
    relative_margin: float | None,
    format: Format,
    schema_profile: SchemaProfile,
    defer_loading: bool,
    tool_references: bool,
    directory: bool,
    previous_tools: Iterable[SelectedTool] | None,
    session_id: str | None,
    pinned: Iterable[RefLike],
    explain: bool,
    explain_tools: Iterable[RefLike],
) -> router_pb2.RankToolsRequest:
    _one_of(query, conversation)
    by_source = tools if isinstance(tools, Mapping) else {_OWN_SOURCE: tools}
    offered = [
        router_pb2.OfferedTool(source=text("tools", source), definition=definition)
        for source, list_of_one in by_source.items()
        for definition in definitions(f"tools[{source!r}]" if isinstance(tools, Mapping) else "tools", list_of_one)
    ]
    return router_pb2.RankToolsRequest(
        query=None if query is None else text("query", query),
        conversation=None if conversation is None else message(conversation),
        tools=offered,
        budget=_budget(max_tokens, tokenizer, max_tools, min_tools),
        output=_output(format, schema_profile, defer_loading, tool_references, directory),
        pinned=messages("pinned", pinned),
        explain=bool(explain),
        explain_tools=messages("explain_tools", explain_tools),
        min_confidence=_number("min_confidence", min_confidence),
        relative_margin=_number("relative_margin", relative_margin),
        continuity=_continuity(previous_tools, session_id),
    )


def _one_of(query: str | None, conversation: Iterable[TurnLike] | None) -> None:
    if query is None and conversation is None:
        raise invalid("query", "is missing: give a query or a conversation")
    if query is not None and conversation is not None:
        raise invalid("conversation", "stands beside query: give one of them")


def describe(tools: Iterable[RefLike], model_names: Iterable[str]) -> router_pb2.DescribeToolsRequest:
    return router_pb2.DescribeToolsRequest(tools=messages("tools", tools), model_names=_texts("model_names", model_names))


def check_arguments(tool: RefLike, arguments: str | Mapping[str, Any], made_for: SchemaProfile) -> router_pb2.DescribeToolsRequest:
    # A model name has no `/`.
    by_name = isinstance(tool, str) and "/" not in tool
    call = router_pb2.ToolCall(
        tool=None if by_name else messages("tool", [tool])[0],
        model_name=text("tool", tool) if by_name and isinstance(tool, str) else "",
        arguments_json=_arguments(arguments),
        made_for=_profile("made_for", made_for),
    )
    return router_pb2.DescribeToolsRequest(calls=[call])


def _arguments(arguments: str | Mapping[str, Any]) -> str:
    if not isinstance(arguments, Mapping):
        return text("arguments", arguments)
    try:
        return text("arguments", json.dumps(dict(arguments), ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError) as e:
        raise invalid("arguments", f"cannot be written as JSON: {e}") from e


def register(source: str, tools: Iterable[ToolLike], *, expected_version: str | None, dry_run: bool) -> catalog_pb2.RegisterToolsRequest:
    return catalog_pb2.RegisterToolsRequest(
        source=text("source", source),
        tools=definitions("tools", tools),
        expected_version=_optional_text("expected_version", expected_version),
        dry_run=bool(dry_run),
    )


def sync(
    source: str, tools: Iterable[ToolLike], *, allow_mass_removal: bool, expected_version: str | None, dry_run: bool
) -> list[catalog_pb2.SyncSourceRequest]:
    """The whole stream, as a list: a retry sends it again from its start."""
    whole = definitions("tools", tools)
    header = catalog_pb2.SyncHeader(
        source=text("source", source),
        expected_version=_optional_text("expected_version", expected_version),
        dry_run=bool(dry_run),
        allow_mass_removal=bool(allow_mass_removal),
    )
    chunks = [catalog_pb2.SyncSourceRequest(chunk=catalog_pb2.SyncChunk(tools=chunk)) for chunk in _chunks(whole)]
    end = catalog_pb2.SyncEnd(total_tools=len(whole))
    return [catalog_pb2.SyncSourceRequest(header=header), *chunks, catalog_pb2.SyncSourceRequest(end=end)]


def _chunks(tools: list[tool_pb2.ToolDefinition]) -> Iterator[list[tool_pb2.ToolDefinition]]:
    chunk: list[tool_pb2.ToolDefinition] = []
    size = 0
    for tool in tools:
        bytes_of_tool = tool.ByteSize()
        if chunk and (len(chunk) == _CHUNK_TOOLS or _CHUNK_BYTES < size + bytes_of_tool):
            yield chunk
            chunk, size = [], 0
        chunk.append(tool)
        size += bytes_of_tool
    if chunk:
        yield chunk


def unregister(
    source: str, tools: Iterable[str], *, all: bool, expected_version: str | None, dry_run: bool
) -> catalog_pb2.UnregisterToolsRequest:
    return catalog_pb2.UnregisterToolsRequest(
        source=text("source", source),
        tools=_texts("tools", tools),
        all=bool(all),
        expected_version=_optional_text("expected_version", expected_version),
        dry_run=bool(dry_run),
    )


def page(source: str | None, state: str | None, page_size: int | None) -> catalog_pb2.ListToolsRequest:
    states = {None: tool_pb2.TOOL_STATE_UNSPECIFIED, "enabled": tool_pb2.TOOL_STATE_ENABLED, "disabled": tool_pb2.TOOL_STATE_DISABLED}
    if state not in states:
        raise invalid("state", f'is {state!r}: give "enabled", "disabled", or leave it out for both')
    return catalog_pb2.ListToolsRequest(
        source=_optional_text("source", source),
        state=states[state],
        page_size=_count("page_size", page_size),
    )


def all_sources() -> sources_pb2.ListSourcesRequest:
    return sources_pb2.ListSourcesRequest()


def watch(since_version: str | None, source: str | None, bookmark_interval: float | None) -> catalog_pb2.WatchCatalogRequest:
    interval_ms = None if bookmark_interval is None else round(seconds("bookmark_interval", bookmark_interval) * 1_000)
    return catalog_pb2.WatchCatalogRequest(
        since_version=_optional_text("since_version", since_version),
        source=_optional_text("source", source),
        bookmark_interval_ms=interval_ms,
    )


def seconds(field: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < _MOST_UINT32:
        raise invalid(field, f"is {value!r}: give a number of seconds above 0")
    return float(value)


def optional_seconds(field: str, value: float | None) -> float | None:
    return None if value is None else seconds(field, value)


def retries(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid("retries", f"is {value!r}: give a whole number, 0 for none")
    return value


def text(field: str, value: str) -> str:
    if not isinstance(value, str):
        raise invalid(field, f"is {value!r}, a {type(value).__name__}, not a string")
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise invalid(field, f"cannot be sent as text: {e}") from e
    return value


def _optional_text(field: str, value: str | None) -> str | None:
    return None if value is None else text(field, value)


def _texts(field: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise invalid(field, f"is the text {values!r}, not a list: give [{values!r}]")
    return [text(f"{field}[{i}]", value) for i, value in enumerate(values)]


def _count(field: str, value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_UINT32:
        raise invalid(field, f"is {value!r}: give a whole number from 0 to {_MOST_UINT32}")
    return value


def _number(field: str, value: float | None) -> float | None:
    if value is None:
        return None
    # Also keeps out NaN, and what a 32-bit float cannot hold: it would arrive as infinity, and the router would name that.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _MOST_FLOAT32:
        raise invalid(field, f"is {value!r}: give a number")
    return float(value)


def _budget(max_tokens: int | None, tokenizer: str | None, max_tools: int | None, min_tools: int | None) -> router_pb2.Budget:
    return router_pb2.Budget(
        max_tokens=_count("max_tokens", max_tokens),
        tokenizer=_optional_text("tokenizer", tokenizer),
        max_tools=_count("max_tools", max_tools),
        min_tools=_count("min_tools", min_tools),
    )


def _continuity(previous_tools: Iterable[SelectedTool] | None, session_id: str | None) -> router_pb2.Continuity | None:
    if previous_tools is None:
        if session_id is not None:
            raise invalid("session_id", f"is {session_id!r} without previous_tools: give them too, `()` on the first turn")
        return None
    if isinstance(previous_tools, str) or not isinstance(previous_tools, Iterable):
        raise invalid("previous_tools", f"is {previous_tools!r}: give the `tools` of the last selection, `()` on the first turn")
    tools = [_previous(f"previous_tools[{i}]", tool) for i, tool in enumerate(previous_tools)]
    return router_pb2.Continuity(previous_tools=tools, session_id=_optional_text("session_id", session_id) or "")


def _previous(field: str, tool: SelectedTool) -> router_pb2.PreviousTool:
    if not isinstance(tool, SelectedTool):
        raise invalid(field, f"is {tool!r}: give the `tools` of the last selection")
    if tool.fidelity not in _FIDELITIES:
        raise invalid(f"{field}.fidelity", f"is {tool.fidelity!r}: give one of {', '.join(map(repr, _FIDELITIES))}")
    return router_pb2.PreviousTool(
        source=text(f"{field}.source", tool.source),
        tool=text(f"{field}.tool", tool.tool),
        fidelity=_FIDELITIES[tool.fidelity],
        definition_hash=text(f"{field}.definition_hash", tool.definition_hash),
    )


def _output(
    format: Format, schema_profile: SchemaProfile, defer_loading: bool, tool_references: bool, directory: bool
) -> router_pb2.Output:
    if format not in _FORMATS:
        raise invalid("format", f"is {format!r}: give one of {', '.join(map(repr, _FORMATS))}")
    return router_pb2.Output(
        format=_FORMATS[format],
        include=_WITH_DIRECTORY if directory else [],
        schema_profile=_profile("schema_profile", schema_profile),
        defer_loading=bool(defer_loading),
        tool_references=bool(tool_references),
    )


def _profile(field: str, name: SchemaProfile) -> tool_pb2.SchemaProfile:
    if name not in _PROFILES:
        raise invalid(field, f"is {name!r}: give one of {', '.join(map(repr, _PROFILES))}")
    return _PROFILES[name]
