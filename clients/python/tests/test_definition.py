from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Tool

from tool_router_client import InvalidRequest, ToolDefinition, ToolLike
from tool_router_client.definition import definitions

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string", "default": None}}, "required": ["to"]}
SCHEMA_TEXT = '{"type":"object","properties":{"to":{"type":"string","default":null}},"required":["to"]}'


def one(tool: ToolLike) -> ToolDefinition:
    (definition,) = definitions("tools", [tool])
    return definition


@pytest.mark.parametrize(
    "tool",
    [
        {"name": "send", "description": "Send mail", "inputSchema": SCHEMA},
        {"name": "send", "description": "Send mail", "input_schema": SCHEMA},
        {"type": "function", "name": "send", "description": "Send mail", "parameters": SCHEMA},
        {"type": "function", "function": {"name": "send", "description": "Send mail", "parameters": SCHEMA}},
        {"name": "send", "description": "Send mail", "inputSchema": SCHEMA, "server": "elsewhere", "title": None},
        Tool(name="send", description="Send mail", input_schema=SCHEMA),
        ToolDefinition(name="send", description="Send mail", input_schema_json=SCHEMA_TEXT),
    ],
    ids=["mcp", "anthropic", "openai responses", "openai chat", "with a source", "mcp sdk", "message"],
)
def test_every_shape_is_the_same_tool(tool: ToolLike) -> None:
    assert one(tool) == ToolDefinition(name="send", description="Send mail", input_schema_json=SCHEMA_TEXT)


def test_what_the_router_has_no_word_for_goes_along() -> None:
    tool = {
        "type": "function",
        "strict": False,
        "function": {
            "name": "send",
            "strict": True,
            "annotations": {"readOnlyHint": False},
            "outputSchema": {"type": "object"},
            "domain": "mail",
            "tags": ["a", "b"],
            "examples": [{"to": "x"}],
        },
    }
    definition = one(tool)
    assert json.loads(definition.extra_json) == {"strict": True, "examples": [{"to": "x"}]}
    assert definition.annotations_json == '{"readOnlyHint":false}'
    assert definition.output_schema_json == '{"type":"object"}'
    assert (definition.domain, list(definition.tags), list(definition.examples)) == ("mail", ["a", "b"], [])
    assert definition.input_schema_json == '{"type":"object","properties":{}}'
    assert not definition.HasField("title")


def test_texts_and_numbers_survive() -> None:
    schema = {"type": "object", "properties": {"ü": {"maximum": 12345678901234567890, "multipleOf": 0.1}}}
    text = one({"name": "n", "inputSchema": schema}).input_schema_json
    assert text == '{"type":"object","properties":{"ü":{"maximum":12345678901234567890,"multipleOf":0.1}}}'


def test_every_wrong_tool_is_named() -> None:
    cyclic: dict[str, Any] = {}
    cyclic["a"] = cyclic
    tools: Any = [
        {"name": "good"},
        {"description": "no name"},
        {"name": 7},
        {"name": "x", "inputSchema": "text"},
        {"name": "x", "inputSchema": {}, "parameters": {}},
        {"name": "x", "inputSchema": {"enum": {1, 2}}},
        {"name": "x", "inputSchema": cyclic},
        {"name": "x", "inputSchema": {"maximum": float("inf")}},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "function", "function": {"name": "x", "parameters": []}},
        {"function": "x"},
        "send",
        {"name": "half \ud800"},
    ]
    with pytest.raises(InvalidRequest) as caught:
        definitions("tools", tools)
    assert [violation.field for violation in caught.value.violations] == [
        "tools[1].name",
        "tools[2].name",
        "tools[3].inputSchema",
        "tools[4].parameters",
        "tools[5].inputSchema",
        "tools[6].inputSchema",
        "tools[7].inputSchema",
        "tools[8]",
        "tools[9].function.parameters",
        "tools[10].function",
        "tools[11]",
        "tools[12]",
    ]
    lines = str(caught.value).splitlines()
    assert lines[2] == "  tools[2].name: is 7, not a string"
    assert "leave it out" in lines[8]


@pytest.mark.parametrize("tools", [{"name": "send"}, "send", 7, ToolDefinition(name="send")])
def test_one_tool_is_no_list(tools: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"tools: .*one tool goes as \[tool\]"):
        definitions("tools", tools)
