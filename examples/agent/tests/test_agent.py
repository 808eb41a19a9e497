"""The agent's chain of spans, against a router that only plays one: parents, kinds, names, and what the router is told."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

import telemetry
import tools
from agent import Agent
from fake_router import FakeRouter
from tool_router_client import Router, call_span
from tool_router_client._proto.toolrouter.v1 import calls_pb2, catalog_pb2, router_pb2
from tool_server import ToolServer

HERE = Path(__file__).resolve().parent
RAIN, LENGTH = "will it rain in Oslo over the next 3 days", "how many miles are 42 kilometres"
# As Chat Completions has them, in the words of the router.
ENTRY = '{"type":"function","function":{"name":"%s","description":"%s","parameters":%s}}'
WEATHER = ENTRY % (
    "weather_get",
    "Will it rain",
    '{"type":"object","properties":{"place":{"type":"string"},"days":{"type":"integer"}},"required":["place","days"]}',
)
UNITS = ENTRY % (
    "convert",
    "How many miles, kilometres",
    '{"type":"object","properties":{"value":{"type":"number"},"from":{"enum":["kilometres"]},"to":{"enum":["miles"]}},"required":["value","from","to"]}',
)


def answer(request: router_pb2.SelectToolsRequest, _: object) -> router_pb2.SelectToolsResponse:
    if request.query == "hello there":
        return router_pb2.SelectToolsResponse(no_match=router_pb2.NoMatch(detail="nothing fits"))
    return router_pb2.SelectToolsResponse(
        tools=[
            router_pb2.SelectedTool(source=tools.LOCAL_SOURCE, tool="convert_length", model_name="convert", fidelity=2),  # type: ignore[arg-type]
            router_pb2.SelectedTool(source=tools.REMOTE_SOURCE, tool="get-forecast", model_name="weather_get", fidelity=2),  # type: ignore[arg-type]
        ],
        prompt=f"[\n{UNITS},\n{WEATHER}\n]",
        meta=router_pb2.ResponseMeta(selection_id="s1", traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    )


BEHAVIOURS: dict[str, Any] = {
    "SelectTools": answer,
    "SyncSource": lambda _, __: catalog_pb2.SyncSourceResponse(),
    "ReportOutcomes": lambda _, __: calls_pb2.ReportOutcomesResponse(accepted=1),
}


class Stage:
    """Agent, tool server and router, and all spans that the first two made."""

    def __init__(self, fake: FakeRouter, server: ToolServer, agent: Agent, spans: InMemorySpanExporter) -> None:
        self.fake, self.server, self.agent, self._spans = fake, server, agent, spans

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._spans.get_finished_spans()}


def kept(service: str, exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.fixture
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    exporter = InMemorySpanExporter()
    own, servers = kept("example-agent", exporter), kept("example-weather", exporter)
    # The client's own tracer, as the process's provider can be set only once.
    monkeypatch.setattr(call_span, "_TRACER", own.get_tracer("test"))
    fail_every = getattr(request, "param", 0)
    with FakeRouter(BEHAVIOURS) as fake, ToolServer(servers, fail_every) as server, Router(fake.address, agent_name="planner") as router:
        yield Stage(fake, server, Agent("planner", router, server, own, keep_replay=True), exporter)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def span_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_span_id(span.context.span_id)


def parent(span: ReadableSpan) -> str | None:
    return None if span.parent is None else format_span_id(span.parent.span_id)


def test_a_turn_is_one_chain_of_spans(stage: Stage) -> None:
    turn = stage.agent.turn(RAIN)
    assert turn.is_ok and turn.said.startswith("get-forecast of example-weather answered, ")
    spans = stage.spans()
    root, execute, served = spans["invoke_agent planner"], spans["execute_tool get-forecast"], spans["POST /tools/{name}"]
    assert {name: (span.kind, parent(span)) for name, span in spans.items()} == {
        "invoke_agent planner": (SpanKind.INTERNAL, None),
        "toolrouter.v1.ToolRouter/SelectTools": (SpanKind.CLIENT, span_id(root)),
        "chat stub-1": (SpanKind.INTERNAL, span_id(root)),
        "execute_tool get-forecast": (SpanKind.CLIENT, span_id(root)),
        "POST /tools/{name}": (SpanKind.SERVER, span_id(execute)),
        "toolrouter.v1.ToolCalls/ReportOutcomes": (SpanKind.CLIENT, span_id(root)),
    }
    assert {format_trace_id(span.context.trace_id) for span in spans.values() if span.context} == {turn.trace_id}
    assert execute.resource.attributes["service.name"] == "example-agent"
    assert served.resource.attributes["service.name"] == attributes(execute)["service.peer.name"] == "example-weather"
    in_order = sorted(spans.values(), key=lambda span: span.start_time or 0)
    assert [span.name.partition(" ")[0].rpartition("/")[2] for span in in_order if span is not served] == [
        "invoke_agent",
        "SelectTools",
        "chat",
        "execute_tool",
        "ReportOutcomes",
    ]


def test_the_spans_say_what_the_conventions_ask_for(stage: Stage) -> None:
    stage.agent.turn(RAIN)
    spans = stage.spans()
    root, chat = attributes(spans["invoke_agent planner"]), attributes(spans["chat stub-1"])
    conversation = root.pop("gen_ai.conversation.id")
    assert root == {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "gen_ai.provider.name": "stub"}
    assert chat.pop("gen_ai.usage.input_tokens") > 0 and chat.pop("gen_ai.usage.output_tokens") > 0
    assert chat == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "stub",
        "gen_ai.request.model": "stub-1",
        "gen_ai.response.model": "stub-1",
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.conversation.id": conversation,
    }
    assert attributes(spans["execute_tool get-forecast"]) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get-forecast",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.conversation.id": conversation,
        "service.peer.name": "example-weather",
        "peer.service": "example-weather",
        "server.address": "127.0.0.1",
        "server.port": stage.server.port,
        "http.request.method": "POST",
    }
    served = attributes(spans["POST /tools/{name}"])
    assert (served["http.response.status_code"], served["http.route"]) == (200, "/tools/{name}")
    # Neither what was asked nor what was answered is on any of them.
    assert "Oslo" not in "".join(span.to_json() for span in spans.values())


def test_the_router_is_told_who_asks_and_how_the_call_went(stage: Stage) -> None:
    stage.agent.turn(RAIN)
    select, report = stage.fake.calls
    assert select.metadata["baggage"] == report.metadata["baggage"] == "gen_ai.agent.name=planner"
    assert select.metadata["traceparent"].split("-")[2] == span_id(stage.spans()["toolrouter.v1.ToolRouter/SelectTools"])
    assert select.request.keep_replay and list(select.request.scope.sources) == list(tools.LISTS)
    (outcome,) = report.request.outcomes
    chat = attributes(stage.spans()["chat stub-1"])
    assert (outcome.selection_id, outcome.tool.tool, outcome.place) == ("s1", "get-forecast", 2)
    assert (outcome.outcome, outcome.call_id) == (calls_pb2.OUTCOME_OK, "call_1")
    assert (outcome.input_tokens, outcome.output_tokens) == (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"])
    assert 0 < outcome.latency_ms


def test_a_tool_of_the_process_itself_is_no_edge(stage: Stage) -> None:
    assert stage.agent.turn(LENGTH).said.startswith("convert_length of example-units answered, ")
    spans = stage.spans()
    assert spans["execute_tool convert_length"].kind is SpanKind.INTERNAL
    assert "service.peer.name" not in attributes(spans["execute_tool convert_length"])
    assert "POST /tools/{name}" not in spans


def test_the_next_turn_goes_on_with_the_list_in_a_trace_of_its_own(stage: Stage) -> None:
    first, second = stage.agent.turn(RAIN), stage.agent.turn(LENGTH)
    assert first.trace_id != second.trace_id
    before, after = (call.request.continuity for call in stage.fake.calls if hasattr(call.request, "continuity"))
    assert before.session_id == after.session_id and not before.previous_tools
    assert [tool.tool for tool in after.previous_tools] == ["convert_length", "get-forecast"]


@pytest.mark.parametrize("stage", [1], indirect=True)
def test_a_tool_that_fails_is_an_error_everywhere_and_ends_nothing(stage: Stage) -> None:
    turn = stage.agent.turn(RAIN)
    assert not turn.is_ok and turn.said.startswith("get-forecast of example-weather failed, http_503, ")
    spans = stage.spans()
    for name in ("execute_tool get-forecast", "POST /tools/{name}"):
        assert spans[name].status.status_code is StatusCode.ERROR
        assert (attributes(spans[name])["error.type"], attributes(spans[name])["http.response.status_code"]) == ("503", 503)
    assert spans["invoke_agent planner"].status.is_unset
    (outcome,) = stage.fake.calls[-1].request.outcomes
    assert (outcome.outcome, outcome.error_class) == (calls_pb2.OUTCOME_ERROR, "http_503")


def test_no_tool_is_an_answer_in_words(stage: Stage) -> None:
    assert stage.agent.turn("hello there").said.startswith("no tool; ")
    assert attributes(stage.spans()["chat stub-1"])["gen_ai.response.finish_reasons"] == ("stop",)
    assert len(stage.fake.calls) == 1


def test_the_tools_are_registered_as_their_sources(stage: Stage) -> None:
    stage.agent.publish()
    headers = [call.request[0].header.source for call in stage.fake.calls]
    assert headers == [tools.REMOTE_SOURCE, tools.LOCAL_SOURCE]
    for call in stage.fake.calls:
        assert call.request[-1].end.total_tools == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/tools/get-forecast", b"no json", 400),
        ("/tools/get-forecast", b'{"place":"Oslo"}', 400),
        ("/tools/get-forecast", b"[]", 400),
        ("/tools/other", b"{}", 404),
        ("/elsewhere", b"{}", 404),
    ],
)
def test_what_a_tool_server_refuses_is_no_error_of_its_own(stage: Stage, path: str, body: bytes, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(stage.server.url + path, body), timeout=10)
    assert caught.value.code == status
    span = stage.spans()["POST /tools/{name}"]
    assert attributes(span)["http.response.status_code"] == status and span.status.is_unset


def test_a_service_says_its_name_and_that_of_its_instance() -> None:
    one, other = telemetry.provider("example-agent", None), telemetry.provider("example-agent", None)
    assert one.resource.attributes["service.name"] == "example-agent"
    assert one.resource.attributes["service.instance.id"] != other.resource.attributes["service.instance.id"]


def test_what_is_pinned_here_is_what_the_checks_use() -> None:
    ours, theirs = (
        {line.strip() for line in file.read_text(encoding="utf-8").splitlines() if "==" in line}
        for file in (HERE.parent / "requirements.txt", HERE.parents[2] / "clients" / "python" / "requirements-dev.txt")
    )
    assert ours <= theirs, f"not in requirements-dev.txt: {sorted(ours - theirs)}"
