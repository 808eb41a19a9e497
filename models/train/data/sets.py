"""Which public sets may train, under which licence, and how their files read.

A set is here only if its licence allows training and its report is declared in-domain, or it never is reported. The
sets in `NEVER` measure what training is worth on tools it hasn't seen: nothing of them may enter.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One set: where its labelled requests are, and its licence (`None`: each tool names its own)."""

    name: str
    license: str | None
    labelled: tuple[str, ...] = ()
    hold_back: float = 0.0


SOURCES = (
    Source("mcp-pool", None),
    Source("metatool", "MIT", ("queries.train.jsonl",), hold_back=0.05),
    Source("seal-tools", "Apache-2.0", ("queries.dev.jsonl",), hold_back=0.10),
    Source("toolret-apigen", "CC-BY-4.0", ("queries.jsonl",)),
    Source("toolbench-stable", "Apache-2.0", ("queries.jsonl",)),
    Source("bfcl-nonlive", "Apache-2.0", ("queries.jsonl",)),
)
# Sets of which neither tools nor requests may enter.
NEVER = ("livemcpbench", "azure-mcp", "mcp-bench", "restbench", "functionchat-ko", "toolret-toolink")
# Of one of them a half is for choosing among models and for the router's weights; the other is reported.
SELECTION = "livemcpbench"
# Requests of sets whose tools may enter: reported, so they stay out.
REPORTED = {
    "metatool": ("queries.test.jsonl", "queries.multi.jsonl", "queries.notool.jsonl"),
    "seal-tools": ("queries.test_in_domain.jsonl", "queries.test_out_domain.jsonl"),
    "bfcl-nonlive": ("queries.irrelevance.jsonl",),
}
# A reported set of seal-tools whose tools, unlike those of the others, may not enter either.
UNSEEN_TOOLS = ("seal-tools", "queries.test_out_domain.jsonl", ("queries.dev.jsonl", "queries.test_in_domain.jsonl"))
PERMISSIVE = frozenset({"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "Unlicense", "CC0-1.0",
    "CC-BY-4.0"})
OWN = "catalog"
OWN_LICENSE = "own"
OWN_HOLD_BACK = 0.10


class BadInput(Exception):
    """Something the person who runs this has to mend; the message says where and how."""


@dataclass
class Tool:
    """A tool with the id that it has in the output. `server` is `None` where the set names no source."""

    id: str
    name: str
    description: str
    schema: dict
    server: str | None
    set: str
    license: str
    raw_id: str
    title: str | None = None
    copies: list[str] = field(default_factory=list)

    @property
    def group(self):
        """What counts as one source: the server, or the whole set where tools name none."""
        return (self.set, self.server)


@dataclass(frozen=True)
class Query:
    """A labelled request; `relevant` are the ids that its file uses."""

    id: str
    text: str
    relevant: tuple[str, ...]
    set: str


def lines(path):
    """(line number, object) of a JSON Lines file; blank lines are passed over."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; name the file, or put it there") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(
                f"{path}:{number}: not JSON ({error.msg}, column {error.colno}); one object a line") from None
        if not isinstance(entry, dict):
            raise BadInput(f"{path}:{number}: is a {type(entry).__name__}, not an object; one object a line")
        yield number, entry


def _field(entry, name, kind, where, default=None):
    value = entry.get(name, default)
    if not isinstance(value, kind):
        expected = {str: "a string", list: "a list", dict: "an object"}[kind]
        raise BadInput(
            f"{where}: field `{name}` is {'missing' if name not in entry else type(value).__name__}; it has to be "
            f"{expected}")
    return value


def read_tools(path, name, license_name):
    """The tools of one file. Ids get the set's name in front, so that two sets cannot clash."""
    found, seen = [], {}
    for number, entry in lines(path):
        where = f"{path}:{number}"
        tool_name = _field(entry, "name", str, where)
        server = entry.get("server") or None
        if server is not None and not isinstance(server, str):
            raise BadInput(f"{where}: field `server` is {type(server).__name__}; it has to be a string or null")
        raw_id = _field(entry, "id", str, where, default=f"{server}/{tool_name}" if server else tool_name)
        if not tool_name.strip() or not raw_id.strip():
            raise BadInput(f"{where}: field `{'id' if tool_name.strip() else 'name'}` is blank; give it a value")
        if raw_id in seen:
            raise BadInput(f"{where}: field `id` {raw_id!r} is also that of line {seen[raw_id]}; make ids unique")
        seen[raw_id] = number
        schema = entry.get("input_schema") or entry.get("inputSchema") or {}
        if not isinstance(schema, dict):
            raise BadInput(f"{where}: field `input_schema` is {type(schema).__name__}; it has to be an object")
        description = entry.get("description")
        if description is not None and not isinstance(description, str):
            raise BadInput(
                f"{where}: field `description` is {type(description).__name__}; it has to be a string or null")
        license_of = license_name or entry.get("x_license")
        if not license_of:
            raise BadInput(f"{where}: field `x_license` is missing; a tool of this set has to name its licence")
        found.append(Tool(f"{name}/{raw_id}", tool_name, description or "", schema, server, name, license_of, raw_id,
                          entry.get("x_server_name")))
    return found


def read_queries(path, name):
    """The labelled requests of one file; the text may stand under `text` or `query`."""
    found = []
    for number, entry in lines(path):
        where = f"{path}:{number}"
        key = "text" if "text" in entry else "query"
        text = _field(entry, key, str, where)
        if not text.strip():
            raise BadInput(f"{where}: field `{key}` is blank; remove the line or give it a text")
        relevant = _field(entry, "relevant", list, where)
        for tool_id in relevant:
            if not isinstance(tool_id, str):
                raise BadInput(f"{where}: field `relevant` holds {tool_id!r}; it has to hold tool ids as strings")
        found.append(Query(str(entry.get("id", f"line-{number}")), text.strip(), tuple(dict.fromkeys(relevant)), name))
    return found


def missing(folder):
    """Sets that the folder should have and hasn't: (name, file)."""
    wanted = [(source.name, ("tools.jsonl", *source.labelled, *REPORTED.get(source.name, ()))) for source in SOURCES]
    wanted += [(name, ("tools.jsonl", "queries.jsonl")) for name in NEVER]
    return [(name, file) for name, files in wanted for file in files if not (Path(folder) / name / file).is_file()]
