from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt import ToolNode, create_react_agent

from langgraph_agent import FakeChatModel
from tool_router_client import Format, Selection
from tool_router_client._proto.toolrouter.v1 import router_pb2
from tool_router_client.langchain import to_langchain
from tool_router_client.selection import selection

DEFINITIONS: dict[Format, str] = {
    "openai_chat": '{"type":"function","function":{"name":"send","description":"Send mail","parameters":%s}}',
    "anthropic": '{"name":"send","description":"Send mail","input_schema":%s}',
    "mcp": '{"name":"send","description":"Send mail","inputSchema":%s}',
    "openai_responses": '{"type":"function","name":"send","description":"Send mail","parameters":%s,"strict":false}',
    "gemini": '{"name":"send","description":"Send mail","parametersJsonSchema":%s}',
}
SCHEMA = '{"type":"object","properties":{"to":{"type":"string"},"config":{"type":"string"}},"required":["to"]}'
ARGUMENTS = {"to": "ann", "config": "plain", "run_manager": "me", "self": "x", "callbacks": "y"}


def made(format: Format, schema: str = SCHEMA) -> Selection:
    tool = router_pb2.SelectedTool(source="mail", tool="send!", model_name="send", definition_json=DEFINITIONS[format] % schema)
    return selection(router_pb2.SelectToolsResponse(tools=[tool]), format)


def call(source: str, tool: str, arguments: dict[str, Any]) -> str:
    return f"{source} {tool} {arguments}"


async def call_async(source: str, tool: str, arguments: dict[str, Any]) -> str:
    return call(source, tool, arguments)


@pytest.mark.parametrize("format", DEFINITIONS)
def test_a_tool_of_any_format_is_called_with_its_own_name_and_arguments(format: Format) -> None:
    (tool,) = to_langchain(made(format), call)
    assert (tool.name, tool.description) == ("send", "Send mail")
    assert list(tool.args) == ["to", "config"]
    assert tool.invoke(ARGUMENTS) == f"mail send! {ARGUMENTS}"
    assert asyncio.run(tool.ainvoke(ARGUMENTS)) == f"mail send! {ARGUMENTS}"


class Runner:
    async def __call__(self, source: str, tool: str, arguments: dict[str, Any]) -> str:
        return call(source, tool, arguments)


@pytest.mark.parametrize("run", [call_async, functools.partial(call_async), Runner()], ids=["function", "partial", "object"])
def test_an_async_call_makes_async_tools(run: Any) -> None:
    (tool,) = to_langchain(made("mcp"), run)
    assert asyncio.run(tool.ainvoke(ARGUMENTS)) == f"mail send! {ARGUMENTS}"
    with pytest.raises(NotImplementedError, match="send runs asynchronously only"):
        tool.invoke(ARGUMENTS)


def test_a_schema_without_properties() -> None:
    (tool,) = to_langchain(made("mcp", "{}"), call)
    assert tool.args == {}
    assert tool.invoke({}) == "mail send! {}"


def test_what_langchain_writes_anew_is_the_same_tool() -> None:
    (tool,) = to_langchain(made("anthropic"), call)
    assert convert_to_openai_tool(tool) == convert_to_openai_tool(made("anthropic").tools[0].definition)


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_langgraph_runs_them() -> None:
    agent = create_react_agent(FakeChatModel(), ToolNode(to_langchain(made("openai_chat"), call)))
    end = agent.invoke({"messages": [HumanMessage("mail ann")]})
    assert [message.type for message in end["messages"]] == ["human", "ai", "tool", "ai"]
    assert isinstance(end["messages"][1], AIMessage)
    assert end["messages"][2].content == "mail send! {'to': 'example'}"
