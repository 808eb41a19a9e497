"""What the catalogue says: its tools, what a change did, and what a watcher is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ._proto.toolrouter.v1 import catalog_pb2, router_pb2, tool_pb2
from .definition import JsonObject
from .tool_ref import ToolRef

ToolState = Literal["enabled", "disabled", "unspecified"]
_STATES: dict[int, ToolState] = {tool_pb2.TOOL_STATE_ENABLED: "enabled", tool_pb2.TOOL_STATE_DISABLED: "disabled"}


@dataclass(frozen=True)
class RegisteredTool:
    """A tool with what the router knows about it."""

    source: str
    name: str
    model_name: str
    """What a model calls it. Fixed at registration."""
    state: ToolState
    """Whether selections may return it."""
    definition: tool_pb2.ToolDefinition
    """What the publisher wrote, verbatim: its schemas are text, so that key order and number precision survive."""
    fingerprint: str
    """SHA-256 of the content in hex, independent of key order and number spelling."""
    registered_at_ms: int
    """Milliseconds since the Unix epoch."""
    updated_at_ms: int
    """Last change of its content, milliseconds since the Unix epoch."""
    tokens: int
    """Of the whole definition, in OpenAI's format and `o200k_base`."""

    @property
    def input_schema(self) -> JsonObject:
        """The parsed JSON Schema of its arguments."""
        schema: JsonObject = json.loads(self.definition.input_schema_json or "{}")
        return schema


@dataclass(frozen=True)
class Described:
    """A tool that was asked for, or why there is none."""

    tool: RegisteredTool | None
    not_found: str
    """In words. Empty when there is a tool."""


@dataclass(frozen=True)
class LookAlike:
    """A tool that a model could take for another one of the catalogue: say in its description what sets it apart."""

    tool: str
    """The tool's name within the source that was registered."""
    other: ToolRef
    """What it looks like: any source, enabled or disabled."""
    similarity: float | None
    """Cosine of their texts in [0, 1]. `None` while one of them is not embedded."""
    shared_words: float
    """Share of the words of their descriptions and parameter names that both have, in [0, 1]."""
    same_name: bool
    """Their names have the same words."""


@dataclass(frozen=True)
class Change:
    """What a change did, by tool name within the source."""

    catalog_version: str
    """After the change; now, for a dry run. Opaque."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    """Tools whose content changed."""
    removed: tuple[str, ...]
    unchanged: int
    """How many were already as sent. After a retry, also those that the try before had written."""
    look_alikes: tuple[LookAlike, ...] = ()
    """New and changed tools that look like others: same names first, then the closest, at most 100. Empty for a dry run."""
    look_alikes_total: int = 0
    """How many were found before the list was cut to 100."""


@dataclass(frozen=True)
class CatalogChange:
    """A published change. Selections already see all of it."""

    catalog_version: str
    source: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    enabled: tuple[str, ...]
    disabled: tuple[str, ...]


@dataclass(frozen=True)
class Bookmark:
    """Nothing is missing up to this version. Store it to resume from."""

    catalog_version: str


@dataclass(frozen=True)
class ResyncRequired:
    """Changes are missing: list the tools again. What follows comes after this version."""

    catalog_version: str
    reason: str


CatalogEvent = CatalogChange | Bookmark | ResyncRequired


def registered(message: tool_pb2.RegisteredTool) -> RegisteredTool:
    return RegisteredTool(
        source=message.source,
        name=message.definition.name,
        model_name=message.model_name,
        state=_STATES.get(message.state, "unspecified"),
        definition=message.definition,
        fingerprint=message.fingerprint,
        registered_at_ms=message.registered_at_ms,
        updated_at_ms=message.updated_at_ms,
        tokens=message.tokens,
    )


def described(results: Iterable[router_pb2.DescribedTool]) -> list[Described]:
    return [Described(registered(one.tool) if one.HasField("tool") else None, one.not_found.detail) for one in results]


def change(
    answer: catalog_pb2.RegisterToolsResponse | catalog_pb2.SyncSourceResponse | catalog_pb2.UnregisterToolsResponse,
) -> Change:
    diff = answer.diff
    done = Change(answer.catalog_version, tuple(diff.added), tuple(diff.changed), tuple(diff.removed), diff.unchanged)
    if isinstance(answer, catalog_pb2.UnregisterToolsResponse):
        return done
    return replace(done, look_alikes=tuple(map(look_alike, answer.look_alikes)), look_alikes_total=answer.look_alikes_total)


def look_alike(message: catalog_pb2.LookAlike) -> LookAlike:
    return LookAlike(
        tool=message.tool,
        other=ToolRef(message.other.source, message.other.tool),
        similarity=message.similarity if message.HasField("similarity") else None,
        shared_words=message.shared_words,
        same_name=message.same_name,
    )


def event(message: catalog_pb2.WatchCatalogResponse) -> CatalogEvent | None:
    """`None` for an event that only a newer client knows."""
    match message.WhichOneof("event"):
        case "change":
            told = message.change
            return CatalogChange(
                catalog_version=told.catalog_version,
                source=told.source,
                added=tuple(told.added),
                changed=tuple(told.changed),
                removed=tuple(told.removed),
                enabled=tuple(told.enabled),
                disabled=tuple(told.disabled),
            )
        case "bookmark":
            return Bookmark(message.bookmark.catalog_version)
        case "resync_required":
            return ResyncRequired(message.resync_required.catalog_version, message.resync_required.reason)
        case _:
            return None
