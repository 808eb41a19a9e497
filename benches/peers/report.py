"""From outcomes to figures: means with intervals, and differences to the router, per set and over all sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import measures
from contest import Outcome
from measures import MEASURES
from peers import OURS

MACRO = "macro mean"
NOISE = 1e-9
"""Rounding of sums; the smallest true difference, one rank of one query, is far above it."""


@dataclass(frozen=True)
class Figure:
    """A mean and where it may lie."""

    value: float
    low: float
    high: float

    @staticmethod
    def of(value: float, replicates: Sequence[float]) -> Figure:
        return Figure(value, *measures.interval(replicates))

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval is on one side of 0, else 0."""
        return (NOISE < self.low) - (self.high < -NOISE)


@dataclass
class Row:
    """A peer on a set, or over all."""

    peer: str
    failure: str = ""
    means: dict[str, Figure] = field(default_factory=dict)
    leads: dict[str, Figure] = field(default_factory=dict)
    """The router minus this peer. Empty for the router, and where it failed."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    build_s: float | None = None
    failed_queries: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Group:
    """The rows of a set, or of the macro mean."""

    name: str
    tools: int
    queries: int
    rows: list[Row]


@dataclass
class _Sample:
    value: float
    replicates: list[float]


_Samples = dict[str, dict[str, _Sample]]
"""By peer and measure."""


class Report:
    """Takes sets in one by one."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.outcomes: list[list[Outcome]] = []
        self._samples: list[_Samples] = []

    def add(self, name: str, tools: int, outcomes: list[Outcome]) -> None:
        queries = max((len(outcome.scores) for outcome in outcomes), default=0)
        resamples = measures.Resamples(queries)
        samples: _Samples = {}
        for outcome in outcomes:
            if not outcome.failure:
                columns = {measure: [score[measure] for score in outcome.scores] for measure in MEASURES}
                samples[outcome.peer] = {m: _Sample(measures.mean(column), resamples.means(column)) for m, column in columns.items()}
        self.groups.append(Group(name, tools, queries, [_row(outcome.peer, [outcome], samples) for outcome in outcomes]))
        self.outcomes.append(outcomes)
        self._samples.append(samples)

    def all(self) -> list[Group]:
        """The sets, and their mean where there are several."""
        return [*self.groups, self._macro()] if 1 < len(self.groups) else self.groups

    def _macro(self) -> Group:
        """Only peers that failed on no set: a mean over fewer sets is another figure."""
        names = [outcome.peer for outcome in self.outcomes[0]]
        whole = [name for name in names if all(name in samples for samples in self._samples)]
        samples: _Samples = {
            name: {
                measure: _Sample(
                    measures.mean([samples[name][measure].value for samples in self._samples]),
                    measures.macro([samples[name][measure].replicates for samples in self._samples]),
                )
                for measure in MEASURES
            }
            for name in whole
        }
        rows = []
        for name in names:
            of_peer = [outcome for outcomes in self.outcomes for outcome in outcomes if outcome.peer == name]
            rows.append(_row(name, of_peer, samples))
            if name not in whole:
                rows[-1].failure = f"no figures on {sum(bool(outcome.failure) for outcome in of_peer)} of {len(of_peer)} sets"
        return Group(MACRO, sum(group.tools for group in self.groups), sum(group.queries for group in self.groups), rows)


def _row(peer: str, outcomes: list[Outcome], samples: _Samples) -> Row:
    """The figures of `samples`; times and failures of all `outcomes`."""
    row = Row(peer, outcomes[0].failure)
    row.failed_queries = sum(outcome.failed_queries for outcome in outcomes)
    row.notes = [note for outcome in outcomes for note in outcome.notes]
    theirs, ours = samples.get(peer), samples.get(OURS)
    if theirs is None:
        return row
    row.means = {measure: Figure.of(sample.value, sample.replicates) for measure, sample in theirs.items()}
    if ours is not None and peer != OURS:
        row.leads = {measure: _lead(ours[measure], theirs[measure]) for measure in MEASURES}
    latencies = [latency * 1e3 for outcome in outcomes for latency in outcome.latencies_s]
    row.p50_ms, row.p95_ms = measures.quantile(latencies, 0.5), measures.quantile(latencies, 0.95)
    row.build_s = sum(outcome.build_s for outcome in outcomes)
    return row


def _lead(ours: _Sample, theirs: _Sample) -> Figure:
    return Figure.of(ours.value - theirs.value, measures.difference(ours.replicates, theirs.replicates))
