"""Plausible values for a tool's parameters, told by name, type, enum, default and the examples of its description.

A parameter has a role, which says how a person works its value into a request: a place stands after "in", a name after
"called", an identifier beside the thing it identifies. What nobody states (cursor, api key, format) is silent.
"""

import re
from dataclasses import dataclass

from . import value_lists as v
from .roles import ENDINGS, FOLDER, MEANT, OPEN_NAMES, chain_address, role_of, sayable


@dataclass(frozen=True)
class Value:
    """`words` of the parameter's name, the `role` of its value, and the value as text."""

    words: str
    role: str
    text: str


_EXAMPLE = re.compile(
    r"(?:\be\.g\.?,?|\bfor example:?,?|\bsuch as|\bexamples?:)\s*[\"'`“]?([\w@./: +-]{2,28}?)[\"'`”]?(?=[,.;)]|"
    r"\s+or\b|\s+and\b|$)", re.I)
_CHAIN_TALK = re.compile(
    r"(?i)\b(token|wallet|blockchain|eth|ethereum|contract|transaction|erc|nft|smart chain|solana|bitcoin|bsv|"
    r"on-chain|crypto|starknet|sui|aptos|assembly|disassembl\w*|memory|debugger|binary|gdb|breakpoint)s?\b")
_SOFTWARE = re.compile(
    r"(?i)\b(npm|pypi|pip|package|code|docs|documentation|developer|software|framework|dependency|import)s?\b")
_JUNK = re.compile(
    r"(?i)^(string|none|null|true|false|undefined|test|default|value|name|text|all|rapid_?api|\W*|[a-f0-9-]{20,}|"
    r".*(key|token).*|.{33,})$")


def value_of(name, schema, rng, about=""):
    """A value for a parameter of a tool `about` something, or `None` where none would be said or we know none."""
    words, role, maker = role_of(name, schema)
    if words in OPEN_NAMES:
        told = str(schema.get("description") or "") if isinstance(schema, dict) else ""
        meant = next(((found, make) for text in (told, about) for pattern, found,
            make in MEANT if pattern.search(text)), None)
        if meant:
            role, maker = meant
    if role == "place" and words.endswith("address") and _CHAIN_TALK.search(about):
        role, maker = "ident", chain_address
    if role == "silent" or not sayable(words, role,
        f"{about} {schema.get('description') if isinstance(schema, dict) else ''}"):
        return None
    if words.split()[-1] == "library" and not _SOFTWARE.search(about):
        return None
    if role == "file" and maker is not FOLDER:
        kinds = [ending for pattern, ending in ENDINGS if re.search(pattern, f"{name} {about}", re.I)]
        maker = (lambda rng: f"{rng.choice(v.STEMS)}.{kinds[0]}") if kinds else maker
    given = _given(schema, rng)
    if given and (maker is None or rng.random() < 0.45) and role not in {"limit"}:
        if role == "period" and " " not in given or role == "unknown":
            role = "generic"
        return Value(words, role, given)
    if maker is None:
        return None
    return Value(words, role, maker(rng))


def _given(schema, rng):
    """A value that the schema itself shows."""
    if not isinstance(schema, dict):
        return None
    options = [str(option).replace("_", " ") for option in schema.get("enum") or [] if isinstance(option,
        str) and 1 < len(option) < 25]
    if options:
        return rng.choice(options)
    shown = [schema.get("default"), *(schema.get("examples") or [] if isinstance(schema.get("examples"), list) else [])]
    shown = [str(one).strip() for one in shown if isinstance(one, (str, int, float)) and not isinstance(one, bool)]
    shown += [found.strip() for found in _EXAMPLE.findall(str(schema.get("description") or ""))]
    shown = [one for one in shown if 1 <= len(one) <= 32 and not _JUNK.match(one) and one.isascii()
        and not ("_" in one and "/" not in one)]
    return rng.choice(shown) if shown else None
