"""Sources that the router keeps in sync by itself, as `list_sources` tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._proto.toolrouter.v1 import sources_pb2

SourceState = Literal["starting", "synced", "failing", "held", "paused", "elsewhere", "unspecified"]
_STATES: dict[int, SourceState] = {
    sources_pb2.SOURCE_STATE_STARTING: "starting",
    sources_pb2.SOURCE_STATE_SYNCED: "synced",
    sources_pb2.SOURCE_STATE_FAILING: "failing",
    sources_pb2.SOURCE_STATE_HELD: "held",
    sources_pb2.SOURCE_STATE_PAUSED: "paused",
    sources_pb2.SOURCE_STATE_ELSEWHERE: "elsewhere",
}


@dataclass(frozen=True)
class RefusedTool:
    """A tool that a source lists and the router does not take."""

    tool: str
    """Its name, or its place in the list."""
    reason: str
    kept: bool
    """Whether its last good revision goes on serving."""


@dataclass(frozen=True)
class SourceStatus:
    """A configured source."""

    source: str
    endpoint: str
    """The command line at the other end, or the URL without its query."""
    state: SourceState
    tools: int
    """Of it in the catalogue, disabled ones included."""
    last_sync_at_ms: int | None
    """When the last good list was applied, milliseconds since the Unix epoch. `None`: never in this life of the router."""
    age_ms: int | None
    """How long ago that was."""
    error: str
    """Why the last try failed, or what is held. Empty when it did not."""
    next_sync_in_ms: int | None
    """When the next try is due. `None`: none is planned."""
    failures: int
    """Tries that failed since the last good one."""
    syncs: int
    """Tries since the router started."""
    failed_syncs: int
    refused: tuple[RefusedTool, ...]
    """Tools of the last list that were left out. At most 20."""
    refused_tools: int
    """How many were left out in all."""
    notifies: bool
    """Whether the server tells when its list changes."""


def status(message: sources_pb2.SourceStatus) -> SourceStatus:
    return SourceStatus(
        source=message.source,
        endpoint=message.endpoint,
        state=_STATES.get(message.state, "unspecified"),
        tools=message.tools,
        last_sync_at_ms=message.last_sync_at_ms if message.HasField("last_sync_at_ms") else None,
        age_ms=message.age_ms if message.HasField("age_ms") else None,
        error=message.error,
        next_sync_in_ms=message.next_sync_in_ms if message.HasField("next_sync_in_ms") else None,
        failures=message.failures,
        syncs=message.syncs,
        failed_syncs=message.failed_syncs,
        refused=tuple(RefusedTool(refused.tool, refused.reason, refused.kept) for refused in message.refused),
        refused_tools=message.refused_tools,
        notifies=message.notifies,
    )
