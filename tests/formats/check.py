"""Parses tool lists with the official SDKs' own types, offline: what each type refuses, its API would.

Reads one JSON object per line from standard input, {"name", "format", "tools"}, and prints what is wrong. Extra members
are wrong too, where the types leave them be: an API refuses a member that it does not know.
"""

from __future__ import annotations

import json
import sys
import typing
from collections.abc import Callable
from typing import Any

from anthropic.types import ToolParam, ToolReferenceBlockParam
from google.genai import types as gemini
from mcp.types import ListToolsResult
from openai.types.chat import ChatCompletionToolParam
from openai.types.responses import FunctionToolParam
from openai.types.shared_params import FunctionDefinition
from pydantic import TypeAdapter

Tools = list[dict[str, Any]]


def only_members_of(kind: Any, value: dict[str, Any]) -> None:
    extra = set(value) - set(typing.get_type_hints(kind))
    assert not extra, f"{kind.__name__} has no {sorted(extra)}"


def openai_chat(tools: Tools) -> None:
    for tool in tools:
        TypeAdapter(ChatCompletionToolParam).validate_python(tool)
        only_members_of(ChatCompletionToolParam, tool)
        only_members_of(FunctionDefinition, tool["function"])


def openai_responses(tools: Tools) -> None:
    for tool in tools:
        TypeAdapter(FunctionToolParam).validate_python(tool)
        only_members_of(FunctionToolParam, tool)


def anthropic(tools: Tools) -> None:
    for tool in tools:
        TypeAdapter(ToolParam).validate_python(tool)
        only_members_of(ToolParam, tool)


def anthropic_references(tools: Tools) -> None:
    for tool in tools:
        TypeAdapter(ToolReferenceBlockParam).validate_python(tool)
        only_members_of(ToolReferenceBlockParam, tool)


def mcp(tools: Tools) -> None:
    ListToolsResult.model_validate({"tools": tools})


def gemini_(tools: Tools) -> None:
    tool = gemini.Tool.model_validate({"functionDeclarations": tools})
    assert len(tool.function_declarations or []) == len(tools)
    for declaration in tool.function_declarations or []:
        assert not (declaration.parameters and declaration.parameters_json_schema), "has parameters twice"
        assert set(declaration.model_extra or {}) == set(), declaration.model_extra


CHECKS: dict[str, Callable[[Tools], None]] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic": anthropic,
    "anthropic_references": anthropic_references,
    "mcp": mcp,
    "gemini": gemini_,
}


def main() -> None:
    wrong = lists = tools = 0
    for line in sys.stdin:
        case = json.loads(line)
        lists += 1
        tools += len(case["tools"])
        try:
            CHECKS[case["format"]](case["tools"])
        except Exception as e:  # noqa: BLE001 - each SDK has errors of its own, and every one is a finding
            wrong += 1
            print(f"{case['name']}: {type(e).__name__}: {e}")
    print(f"{lists} lists of {tools} tools, {wrong} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
