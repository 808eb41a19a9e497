"""The one text per tool that plain cosine goes by, and the words that plain BM25 goes by. Standard library only.

Also what the peers get whose callers write the text themselves: nothing simpler does better with a small model.
"""

from __future__ import annotations

import re

from data import Tool

STOP_WORDS = frozenset(
    "a an the of to for in on and or is are was be with by from at as it this that i my me you your we our can could would will please do "
    "does how what which".split()
)
MOST_CHARACTERS = 1_500


def split(identifier: str) -> str:
    """An identifier as words."""
    plain = re.sub(r"[_\-./]", " ", identifier)
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+", plain))


def whole(tool: Tool) -> str:
    """`source name: description`, identifiers as words."""
    label = f"{split(tool.source)} {split(tool.name)}".strip()
    return f"{label}: {tool.description}"[:MOST_CHARACTERS]


def terms(text: str) -> list[str]:
    """Lower-case words without stop words and plural s; where no blanks part words (CJK, Hangul), pairs of characters."""
    out: list[str] = []
    for word in re.findall(r"[^\W_]+", split(text).lower()):
        if re.match(r"[\u3040-\u9fff\uac00-\ud7a3]", word):
            out += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        elif word not in STOP_WORDS:
            out.append(word[:-1] if word.endswith("s") and 3 < len(word) and not word.endswith("ss") else word)
    return out
