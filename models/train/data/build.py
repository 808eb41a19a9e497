"""The whole run: read, exclude, hold back, make, thin, write."""

import json
import sys
from collections import Counter
from pathlib import Path

from . import card, exclude, fitting, implied, labelled, make
from .negatives import LookAlikes, mark_copies
from .pairs import TALK, Book, thin
from .seeds import fraction, generator
from .sets import (NEVER, OWN, OWN_HOLD_BACK, OWN_LICENSE, PERMISSIVE, REPORTED, SELECTION, SOURCES, UNSEEN_TOOLS, BadInput,
                   Source, missing, read_queries, read_tools)

# Under this share tools are thinned too: a run of one per cent is to try things out, and embeds no ten thousand tools.
THIN_TOOLS = 0.05
# And requests are made of this many times the share of tools, so that each kind still comes from different ones.
MADE_OF = 4


def tell(message):
    print(f"build_data: {message}", file=sys.stderr)


def run(out, data=None, catalog=None, own_pairs=None, seed=1, share=1.0, allow_missing=False):
    """Writes `tools.jsonl`, `pairs.jsonl`, `holdback.jsonl`, `card.md`, `card.json` and `fitting/` into `out`; returns the card."""
    if data is None and catalog is None:
        raise BadInput("nothing to read: name --data, --catalog or both")
    if not 0 < share <= 1:
        raise BadInput(f"--share {share}: has to be over 0 and at most 1")
    tools, requests, evaluation, notes = [], [], _Evaluation(), Counter()
    if data is not None:
        _read_public(Path(data), allow_missing, tools, requests, evaluation, notes)
    if catalog is not None:
        own = read_tools(Path(catalog), OWN, OWN_LICENSE)
        tools += own
        if own_pairs is not None:
            requests.append((Source(OWN, OWN_LICENSE, hold_back=OWN_HOLD_BACK), own_pairs,
                read_queries(Path(own_pairs), OWN)))
    leaks = exclude.Leaks(evaluation.tools, evaluation.queries, evaluation.unseen, evaluation.fields)
    known = {(tool.set, tool.raw_id) for tool in tools}
    kept, dropped = exclude.keep(tools, leaks)
    notes.update({("tools", *key): count for key, count in dropped.items()})
    tell(f"{len(kept)} of {len(tools)} tools may train")

    train, held = _labelled(requests, kept, known, leaks, seed, notes)
    book = Book(leaks, held)
    subjects, skipped = make.subjects_of(kept)
    notes.update({("tools without made requests", *key): count for key, count in skipped.items()})
    for pair in train:
        book.take(pair)
    for pair in train:
        again = make.around_labelled(pair, seed, pair.set == "metatool")
        if again:
            book.take(again)
    # A small run would make all requests to throw most of them away.
    asked = min(1.0, MADE_OF * share) if share < THIN_TOOLS else 1.0
    for pair in make.made(subjects, seed, tell, asked):
        book.take(pair)
    for pair in implied.made(kept, subjects, seed, asked):
        book.take(pair)
    for pair in make.without_tool(seed, len(book.pairs)):
        book.take(pair)
    notes.update({("pairs", *key): count for key, count in book.refused.items()})

    given = [pair for pair in book.pairs if pair.kind.startswith("labelled")]
    others = [pair for pair in book.pairs if not pair.kind.startswith("labelled")]
    pairs = thin(given, share) + thin(others, share / asked)
    _look_alikes(kept, pairs + held, seed)
    mark_copies(kept)
    if share < THIN_TOOLS:
        kept = _thin_tools(kept, pairs, held, share)
    _write(Path(out), kept, pairs, held)
    selection = [query for query in evaluation.queries if query.set == SELECTION]
    sets = fitting.write(Path(out) / "fitting", requests, selection, tools + evaluation.tools, train, leaks,
        share if share < THIN_TOOLS else 1.0)
    report = card.card(kept, pairs, held, notes, seed, share, TALK)
    card.write(Path(out), report)
    tell(f"wrote {len(kept)} tools, {len(pairs)} pairs and {len(held)} held-back pairs to {out}; sets to fit weights on: "
        f"{', '.join(sets) or f'none has {fitting.LEAST} requests that training does not see'}")
    return report


class _Evaluation:
    """Tools and requests that must not enter."""

    def __init__(self):
        self.tools, self.queries, self.unseen, self.fields = [], [], set(), set()


def _read_public(data, allow_missing, tools, requests, evaluation, notes):
    absent = missing(data)
    if absent and not allow_missing:
        listed = ", ".join(f"{name}/{file}" for name, file in absent)
        raise BadInput(
            f"{data}: these files are missing: {listed}; add them, or pass --allow-missing to go on without them "
            f"(what they would exclude is then not excluded)")
    for name, file in absent:
        tell(f"missing, left out: {name}/{file}")
        notes["missing", name, file] += 1
    for source in SOURCES:
        folder = data / source.name
        if not (folder / "tools.jsonl").is_file():
            continue
        found = read_tools(folder / "tools.jsonl", source.name, source.license)
        for tool in found:
            if tool.license not in PERMISSIVE:
                notes["tools", tool.set, f"licence {tool.license}"] += 1
        tools += [tool for tool in found if tool.license in PERMISSIVE]
        for file in source.labelled:
            if (folder / file).is_file():
                requests.append((source, folder / file, read_queries(folder / file, source.name)))
        for file in REPORTED.get(source.name, ()):
            if (folder / file).is_file():
                evaluation.queries += read_queries(folder / file, source.name)
        if source.name == UNSEEN_TOOLS[0] and all((folder / file).is_file() for file in (UNSEEN_TOOLS[1],
            *UNSEEN_TOOLS[2])):
            others = [query for file in UNSEEN_TOOLS[2] for query in read_queries(folder / file, source.name)]
            evaluation.unseen, evaluation.fields = exclude.unseen_of(found,
                read_queries(folder / UNSEEN_TOOLS[1], source.name), others)
    for name in NEVER:
        for path in sorted((data / name).glob("*.jsonl")):
            if path.name == "tools.jsonl":
                evaluation.tools += read_tools(path, name, "not used")
            else:
                evaluation.queries += read_queries(path, name)


def _labelled(requests, kept, known, leaks, seed, notes):
    train, held = [], []
    for source, path, queries in requests:
        ids = {tool.raw_id: tool.id for tool in kept if tool.set == source.name}
        pairs, dropped = labelled.pairs_of(queries, ids, {raw for name, raw in known if name == source.name}, leaks,
            path)
        notes.update({("labelled", source.name, why): count for why, count in dropped.items()})
        own_train, own_held = labelled.hold_back(pairs, source.hold_back)
        within = labelled.capped(own_train, seed)
        if len(within) < len(own_train):
            notes["labelled", source.name, "cap per tool"] += len(own_train) - len(within)
        train += within
        held += own_held
    return train, held


def _look_alikes(tools, pairs, seed):
    alike = LookAlikes(tools)
    for number, pair in enumerate(pairs):
        if number % 50_000 == 0:
            tell(f"look-alikes of {number} of {len(pairs)} pairs")
        if pair.relevant:
            pair.negatives = alike.sample((*pair.relevant, *pair.also), generator(seed, pair.set, pair.query, "negatives"))


def _thin_tools(tools, pairs, held, share):
    """Positives stay, with the first look-alike of each pair; of the rest, a share."""
    needed = {tool_id for pair in pairs + held for tool_id in (*pair.relevant, *pair.negatives[:1])}
    kept = [tool for tool in tools if tool.id in needed or fraction("tools", tool.id) < share]
    ids = {tool.id for tool in kept}
    for pair in pairs + held:
        pair.negatives = [tool_id for tool_id in pair.negatives if tool_id in ids]
        pair.also = [tool_id for tool_id in pair.also if tool_id in ids]
    for tool in kept:
        tool.copies = [tool_id for tool_id in tool.copies if tool_id in ids]
    return kept


def _write(out, tools, pairs, held):
    out.mkdir(parents=True, exist_ok=True)
    with (out / "tools.jsonl").open("w", encoding="utf-8") as file:
        for tool in tools:
            line = {"id": tool.id, "name": tool.name, "description": tool.description, "input_schema": tool.schema,
                "server": tool.server, "set": tool.set, "license": tool.license}
            if tool.copies:
                line["copies"] = tool.copies
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    for name, lines in (("pairs.jsonl", pairs), ("holdback.jsonl", held)):
        with (out / name).open("w", encoding="utf-8") as file:
            for pair in lines:
                file.write(json.dumps(pair.line(), ensure_ascii=False) + "\n")
