"""A LangGraph agent whose model is given the router's selection, another one each turn.

    tool-router serve --store router.db
    tool-router import file examples/catalogue/*.json
    python clients/python/examples/langgraph_agent.py "what is on my calendar tomorrow"

The model is a fake one, so this runs offline; put any chat model of LangChain in its place. Needs `langgraph` and the client's `langchain`
extra.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, convert_to_messages, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition

import stub_model
from tool_router_client import Router, RouterError, Selection
from tool_router_client.langchain import to_langchain

QUERIES = ["what is on my calendar tomorrow", "refund the customer for order 1182"]


class FakeChatModel(BaseChatModel):
    """The stub as a chat model."""

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        history = convert_to_openai_messages(messages)
        answer = convert_to_messages([stub_model.reply(history if isinstance(history, list) else [history], kwargs.get("tools", []))])
        return ChatResult(generations=[ChatGeneration(message=answer[0])])

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    @property
    def _llm_type(self) -> str:
        return "fake"


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    selection: Selection


class Agent:
    """The graph: choose tools, then model and tools in turn until the model answers in words."""

    def __init__(self, router: Router, model: BaseChatModel, max_tokens: int) -> None:
        self._router, self._model, self._max_tokens = router, model, max_tokens
        graph = StateGraph(State)
        graph.add_node("choose", self._choose)
        graph.add_node("model", self._answer)
        graph.add_node("tools", self._run)
        graph.add_edge(START, "choose")
        graph.add_edge("choose", "model")
        graph.add_conditional_edges("model", tools_condition, {"tools": "tools", END: END})
        graph.add_edge("tools", "model")
        self._graph = graph.compile()

    def turn(self, query: str) -> str:
        end = self._graph.invoke({"messages": [HumanMessage(query)]})
        return str(end["messages"][-1].content)

    def _choose(self, state: State) -> State:
        selection = self._router.select(str(state["messages"][-1].content), max_tokens=self._max_tokens)
        print(f"  {len(selection.tools)} of {selection.usage.eligible_tools} tools, {selection.usage.saved_tokens:,} tokens saved")
        return {"selection": selection}

    def _answer(self, state: State) -> State:
        # The router's own entries, not tools that LangChain would write anew: what is sent is what was counted.
        model = self._model.bind_tools(state["selection"].openai_tools())
        return {"messages": [model.invoke(state["messages"])]}

    def _run(self, state: State, config: RunnableConfig) -> State:
        results = ToolNode(to_langchain(state["selection"], call)).invoke({"messages": state["messages"]}, config)
        return {"messages": results["messages"]}


def call(source: str, tool: str, arguments: dict[str, Any]) -> str:
    """Would run the tool; here it prints what would be run."""
    print(f"  calls {tool} of {source} with {arguments}")
    return f"{tool} is done"


def main() -> None:
    parser = argparse.ArgumentParser(description="A LangGraph agent that asks the router for its tools.")
    parser.add_argument("queries", nargs="*", default=QUERIES, metavar="QUERY", help="one turn each")
    parser.add_argument("--address", default="127.0.0.1:7431", help="the router's gRPC address [%(default)s]")
    parser.add_argument("--max-tokens", type=int, default=1_000, help="cap on the tool list of a turn [%(default)s]")
    arguments = parser.parse_args()
    with Router(arguments.address) as router:
        agent = Agent(router, FakeChatModel(), arguments.max_tokens)
        for query in arguments.queries:
            print(f"\n» {query}")
            print(f"  {agent.turn(query)}")


if __name__ == "__main__":
    try:
        main()
    except RouterError as e:
        sys.exit(f"langgraph_agent.py: {e}")
