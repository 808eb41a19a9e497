"""What must not enter training: the tools and requests that measure it.

Each rule is there because the plain one missed real copies: servers are republished under other owners, so the name and
the source is not enough; descriptions are reused under other names, so the name with the description is not either.
"""

import re
from collections import Counter, defaultdict

from .document import is_english
from .words import fold, jaccard, name_key, tokens

# Shorter descriptions ("Get user by ID") are equal by chance.
_MIN_WORDS = 5
_ALIKE = 0.7
_PLUMBING = frozenset(
    "mcp server servers service integration api tool tools model context protocol reference the".split())


class Leaks:
    """Rules against the tools and requests of evaluation sets."""

    def __init__(self, tools, queries, unseen=(), unseen_fields=()):
        """`unseen`: ids of tools whose requests are reported as unseen; `unseen_fields`: (set, field) likewise."""
        self._named = defaultdict(list)
        self._described = set()
        for tool in tools:
            self._named[name_key(tool.name)].append(tool)
            if len(fold(tool.description).split()) >= _MIN_WORDS:
                self._described.add(fold(tool.description))
        self._texts = {fold(query.text) for query in queries}
        self._unseen, self._fields = frozenset(unseen), frozenset(unseen_fields)

    def why_tool(self, tool):
        """The rule that keeps a tool out, or `None`."""
        if tool.id in self._unseen:
            return "asked for by a reported unseen request"
        if (tool.set, field_of(tool)) in self._fields:
            return "field that only reported unseen requests ask for"
        for other in self._named.get(name_key(tool.name), ()):
            if fold(tool.description) == fold(other.description):
                return "name and description of an evaluation tool"
            if sources(tool) & sources(other):
                return "name and source of an evaluation tool"
            if jaccard(tokens(tool.description), tokens(other.description)) >= _ALIKE:
                return "name and near description of an evaluation tool"
        if fold(tool.description) in self._described:
            return "description of an evaluation tool"
        return None

    def has_text(self, text):
        """Whether a request equals one of an evaluation set, whatever its capitals and marks."""
        return fold(text) in self._texts


def sources(tool):
    """What a tool's source is called, without the words that every server bears; empty where it has none."""
    names = [tool.server or "", (tool.server or "").rsplit("/", 1)[-1], tool.title or ""]
    found = set()
    for name in names:
        words = [word for word in re.findall(r"[a-z0-9]+", name.lower()) if word not in _PLUMBING]
        if words:
            found.add("".join(words))
    return found


def field_of(tool):
    """The field before the first slash of a source such as "Sports/Soccer"."""
    return (tool.server or "").split("/", 1)[0]


def unseen_of(tools, reported, others):
    """Ids that `reported` asks for, and the fields of which no request of `others` asks for a tool."""
    by_raw = {tool.raw_id: tool for tool in tools}
    ids = {by_raw[raw].id for query in reported for raw in query.relevant if raw in by_raw}
    seen = {field_of(by_raw[raw]) for query in others for raw in query.relevant if raw in by_raw}
    asked = {field_of(by_raw[raw]) for query in reported for raw in query.relevant if raw in by_raw}
    return ids, {(by_raw[next(iter(by_raw))].set, field) for field in asked - seen} if by_raw else set()


def keep(tools, leaks):
    """The tools that may train, and (set, rule) → how many may not."""
    kept, dropped = [], Counter()
    for tool in tools:
        why = leaks.why_tool(tool)
        if why:
            dropped[tool.set, why] += 1
        else:
            kept.append(tool)
    return kept, dropped


def usable(text):
    """Whether a labelled request is one that the model is for: English, and not a page long."""
    return is_english(text) and len(text.split()) <= 200
