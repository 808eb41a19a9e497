"""The measures, and how sure they are. Standard library only.

recall@5: share of the relevant tools in the first 5. nDCG@10: binary gain, log2 discount, the ideal over min(10, relevant). COMP@10: 1 when
all relevant tools are in the first 10. Each is averaged over the queries of a set; a macro mean gives every set the same weight.

How sure: percentile bootstrap over queries, the sets being given. All systems of a set meet the same resamples, so the interval of a
difference is that of a paired bootstrap.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from operator import itemgetter

DEPTH = 10
"""How deep lists are looked at."""
MEASURES = ("recall@5", "nDCG@10", "COMP@10")
RESAMPLES = 2000
LEVEL = 0.95


def scores(ranked: Sequence[str], relevant: Collection[str]) -> dict[str, float]:
    """Scores `ranked`, best first, against `relevant`, which is not empty. A tool that stands twice counts where it stands first."""
    hits = [tool in relevant for tool in list(dict.fromkeys(ranked))[:DEPTH]]
    ideal = sum(_gain(place) for place in range(min(DEPTH, len(relevant))))
    return {
        "recall@5": sum(hits[:5]) / len(relevant),
        "nDCG@10": sum(_gain(place) for place, hit in enumerate(hits) if hit) / ideal,
        "COMP@10": float(sum(hits) == len(relevant)),
    }


def _gain(place: int) -> float:
    return 1 / math.log2(place + 2)


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def quantile(values: Sequence[float], share: float) -> float:
    """With linear interpolation between the two nearest."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def interval(replicates: Sequence[float]) -> tuple[float, float]:
    """Where the middle `LEVEL` of the replicates lies."""
    outside = (1 - LEVEL) / 2
    return quantile(replicates, outside), quantile(replicates, 1 - outside)


class Resamples:
    """Draws of `queries` queries with replacement, the same for every system that is asked about."""

    def __init__(self, queries: int, count: int = RESAMPLES, seed: int = 0) -> None:
        draw = random.Random(seed)
        self._draws = [draw.choices(range(queries), k=queries) for _ in range(count)]

    def means(self, values: Sequence[float]) -> list[float]:
        """The mean of `values`, one per query, in every draw."""
        if len(values) == 1:
            return [values[0]] * len(self._draws)
        # itemgetter picks in C: this runs for every system, set and measure.
        return [sum(itemgetter(*places)(values)) / len(places) for places in self._draws]


def macro(replicates_by_set: Sequence[Sequence[float]]) -> list[float]:
    """The mean over sets in every draw."""
    return [mean(column) for column in zip(*replicates_by_set, strict=True)]


def difference(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """In every draw, ours minus theirs."""
    return [a - b for a, b in zip(ours, theirs, strict=True)]
