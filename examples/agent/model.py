"""A stand-in for a language model: the same request gets the same answer, without a network.

It calls the tool whose name and description say the most words of the user's request, with arguments made from the tool's schema and from
what the request says. Tokens are counted by a rule of thumb, as a figure that stands for what a model's API would report.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
NAME = "stub-1"
# Deep enough for the schemas of tools that people write; one that refers to itself has no end.
_MOST_LEVELS = 5
# Bytes of JSON or English a token, near enough.
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Call:
    """A tool that the model wants called."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True)
class Completion:
    """What the model answers: a call, or words where it has no tool."""

    call: Call | None
    text: str
    input_tokens: int
    output_tokens: int

    @property
    def finish_reason(self) -> str:
        return "stop" if self.call is None else "tool_calls"


def complete(messages: list[Json], tools: list[Json]) -> Completion:
    """The answer to messages and tools as Chat Completions has them. The last message is the user's."""
    query = str(messages[-1]["content"])
    call, text = None, "I have no tool for that."
    if tools:
        function = _best(query, tools)
        schema: Json = function.get("parameters") or {}
        call = Call(f"call_{len(messages)}", function["name"], _value(schema, schema, query))
        text = ""
    said = json.dumps([call.name, call.arguments]) if call else text
    return Completion(call, text, _tokens(json.dumps([messages, tools])), _tokens(said))


def _best(query: str, tools: list[Json]) -> Json:
    wanted = _words(query)
    functions: list[Json] = [tool["function"] for tool in tools]
    # The first of equals: the router has put the likelier one first.
    return max(functions, key=lambda function: len(wanted & _words(f"{function['name']} {function.get('description', '')}")))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def _value(schema: Json, root: Json, query: str, level: int = 0) -> Any:
    """Something that the schema takes, from the request where that says it: required members only."""
    if "$ref" in schema:
        named: Json = {**root.get("definitions", {}), **root.get("$defs", {})}
        schema = named.get(str(schema["$ref"]).rpartition("/")[2], {})
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        said = _words(query)
        return next((choice for choice in schema["enum"] if str(choice).lower() in said), schema["enum"][0])
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _value(schema[key][0], root, query, level + 1)
    kind = schema.get("type", "object" if "properties" in schema or level == 0 else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        members = schema.get("required", []) if level < _MOST_LEVELS else []
        return {name: _value(schema.get("properties", {}).get(name, {}), root, query, level + 1) for name in members}
    if kind == "array":
        return [_value(schema.get("items", {}), root, query, level + 1)] if level < _MOST_LEVELS else []
    if kind in ("integer", "number"):
        return _number(schema, kind, query)
    if kind in ("boolean", "null"):
        return True if kind == "boolean" else None
    # Names of places and people are written with a capital; the first word of a sentence is as well.
    names = re.findall(r"(?<!^)\b[A-Z][a-z]+", query)
    return names[-1] if names else str(schema.get("default", "example"))


def _number(schema: Json, kind: str, query: str) -> float:
    said = re.search(r"\d+(?:\.\d+)?", query)
    wanted = float(said[0]) if said else float(schema.get("default", 1))
    wanted = max(wanted, float(schema.get("minimum", wanted)))
    wanted = min(wanted, float(schema.get("maximum", wanted)))
    return int(wanted) if kind == "integer" else wanted
