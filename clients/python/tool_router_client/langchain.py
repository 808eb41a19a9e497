"""A selection as LangChain tools, for a `ToolNode`, an agent or a chain. Needs the `langchain` extra.

To send a model exactly what was counted, bind `selection.openai_tools()` to it and run the calls with these: LangChain writes schemas anew
from its tools, without titles and with references spelt out, which may take more tokens than the cap.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from langchain_core.tools import StructuredTool

from .definition import JsonObject
from .selection import SelectedTool, Selection

ToolCall = Callable[[str, str, JsonObject], Any]
"""Runs a tool: source, name within it, arguments. What it returns, or what its awaitable gives, is the tool's answer."""


def to_langchain(selection: Selection, call: ToolCall) -> list[StructuredTool]:
    """One tool for each of the selection, in its order. A `call` that is `async` makes tools for `ainvoke` only."""
    return [_tool(selected, call) for selected in selection.tools]


class _RoutedTool(StructuredTool):
    """Hands the arguments on as they are.

    LangChain passes `config` and `run_manager` to a tool among its arguments, and replaces arguments of these names. A publisher may well
    call an argument `config`, so this tool does not ask for them.
    """

    def _run(self, /, **arguments: Any) -> Any:  # type: ignore[override]  # narrower on purpose, see above
        if self.func is None:
            raise NotImplementedError(f"{self.name} runs asynchronously only: use ainvoke")
        return self.func(arguments)

    async def _arun(self, /, **arguments: Any) -> Any:  # type: ignore[override]  # narrower on purpose, see above
        if self.coroutine is None:
            raise NotImplementedError(f"{self.name} runs synchronously only: use invoke")
        return await self.coroutine(arguments)


def _tool(selected: SelectedTool, call: ToolCall) -> StructuredTool:
    description, schema = _described(selected.definition)

    def run(arguments: JsonObject) -> Any:
        return call(selected.source, selected.tool, arguments)

    async def run_async(arguments: JsonObject) -> Any:
        answer = run(arguments)
        return await answer if inspect.isawaitable(answer) else answer

    is_async = _is_async(call)
    return _RoutedTool(
        name=selected.model_name,
        description=description,
        args_schema=schema,
        func=None if is_async else run,
        # Without it, LangChain runs `func` in a thread, which is right for code that blocks.
        coroutine=run_async if is_async else None,
    )


def _is_async(call: ToolCall) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def _described(definition: JsonObject) -> tuple[str, JsonObject]:
    """Description and argument schema of an entry in any of the formats."""
    body: JsonObject = definition.get("function", definition)
    schema: JsonObject = {"type": "object", "properties": {}}
    for key in ("parameters", "input_schema", "inputSchema", "parametersJsonSchema"):
        schema |= body.get(key) or {}
    return str(body.get("description", "")), schema
