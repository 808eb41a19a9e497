"""Labelled requests: which are usable, which are held back for model selection, and how many of a tool may train."""

from collections import Counter

from .exclude import usable
from .pairs import MOST_LABELLED, Pair
from .seeds import fraction
from .sets import BadInput
from .words import fold


def pairs_of(queries, ids, known, leaks, source):
    """(pairs, reason → how many were left out).

    `ids`: the file's tool id → ours, of tools that may train; `known`: all its ids.
    """
    found, dropped = [], Counter()
    for query in queries:
        unknown = [raw for raw in query.relevant if raw not in known]
        if unknown:
            raise BadInput(
                f"{source}: request {query.id!r}: field `relevant` names {unknown[0]!r}, which is no tool of its "
                f"catalogue; correct the id or add the tool")
        if leaks.has_text(query.text):
            dropped["text of an evaluation request"] += 1
        elif not usable(query.text):
            dropped["not English, or over 200 words"] += 1
        elif any(raw not in ids for raw in query.relevant):
            dropped["needs a tool that may not train"] += 1
        else:
            found.append(Pair(query.text, tuple(ids[raw] for raw in query.relevant), query.set,
                "labelled" if query.relevant else "no_tool"))
    return found, dropped


def hold_back(pairs, share):
    """(train, held back): whole texts, by hash. Not by the seed: runs with other seeds stay comparable."""
    held = {fold(pair.query) for pair in pairs if fraction("hold-back", fold(pair.query)) < share}
    return [pair for pair in pairs if fold(pair.query) not in held], [pair for pair in pairs
        if fold(pair.query) in held]


def capped(pairs, seed):
    """At most `MOST_LABELLED` requests of each tool, drawn by hash; in the order given."""
    count, kept = Counter(), set()
    for pair in sorted(pairs, key=lambda pair: fraction(seed, "cap", pair.set, pair.query)):
        if all(count[tool_id] < MOST_LABELLED for tool_id in pair.relevant):
            kept.add(id(pair))
            count.update(pair.relevant)
    return [pair for pair in pairs if id(pair) in kept]
