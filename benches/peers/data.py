"""A labelled set: `tools.jsonl` and `queries[.SPLIT].jsonl` in one folder, one JSON object a line.

Read as `tool-router eval` reads it, so that both speak of the same tools and the same queries: queries that need no tool are left out,
and `most` of them are spread evenly over the file. Anything that does not fit is an error with file and line: a figure from half a set is
worse than none.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Splits that need no file of their own: for a set that is fitted on one half and reported on the other.
HALVES = {"even": 0, "odd": 1}


class DataError(Exception):
    """A set cannot be used: which file, which line, why."""


@dataclass(frozen=True)
class Tool:
    """What a publisher wrote."""

    id: str
    source: str
    """Who publishes it. Empty where the set does not say."""
    name: str
    description: str
    schema: dict[str, Any]
    unique_name: str
    """The name; where several tools of the set share it, the source goes before it."""
    qualified_name: str
    """The source and the name, as gateways write it for many servers, no two alike."""


@dataclass(frozen=True)
class Query:
    """A request with its answer."""

    id: str
    text: str
    relevant: frozenset[str]
    """Ids of all tools that it needs, at least one."""


@dataclass(frozen=True)
class Dataset:
    """A set, ready to be searched."""

    name: str
    """`NAME` or `NAME:SPLIT`."""
    tools: list[Tool]
    queries: list[Query]


def read(folder: Path, name: str, most: int) -> Dataset:
    """The set `NAME` or `NAME:SPLIT` below `folder` with at most `most` queries; 0 means all. Raises `DataError`."""
    place, _, split = name.partition(":")
    tools = _tools(folder / place / "tools.jsonl")
    path = folder / place / (f"queries.{split}.jsonl" if split else "queries.jsonl")
    half = HALVES.get(split) if not path.exists() else None
    if half is not None:
        path = folder / place / "queries.jsonl"
    queries = _queries(path, {tool.id for tool in tools})
    if half is not None:
        queries = [query for query in queries if hashlib.sha256(query.id.encode()).digest()[-1] % 2 == half]
    if 0 < most < len(queries):
        queries = [queries[i * len(queries) // most] for i in range(most)]
    if not queries:
        raise DataError(f"{path} has no query that needs a tool")
    return Dataset(name, tools, queries)


def _tools(path: Path) -> list[Tool]:
    lines = [line for _, line in _lines(path)]
    sources = [str(line.get("server") or "").strip() for line in lines]
    names = [str(line["name"]).strip() for line in lines]
    shared = Counter(names)
    full = [f"{source}_{name}" if source else name for source, name in zip(sources, names, strict=True)]
    unique = _distinct([whole if 1 < shared[name] else name for name, whole in zip(names, full, strict=True)])
    tools = [
        Tool(
            id=str(line["id"]),
            source=source,
            name=name,
            description=line.get("description") or "",
            schema=line.get("input_schema") or {},
            unique_name=one,
            qualified_name=other,
        )
        for line, source, name, one, other in zip(lines, sources, names, unique, _distinct(full), strict=True)
    ]
    twice = [id for id, count in Counter(tool.id for tool in tools).items() if 1 < count]
    if twice:
        raise DataError(f"{path}: id {twice[0]!r} stands twice")
    return tools


def _distinct(names: list[str]) -> list[str]:
    """The names, later ones of a kind numbered."""
    taken: set[str] = set()
    out = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        out.append(candidate)
    return out


def _queries(path: Path, ids: set[str]) -> list[Query]:
    queries = []
    for number, line in _lines(path):
        relevant = frozenset(map(str, line["relevant"]))
        if missing := relevant - ids:
            raise DataError(f"{path}, line {number}: relevant tool {sorted(missing)[0]!r} is not in tools.jsonl")
        if relevant:
            queries.append(Query(str(line["id"]), str(line["text"]), relevant))
    return queries


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every line with its number, as an object that has an `id`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise DataError(f"{path} cannot be read: {e.strerror}") from e
    # Not splitlines, which also splits at separators that JSON texts may hold as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as e:
            raise DataError(f"{path}, line {number}: is no JSON: {e}") from e
        wanted = ("id", "text", "relevant") if path.name.startswith("queries") else ("id", "name")
        if not isinstance(value, dict) or any(value.get(key) is None for key in wanted):
            raise DataError(f"{path}, line {number}: is no object with {', '.join(wanted)}")
        yield number, value
