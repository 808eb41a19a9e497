"""A small agent whose every turn is one trace: agent, router, model, tool, and the report of how the tool did.

    tool-router serve --store router.db
    python examples/agent/agent.py --otlp http://127.0.0.1:4317 --turns 4

    invoke_agent planner                            the turn
      toolrouter.v1.ToolRouter/SelectTools          CLIENT; the router's spans hang below
      chat stub-1                                   the model, a stub in this process
      execute_tool get-forecast                     CLIENT; the tool server's span hangs below
      toolrouter.v1.ToolCalls/ReportOutcomes        CLIENT; links, in the router, to the selection

It registers its two tools with the router and asks for those only, so it runs beside any catalogue. README.md beside this file says how to
look at the traces.
"""

from __future__ import annotations

import argparse
import sys
import urllib.error
import uuid
from contextlib import ExitStack
from dataclasses import dataclass

from opentelemetry import baggage, context, trace

import model
import telemetry
import tools
from tool_router_client import Router, RouterError, SelectedTool, Selection
from tool_server import ToolServer

SERVICE = "example-agent"
# Of the conversation, so many messages go to the model: a run of many turns would send ever more.
MOST_MESSAGES = 20
QUERIES = ["will it rain in Oslo over the next 3 days", "how many miles are 42 kilometres"]


@dataclass(frozen=True)
class Turn:
    """What became of a turn."""

    trace_id: str
    said: str
    is_ok: bool


class Agent:
    """One conversation."""

    def __init__(self, name: str, router: Router, server: ToolServer, provider: trace.TracerProvider, keep_replay: bool = False) -> None:
        self._name, self._router, self._server, self._keep_replay = name, router, server, keep_replay
        self._tracer = provider.get_tracer("example.agent")
        self._conversation = uuid.uuid4().hex
        self._messages: list[model.Json] = []
        self._shown: tuple[SelectedTool, ...] = ()

    def publish(self) -> None:
        """Registers the tools. What the router has already costs nothing."""
        for source, definitions in tools.LISTS.items():
            self._router.sync(source, definitions)

    def turn(self, query: str) -> Turn:
        attributes = {
            telemetry.OPERATION: "invoke_agent",
            telemetry.AGENT: self._name,
            telemetry.CONVERSATION: self._conversation,
            telemetry.PROVIDER: "stub",
        }
        # In the baggage, so that whatever is called below knows who began: the router client sends it on, and so does the tool's.
        named = context.attach(baggage.set_baggage(telemetry.AGENT, self._name))
        try:
            with self._tracer.start_as_current_span(f"invoke_agent {self._name}", attributes=attributes) as span:
                said, is_ok = self._answer(query)
                return Turn(trace.format_trace_id(span.get_span_context().trace_id), said, is_ok)
        finally:
            context.detach(named)

    def _answer(self, query: str) -> tuple[str, bool]:
        selection = self._router.select(
            query,
            sources=tools.LISTS,
            previous_tools=self._shown,
            session_id=self._conversation,
            keep_replay=self._keep_replay,
        )
        self._shown = selection.tools
        self._messages.append({"role": "user", "content": query})
        answer = self._chat(selection)
        if answer.call is None:
            self._messages.append({"role": "assistant", "content": answer.text})
            return f"no tool; {answer.input_tokens} + {answer.output_tokens} tokens", True
        return self._call(selection, answer, answer.call)

    def _chat(self, selection: Selection) -> model.Completion:
        attributes = {
            telemetry.OPERATION: "chat",
            telemetry.PROVIDER: "stub",
            telemetry.REQUEST_MODEL: model.NAME,
            telemetry.CONVERSATION: self._conversation,
        }
        # INTERNAL, as the model runs in this process; a model behind a network is a CLIENT span.
        with self._tracer.start_as_current_span(f"chat {model.NAME}", attributes=attributes) as span:
            answer = model.complete(self._messages[-MOST_MESSAGES:], selection.openai_tools())
            span.set_attributes(
                {
                    telemetry.RESPONSE_MODEL: model.NAME,
                    telemetry.FINISH_REASONS: [answer.finish_reason],
                    telemetry.INPUT_TOKENS: answer.input_tokens,
                    telemetry.OUTPUT_TOKENS: answer.output_tokens,
                }
            )
        return answer

    def _call(self, selection: Selection, answer: model.Completion, call: model.Call) -> tuple[str, bool]:
        source, tool = selection.resolve(call.name)
        # Around the span of the tool, not within it: the report is a step of the turn of its own.
        report = self._router.calling(
            selection, call.name, call_id=call.id, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens
        )
        try:
            with report:
                result = self._execute(source, tool, call)
        # What a tool's server says or fails to say is for the model, not the end of the agent. The report has it already.
        except (urllib.error.URLError, TimeoutError) as e:
            result, how, is_ok = {"error": str(e)}, f"failed, {report.error_class}", False
        else:
            how, is_ok = "answered", True
        self._messages.append({"role": "assistant", "content": f"{tool}: {result}"})
        return f"{tool} of {source} {how}, {report.latency_ms:.1f} ms; {answer.input_tokens} + {answer.output_tokens} tokens", is_ok

    def _execute(self, source: str, tool: str, call: model.Call) -> model.Json:
        attributes: dict[str, str | int] = {
            telemetry.OPERATION: "execute_tool",
            telemetry.TOOL: tool,
            telemetry.TOOL_TYPE: "function",
            telemetry.TOOL_CALL: call.id,
            telemetry.CONVERSATION: self._conversation,
        }
        if source == tools.LOCAL_SOURCE:
            with self._tracer.start_as_current_span(f"execute_tool {tool}", attributes=attributes):
                return tools.convert_length(call.arguments)
        attributes |= {
            telemetry.PEER: source,
            telemetry.OLD_PEER: source,
            telemetry.HOST: self._server.host,
            telemetry.PORT: self._server.port,
            telemetry.HTTP_METHOD: "POST",
        }
        with self._tracer.start_as_current_span(f"execute_tool {tool}", kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
            try:
                return tools.post(self._server.url, tool, call.arguments)
            except urllib.error.HTTPError as e:
                span.set_attributes({telemetry.HTTP_STATUS: e.code, telemetry.ERROR: str(e.code)})
                raise
            except OSError as e:
                span.set_attribute(telemetry.ERROR, type(e).__name__)
                raise


def main() -> None:
    parser = argparse.ArgumentParser(description="A small agent whose every turn is one trace.")
    parser.add_argument("--address", default="127.0.0.1:7431", help="the router's gRPC address [%(default)s]")
    parser.add_argument("--otlp", metavar="URL", help="where spans go, OTLP over gRPC, such as http://127.0.0.1:4317 [nowhere]")
    parser.add_argument("--turns", type=int, default=len(QUERIES), help="how many [%(default)s]")
    parser.add_argument("--query", action="append", metavar="TEXT", help="what is asked, by turns; may be repeated [one for each tool]")
    parser.add_argument("--name", default="planner", help="of the agent [%(default)s]")
    parser.add_argument("--fail-every", type=int, default=0, metavar="N", help="the tool server fails every N-th call [never]")
    parser.add_argument("--keep-replay", action="store_true", help="the router keeps a replay record of each selection")
    parser.add_argument("--token-file", metavar="FILE", help="token that may register tools, where the router wants one")
    arguments = parser.parse_args()
    queries: list[str] = arguments.query or QUERIES
    with ExitStack() as stack:
        # Two services, each with its own provider, as if they were two processes.
        providers = [
            telemetry.provider(name, telemetry.otlp(arguments.otlp) if arguments.otlp else None) for name in (SERVICE, tools.REMOTE_SOURCE)
        ]
        for provider in providers:
            stack.callback(provider.shutdown)
        # The client of the router makes its spans with the process's own.
        trace.set_tracer_provider(providers[0])
        server = stack.enter_context(ToolServer(providers[1], arguments.fail_every))
        router = stack.enter_context(Router(arguments.address, token_file=arguments.token_file, agent_name=arguments.name))
        agent = Agent(arguments.name, router, server, providers[0], arguments.keep_replay)
        agent.publish()
        for i in range(arguments.turns):
            turn = agent.turn(queries[i % len(queries)])
            print(f"turn {i + 1}: {turn.said}; trace {turn.trace_id}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except RouterError as e:
        sys.exit(f"agent.py: {e}")
