"""Spans of the client and what goes along with a call: the trace, and the name of the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fake_router import FakeRouter, failing, refuse
from test_outcomes import TAKEN, TRACEPARENT
from tool_router_client import AsyncRouter, InvalidRequest, NotFound, Router, call_span
from tool_router_client._proto.toolrouter.v1 import catalog_pb2, router_pb2

ANSWER = router_pb2.SelectToolsResponse(catalog_version="7")
ANSWERING = {"SelectTools": lambda _, __: ANSWER}


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Where the client's spans go. Not by the process's own provider: that can be set once only."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(call_span, "_TRACER", provider.get_tracer("test"))
    yield kept
    provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_call_is_a_client_span_that_the_router_hangs_below(exporter: InMemorySpanExporter) -> None:
    with FakeRouter(ANSWERING) as fake:
        with TracerProvider().get_tracer("test").start_as_current_span("turn") as turn, Router(fake.address) as router:
            router.select("mail")
        (span,) = exporter.get_finished_spans()
        sent = fake.calls[0].metadata["traceparent"]
        port = int(fake.address.rpartition(":")[2])
    assert (span.name, span.kind) == ("toolrouter.v1.ToolRouter/SelectTools", trace.SpanKind.CLIENT)
    assert attributes(span) == {
        "rpc.system.name": "grpc",
        "rpc.method": "toolrouter.v1.ToolRouter/SelectTools",
        "rpc.response.status_code": "OK",
        "server.address": "127.0.0.1",
        "server.port": port,
        "service.peer.name": "tool-router",
        "peer.service": "tool-router",
    }
    assert span.parent is not None and span.parent.span_id == turn.get_span_context().span_id
    assert span.context is not None
    assert sent.startswith(f"00-{trace.format_trace_id(span.context.trace_id)}-{trace.format_span_id(span.context.span_id)}-")
    assert span.status.is_unset


def test_tries_are_one_span_and_a_failure_is_its_status(exporter: InMemorySpanExporter) -> None:
    def away(context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    def secret(_: object, context: grpc.ServicerContext) -> None:
        refuse(context, grpc.StatusCode.NOT_FOUND, "the secret tool is not there")

    with FakeRouter({"SelectTools": failing(2, away, ANSWER), "UnregisterTools": secret}) as fake, Router(fake.address) as router:
        router.select("mail")
        with pytest.raises(NotFound):
            router.unregister("mail", ["secret"])
        assert len({call.metadata["traceparent"] for call in fake.calls[:3]}) == 1
    tried, failed = exporter.get_finished_spans()
    assert tried.status.is_unset
    assert (attributes(failed)["rpc.response.status_code"], attributes(failed)["error.type"]) == ("NOT_FOUND", "NOT_FOUND")
    assert failed.status.status_code is trace.StatusCode.ERROR
    assert "secret" not in failed.to_json()


def test_every_kind_of_call_is_a_span_with_asyncio_too(exporter: InMemorySpanExporter) -> None:
    behaviours: dict[str, Any] = {
        **ANSWERING,
        "SyncSource": lambda _, __: catalog_pb2.SyncSourceResponse(),
        "ListTools": lambda _, __: catalog_pb2.ListToolsResponse(),
        "ReportOutcomes": lambda _, __: TAKEN,
    }

    async def run(address: str) -> None:
        async with AsyncRouter(address) as router:
            await router.select("mail")
            await router.sync("mail", [])
            _ = [tool async for tool in router.list_tools()]
            async with router.calling(None, "mail/send"):
                pass

    with FakeRouter(behaviours) as fake:
        with Router(fake.address) as router:
            router.select("mail")
            router.sync("mail", [])
            list(router.list_tools())
            with router.calling(None, "mail/send"):
                pass
        asyncio.run(run(fake.address))
    names = [span.name.rpartition("/")[2] for span in exporter.get_finished_spans()]
    assert names == ["SelectTools", "SyncSource", "ListTools", "ReportOutcomes"] * 2


def test_a_call_that_is_given_up_is_no_open_span(exporter: InMemorySpanExporter) -> None:
    async def run(address: str) -> None:
        async with AsyncRouter(address) as router:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(router.select("mail"), 0.05)

    asyncio.run(run("127.0.0.1:1"))
    (span,) = exporter.get_finished_spans()
    assert (attributes(span)["rpc.response.status_code"], attributes(span)["error.type"]) == ("CANCELLED", "CancelledError")


def test_no_span_where_none_is_wanted(exporter: InMemorySpanExporter) -> None:
    with FakeRouter(ANSWERING) as fake:
        with Router(fake.address, spans=False) as router:
            router.select("mail")
        with Router(fake.address) as router:
            # Who gives a trace has a span of its own.
            router.select("mail", traceparent=TRACEPARENT)
            assert fake.calls[1].metadata["traceparent"] == TRACEPARENT
            with pytest.raises(Exception, match="Check"):
                router.health()
    assert exporter.get_finished_spans() == ()


def told(fake: FakeRouter) -> tuple[str | None, str | None]:
    """Who the last call says it is from: baggage and header."""
    metadata = fake.calls[-1].metadata
    return metadata.get("baggage"), metadata.get("x-agent-name")


def test_an_agent_says_its_name() -> None:
    behaviours: dict[str, Any] = {**ANSWERING, "WatchCatalog": lambda _, __: iter([catalog_pb2.WatchCatalogResponse()])}
    with FakeRouter(behaviours) as fake:
        with Router(fake.address, agent_name="trip planner") as router:
            router.select("mail")
            assert told(fake) == ("gen_ai.agent.name=trip%20planner", "trip planner")
            router.select("mail", traceparent=TRACEPARENT)
            assert told(fake) == ("gen_ai.agent.name=trip%20planner", "trip planner")

            with router.watch(patience=0.01) as watch, pytest.raises(Exception, match="ended the stream"):
                next(watch)
            assert told(fake) == ("gen_ai.agent.name=trip%20planner", "trip planner")
        with Router(fake.address) as router:
            router.select("mail")
            assert told(fake) == (None, None)


def test_the_baggage_goes_before_the_option_and_nothing_else_of_it_is_sent() -> None:
    with FakeRouter(ANSWERING) as fake, Router(fake.address, agent_name="all") as router:
        for name, expected in (("researcher", "researcher"), ("no\nname", "all"), ("x" * 65, "all"), (7, "all")):
            here = baggage.set_baggage("user.id", "ann@example.com", baggage.set_baggage("gen_ai.agent.name", name))
            token = context.attach(here)
            try:
                router.select("mail")
            finally:
                context.detach(token)
            assert told(fake) == (f"gen_ai.agent.name={expected}", expected)


@pytest.mark.parametrize("name", ["", " planner", "planner ", "x" * 65, "plan/ner", "plänner", 7])
def test_a_name_that_cannot_be_sent_is_refused(name: Any) -> None:
    with pytest.raises(InvalidRequest, match="agent_name: is "):
        Router(agent_name=name)
