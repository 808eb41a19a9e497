"""Sets to fit the router's ranking on: labelled requests that training doesn't see, asked of all tools of their set.

Requests that it has seen find their tools by meaning too easily, and the weights would trust meaning too much.
"""

import hashlib
import json

from .seeds import fraction
from .sets import SELECTION, id_of, lines, read_queries
from .words import fold

# The router fits on no fewer.
LEAST = 20


def write(out, requests, train, leaks, catalogs, data, share=1.0):
    """`out/SET/tools.jsonl` and `queries.jsonl`; the names of the sets written.

    `requests`: (source, path, its queries); `train`: the pairs that train; `catalogs`: set → the file of its tools;
    `data`: the folder of the public sets, or `None`; `share`: of the requests of a set, and of the tools that none of
    them needs.
    """
    seen = {fold(pair.query) for pair in train}
    sets = {}
    for source, _, queries in requests:
        if source.hold_back:
            sets[source.name] = catalogs[source.name], [query for query in queries if query.relevant
                and fold(query.text) not in seen and not leaks.has_text(query.text)]
    if data is not None and (data / SELECTION / "queries.jsonl").is_file():
        queries = read_queries(data / SELECTION / "queries.jsonl", SELECTION)
        sets[SELECTION] = data / SELECTION / "tools.jsonl", [query for query in queries if query.relevant
            and in_even_half(query.id)]
    sets = {name: found for name, found in sets.items() if LEAST <= len(found[1])}
    for name, (tools, queries) in sets.items():
        queries = queries[:: max(1, min(round(1 / share), len(queries) // LEAST))]
        needed = {tool_id for query in queries for tool_id in query.relevant}
        (out / name).mkdir(parents=True, exist_ok=True)
        with (out / name / "tools.jsonl").open("w", encoding="utf-8") as file:
            for _, entry in lines(tools):
                entry = {"id": id_of(entry), **entry}
                if entry["id"] in needed or fraction("fitting", name, entry["id"]) < share:
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        with (out / name / "queries.jsonl").open("w", encoding="utf-8") as file:
            for query in queries:
                line = {"id": query.id, "text": query.text, "relevant": query.relevant}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return sorted(sets)


def in_even_half(query_id):
    """As `tool-router eval` halves a set: by the last byte of the id's sha256."""
    return hashlib.sha256(query_id.encode()).digest()[-1] % 2 == 0
