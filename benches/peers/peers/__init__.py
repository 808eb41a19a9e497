"""What is compared: one file per system, all behind the same two calls."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data import Tool
    from encoder import Encoder

OURS = "tool-router"
"""What the others are compared with."""

PEERS = {
    OURS: "peers.router",
    "cosine": "peers.cosine",
    "bm25": "peers.bm25",
    "semantic-router": "peers.aurelio",
    "langgraph-bigtool": "peers.bigtool",
    "llama-index": "peers.llamaindex",
    "toolscope": "peers.tool_scope",
    "toolpicker": "peers.tool_picker",
    "graph-tool-call": "peers.graph",
    "microresolve": "peers.micro",
}
"""Names and modules. A module is loaded when its peer takes part, so that one that cannot be loaded fails alone."""


@dataclass(frozen=True)
class Surroundings:
    """What a peer may need."""

    encoder: Encoder
    binary: Path
    """The router program."""
    root: Path
    """The repository, where the router looks for its model and runtime."""


class Peer:
    """A system that ranks tools. Each module of `PEERS` has one called `System`."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.encoder = surroundings.encoder
        self.notes: list[str] = []
        """What a reader of the figures must know."""

    def start(self) -> None:
        """Whatever is not building an index: the same for any set."""

    def build(self, tools: list[Tool]) -> None:
        """Takes the tools in. Once."""
        raise NotImplementedError

    def rank(self, query: str, k: int) -> list[str]:
        """Ids of the tools for `query`, best first, at most `k`; fewer, or none, where the system says so."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of what `start` and `build` took."""


def load(name: str, surroundings: Surroundings) -> Peer:
    """The peer of that name, not built yet."""
    system: type[Peer] = importlib.import_module(PEERS[name]).System
    return system(surroundings)
