"""The name of a tool: a source and a name within it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ._proto.toolrouter.v1 import tool_pb2
from .errors import invalid


class ToolRef(NamedTuple):
    """Names one tool. Two fields, because source names contain `/`."""

    source: str
    tool: str

    @classmethod
    def parse(cls, text: str) -> ToolRef:
        """Reads `source/tool`, with `%2F` for a `/` inside one of them, as the command line takes it."""
        source, slash, tool = text.partition("/")
        if not slash:
            raise invalid("tool", f"{text!r} is not of the form source/tool")
        return cls(_decoded(source), _decoded(tool))

    def __str__(self) -> str:
        return f"{_encoded(self.source)}/{_encoded(self.tool)}"


RefLike = ToolRef | tuple[str, str] | str
"""A `ToolRef`, a pair of source and name, or `source/tool` as text."""


def messages(field: str, refs: Iterable[RefLike]) -> list[tool_pb2.ToolRef]:
    """The references as the contract has them; `field` is what errors call the list."""
    if isinstance(refs, str):
        raise invalid(field, f"is the text {refs!r}, not a list: give [{refs!r}]")
    if isinstance(refs, ToolRef):
        raise invalid(field, f"is one tool, {refs}, not a list: give [ToolRef(...)]")
    return [message(f"{field}[{i}]", ref) for i, ref in enumerate(refs)]


def message(field: str, ref: RefLike) -> tool_pb2.ToolRef:
    """The reference as the contract has it."""
    if isinstance(ref, str):
        if "/" not in ref:
            raise invalid(field, f"is {ref!r}, which is not of the form source/tool")
        ref = ToolRef.parse(ref)
    if not (isinstance(ref, tuple) and len(ref) == 2 and all(isinstance(part, str) for part in ref)):
        raise invalid(field, f"is {ref!r}: give a ToolRef, a pair (source, tool) or the text 'source/tool'")
    return tool_pb2.ToolRef(source=ref[0], tool=ref[1])


def _decoded(part: str) -> str:
    return part.replace("%2F", "/").replace("%25", "%")


def _encoded(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")
