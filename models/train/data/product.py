"""The product behind a tool, as a person would name it: "Create a project" says too little, "… in Linear" enough."""

import re

from .words import split

_PLUMBING = frozenset(
    "mcp server servers integration integrations api apis tool tools service services client connector model context "
    "protocol "
                      "reference bridge wrapper template starter demo test project sdk plugin unofficial official v1 "
                      "v2 v3 rapidapi the free "
                      "cloud platform access data app proxy interface kit manager openapi basic all live "
                      "complete".split())
_TOO_PLAIN = frozenset(
    "weather fetch search calculate calculator time datetime chat news time file files log system web browser "
    "automation geo image audio "
                       "random shell task tasks memory think thinking crypto price market stock currency food music "
                       "movie movies games utilities "
                       "converter translate translation email sms football soccer sports covid tracker generator "
                       "lookup database".split())


def product(tool):
    """One to three words that name the product, or `None` where the source is only a field or a description."""
    name = tool.title or tool.server
    if not name or tool.set in {"seal-tools", "bfcl-nonlive"}:
        return None
    if tool.title is None and "/" in name:
        name = name.rsplit("/", 1)[-1]
    words = [word for word in re.split(r"[\s_/|.-]+", re.sub(r"\(.*?\)", "", name)) if word]
    words = [word for word in words if word.lower() not in _PLUMBING and not re.fullmatch(r"v?\d+", word.lower())]
    if not 1 <= len(words) <= (3 if tool.set == "toolbench-stable" else 2) or not all(re.fullmatch(r"[A-Za-z][\w&'+-]*",
        word) for word in words):
        return None
    if all(word.lower() in _TOO_PLAIN for word in words) or len("".join(words)) < 3:
        return None
    return " ".join(word if any(letter.isupper() for letter in word) else word.capitalize() for word in words)


def mentions(text, name):
    """Whether a text already names the product."""
    return bool(set(split(name).lower().split()) & set(split(text).lower().split()))
