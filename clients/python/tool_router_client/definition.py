"""Tools as people have them, as the contract wants them.

Told apart by what is in them, as `tool-router import` does, so that the same list registers as the same tools either way: OpenAI wraps a
definition in `function` or calls its schema `parameters`, Anthropic calls it `input_schema`, MCP `inputSchema`. Fields that the router has
no word for go along in `extra_json` and come back untouched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from ._proto.toolrouter.v1.tool_pb2 import ToolDefinition
from .errors import InvalidRequest, Violation

JsonObject = dict[str, Any]
"""A JSON object as `json.loads` gives it."""


@runtime_checkable
class PydanticModel(Protocol):
    """What the MCP SDK's `Tool` is."""

    def model_dump(self, *, mode: str, by_alias: bool, exclude_unset: bool) -> JsonObject: ...


ToolLike = Mapping[str, Any] | ToolDefinition | PydanticModel
"""A tool of MCP, OpenAI or Anthropic as a dict, the MCP SDK's `Tool`, or the contract's own message."""

_SCHEMA_KEYS = ("inputSchema", "input_schema", "parameters")
# OpenAI leaves the schema out for functions without parameters.
_NO_ARGUMENTS = '{"type":"object","properties":{}}'
# Characters of a wrong value that an error shows.
_MOST_SHOWN = 80


class _Wrong(Exception):
    """What is wrong with a field of the tool that is being read."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(field, description)
        self.field, self.description = field, description


def definitions(field: str, tools: Iterable[ToolLike]) -> list[ToolDefinition]:
    """Raises `InvalidRequest` with every wrong tool of the list, which errors call `field`."""
    if isinstance(tools, (str, Mapping, ToolDefinition)) or not isinstance(tools, Iterable):
        description = f"is {_shown(tools)}, not a list of tools: one tool goes as [tool]"
        raise InvalidRequest("INVALID_ARGUMENT", f"{field}: {description}", [Violation(field, description)])
    read, wrong = [], []
    for i, tool in enumerate(tools):
        try:
            read.append(definition(tool))
        except _Wrong as e:
            name = f"{field}[{i}]" + (f".{e.field}" if e.field else "")
            wrong.append(Violation(name, e.description))
    if wrong:
        lines = "".join(f"\n  {violation.field}: {violation.description}" for violation in wrong)
        raise InvalidRequest("INVALID_ARGUMENT", f"these tools cannot be sent:{lines}", wrong)
    return read


def definition(tool: ToolLike) -> ToolDefinition:
    """Raises `_Wrong`, which only `definitions` catches: it knows where the tool stands."""
    if isinstance(tool, ToolDefinition):
        return tool
    if isinstance(tool, PydanticModel):
        # Unset fields stay out: what the server sent is what is registered.
        tool = tool.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if not isinstance(tool, Mapping):
        raise _Wrong("", f"is {_shown(tool)}, not a tool: give a dict as MCP, OpenAI or Anthropic have it")
    outer: JsonObject = dict(tool)
    _refuse_other_tools(outer)
    # The source is named beside the tools.
    for key in ("server", "source"):
        if isinstance(outer.get(key, ...), (str, type(None))):
            outer.pop(key, None)
    if outer.get("type") == "function":
        del outer["type"]
    function = outer.pop("function", None)
    if function is None:
        return _Fields("", outer).read(wrapper={})
    if not isinstance(function, Mapping):
        raise _Wrong("function", f"is {_shown(function)}, not an object")
    return _Fields("function.", dict(function)).read(wrapper=outer)


def _refuse_other_tools(tool: JsonObject) -> None:
    kind = tool.get("type")
    has_schema = any(key in tool for key in (*_SCHEMA_KEYS, "function"))
    if isinstance(kind, str) and kind != "function" and not has_schema:
        raise _Wrong("", f"is a tool of type {kind!r}, which the model's provider runs, not a function with a schema: leave it out")


class _Fields:
    """Members of a definition that nobody has asked for yet."""

    def __init__(self, prefix: str, members: JsonObject) -> None:
        self.prefix, self.members = prefix, members

    def read(self, wrapper: JsonObject) -> ToolDefinition:
        if self.members.get("name") is None:
            raise self.wrong("name", "is missing")
        fields: JsonObject = {
            "name": self.text("name"),
            "title": self.text("title"),
            "description": self.text("description"),
            "input_schema_json": self.input_schema(),
            "output_schema_json": self.document("outputSchema", "output_schema"),
            "annotations_json": self.document("annotations"),
            "domain": self.label("domain"),
            "tags": self.labels("tags"),
            "examples": self.labels("examples"),
        }
        rest = {**self.members, **{key: value for key, value in wrapper.items() if key not in self.members}}
        if rest:
            fields["extra_json"] = self.json("extra fields", rest)
        try:
            return ToolDefinition(**{key: value for key, value in fields.items() if value is not None})
        except ValueError as e:  # half of a surrogate pair, which Python's texts can hold and UTF-8 cannot
            raise _Wrong("", f"cannot be sent as text: {e}") from e

    def wrong(self, key: str, description: str) -> _Wrong:
        return _Wrong(f"{self.prefix}{key}", description)

    def text(self, key: str) -> str | None:
        value = self.members.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, f"is {_shown(value)}, not a string")
        return value

    def input_schema(self) -> str:
        given = [key for key in _SCHEMA_KEYS if key in self.members]
        if 1 < len(given):
            raise self.wrong(given[1], f"stands beside {given[0]}; keep one")
        return self.document(*given) or _NO_ARGUMENTS

    def document(self, *keys: str) -> str | None:
        for key in keys:
            value = self.members.pop(key, None)
            if value is None:
                continue
            if not isinstance(value, Mapping):
                raise self.wrong(key, f"is {_shown(value)}, not an object")
            return self.json(key, value)
        return None

    def json(self, key: str, value: Mapping[str, Any]) -> str:
        try:
            return json.dumps(dict(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as e:
            raise self.wrong(key, f"cannot be written as JSON: {e}") from e

    def label(self, key: str) -> str | None:
        """A word of the router's; of another type it is the publisher's own field and stays."""
        value = self.members.get(key)
        return self.members.pop(key) if isinstance(value, str) else None

    def labels(self, key: str) -> list[str] | None:
        value = self.members.get(key)
        is_ours = isinstance(value, (list, tuple)) and all(isinstance(element, str) for element in value)
        return list(self.members.pop(key)) if is_ours else None


def _shown(value: object) -> str:
    """The value, for an error: long ones cut, since a whole schema may be at the wrong place."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
