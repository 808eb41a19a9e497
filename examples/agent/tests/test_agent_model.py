"""The stub model: the same request, the same call, and arguments that the tool's schema takes."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

import model
import tools

Json = dict[str, Any]


def offered(*definitions: Json) -> list[Json]:
    """Tools as Chat Completions has them."""
    return [
        {
            "type": "function",
            "function": {"name": one["name"], "description": one.get("description", ""), "parameters": one.get("inputSchema", {})},
        }
        for one in definitions
    ]


def asked(query: str, *definitions: Json) -> model.Completion:
    return model.complete([{"role": "user", "content": query}], offered(*definitions))


def arguments(schema: Json, query: str = "do it") -> Any:
    call = asked(query, {"name": "tool", "inputSchema": schema}).call
    assert call is not None
    jsonschema.validate(call.arguments, schema)
    return call.arguments


def test_the_tool_that_says_the_words_of_the_request_is_called() -> None:
    for query, name, expected in (
        ("will it rain in Oslo over the next 3 days", "get-forecast", {"place": "Oslo", "days": 3}),
        ("how many miles are 42 kilometres", "convert_length", {"value": 42.0, "from": "kilometres", "to": "miles"}),
    ):
        for order in ((tools.FORECAST, tools.CONVERT), (tools.CONVERT, tools.FORECAST)):
            answer = asked(query, *order)
            assert answer.call is not None
            assert (answer.call.name, answer.call.arguments) == (name, expected)


def test_of_two_as_good_the_first_is_called() -> None:
    call = asked("anything", {"name": "b"}, {"name": "a"}).call
    assert call is not None and call.name == "b"


def test_the_same_request_gets_the_same_answer() -> None:
    query = "how many miles are 42 kilometres"
    assert asked(query, tools.CONVERT) == asked(query, tools.CONVERT)


def test_without_tools_it_answers_in_words() -> None:
    answer = asked("hello there")
    assert (answer.call, answer.text, answer.finish_reason) == (None, "I have no tool for that.", "stop")
    assert answer.output_tokens == 6


def test_tokens_grow_with_what_is_read() -> None:
    few, many = asked("rain", tools.FORECAST), asked("rain", tools.FORECAST, tools.CONVERT)
    assert 0 < few.input_tokens < many.input_tokens
    assert few.output_tokens > 0 and few.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, {}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
        ({"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]}, {"a": "example"}),
        ({"type": "object", "properties": {"a": {"const": 7}}, "required": ["a"]}, {"a": 7}),
        ({"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}}, "required": ["a"]}, {"a": 5}),
        (
            {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "null"}}, "required": ["a", "b"]},
            {"a": True, "b": None},
        ),
        ({"type": "object", "properties": {"a": {"type": "array", "items": {"enum": ["x", "y"]}}}, "required": ["a"]}, {"a": ["x"]}),
        ({"type": "object", "properties": {"a": {"anyOf": [{"type": "number"}, {"type": "string"}]}}, "required": ["a"]}, {"a": 1.0}),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "required": ["a"], "$defs": {"b": {"enum": [3]}}}, {"a": 3}),
    ],
)
def test_arguments_come_from_the_schema(schema: Json, expected: Json) -> None:
    assert arguments(schema) == expected


def test_what_the_request_says_is_preferred() -> None:
    schema = {
        "type": "object",
        "properties": {
            "unit": {"enum": ["metres", "miles"]},
            "count": {"type": "integer", "maximum": 10},
            "town": {"type": "string"},
        },
        "required": ["unit", "count", "town"],
    }
    assert arguments(schema, "Walk 300 miles to Bergen") == {"unit": "miles", "count": 10, "town": "Bergen"}


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    call = asked("do it", {"name": "tool", "inputSchema": {**node, "$defs": {"node": node}}}).call
    assert call is not None and call.arguments["next"]["next"]["next"]
