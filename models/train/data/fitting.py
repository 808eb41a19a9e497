"""Sets to fit the router's ranking on: labelled requests that training doesn't see, asked of all tools of their set.

Requests that it has seen find their tools by meaning too easily, and the weights would trust meaning too much.
"""

import hashlib
import json
import shutil

from .seeds import fraction
from .sets import SELECTION
from .words import fold

# The router fits on no fewer.
LEAST = 20


def write(out, requests, selection, tools, train, leaks, share=1.0):
    """`out/SET/tools.jsonl` and `queries.jsonl`, and no other set's; the names of the sets written.

    `requests`: (source, path, its queries); `selection`: the requests of the set that models are chosen by; `tools`: of
    all these sets, also those that may not train; `train`: the pairs that train; `share`: of the requests of a set, and
    of the tools that none of them needs.
    """
    seen = {fold(pair.query) for pair in train}
    sets = {source.name: [query for query in queries if fold(query.text) not in seen and not leaks.has_text(query.text)]
        for source, _, queries in requests if source.hold_back}
    sets[SELECTION] = [query for query in selection if in_even_half(query.id)]
    sets = {name: [query for query in queries if query.relevant] for name, queries in sets.items()}
    sets = {name: queries for name, queries in sorted(sets.items()) if LEAST <= len(queries)}
    # A set of an earlier run into the same folder would be fitted on as well.
    shutil.rmtree(out, ignore_errors=True)
    for name, queries in sets.items():
        queries = queries[:: max(1, min(round(1 / share), len(queries) // LEAST))]
        needed = {tool_id for query in queries for tool_id in query.relevant}
        kept = [tool for tool in tools if tool.set == name
            and (tool.raw_id in needed or fraction("fitting", tool.id) < share)]
        (out / name).mkdir(parents=True)
        _lines(out / name / "tools.jsonl", ({"id": tool.raw_id, "name": tool.name, "description": tool.description,
            "input_schema": tool.schema, "server": tool.server} for tool in kept))
        _lines(out / name / "queries.jsonl", ({"id": query.id, "text": query.text, "relevant": query.relevant}
            for query in queries))
    return list(sets)


def in_even_half(query_id):
    """As `tool-router eval` halves a set: by the last byte of the id's sha256."""
    return hashlib.sha256(query_id.encode()).digest()[-1] % 2 == 0


def _lines(path, entries):
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
