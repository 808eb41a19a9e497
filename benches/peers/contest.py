"""One set, all peers: each takes the tools in, then all are asked every query in turn.

In turn: whatever else the machine does meets all of them. And in another order each time: who comes after a slow one finds the processor's
caches full of that one's data. A peer that fails is reported with its reason and the others go on.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import measures
from data import Dataset
from peers import Peer

if TYPE_CHECKING:
    from encoder import Encoder

# Asked before anything is timed, of every peer: first calls load code and fill pools.
WARM_UP = ("hello", "is anybody there", "one two three four five six seven eight nine ten")


@dataclass
class Outcome:
    """How one peer did on one set."""

    peer: str
    failure: str = ""
    """Why there are no figures. Empty where there are."""
    build_s: float = 0.0
    scores: list[dict[str, float]] = field(default_factory=list)
    """One entry per query. A query that failed found nothing."""
    latencies_s: list[float] = field(default_factory=list)
    """One entry per query that did not fail."""
    failed_queries: int = 0
    notes: list[str] = field(default_factory=list)


def hold(data: Dataset, names: Sequence[str], make: Callable[[str], tuple[Peer, Encoder]]) -> list[Outcome]:
    """Outcomes in the order of `names`."""
    outcomes = {name: Outcome(name) for name in names}
    peers: dict[str, Peer] = {}
    try:
        for name in names:
            say(f"{data.name}: building {name} over {len(data.tools)} tools")
            try:
                peer, encoder = make(name)
                peers[name] = peer
                outcomes[name].build_s = _build(peer, encoder, data)
                outcomes[name].notes = peer.notes
            except Exception as e:  # any peer, any reason: it is reported
                outcomes[name].failure = f"building: {_reason(e)}"
                say(f"{data.name}: {name} failed, {outcomes[name].failure}")
        _ask(data, {name: peer for name, peer in peers.items() if not outcomes[name].failure}, outcomes)
    finally:
        for peer in peers.values():
            peer.close()
    return list(outcomes.values())


def _build(peer: Peer, encoder: Encoder, data: Dataset) -> float:
    """Seconds, embedding included even where another peer has embedded the same text."""
    peer.start()
    with encoder.building():
        started = time.perf_counter()
        peer.build(data.tools)
        return time.perf_counter() - started + encoder.owed


def _ask(data: Dataset, peers: dict[str, Peer], outcomes: dict[str, Outcome]) -> None:
    for peer in peers.values():
        for words in WARM_UP:
            try:
                peer.rank(words, measures.DEPTH)
            except Exception:  # whatever is wrong will show, and be counted, at the set's own queries
                break
    # Ten catalogues in one process: without this every peer's garbage collection would walk all of them.
    gc.collect()
    gc.freeze()
    order, draw = list(peers), random.Random(0)
    for number, query in enumerate(data.queries):
        draw.shuffle(order)
        for name in order:
            outcome = outcomes[name]
            started = time.perf_counter()
            try:
                ranked = peers[name].rank(query.text, measures.DEPTH)
                outcome.latencies_s.append(time.perf_counter() - started)
            except Exception as e:
                ranked = []
                outcome.failed_queries += 1
                if outcome.failed_queries == 1:
                    outcome.notes.append(f"query {query.id}: {_reason(e)}")
            outcome.scores.append(measures.scores(ranked, query.relevant))
        if (number + 1) % 20 == 0 or number + 1 == len(data.queries):
            say(f"{data.name}: {number + 1} of {len(data.queries)} queries")
    gc.unfreeze()
    for name in peers:
        if outcomes[name].failed_queries == len(data.queries):
            outcomes[name].failure = f"every query: {outcomes[name].notes[-1]}"


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)
