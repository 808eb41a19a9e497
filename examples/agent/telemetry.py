"""How the example's parts tell what they do: providers of spans, and the names of what is on them, in one place.

Names: OpenTelemetry's conventions for generative AI (development, as of August 2026), HTTP (stable since 1.23) and services (1.44).
"""

from __future__ import annotations

import uuid

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
AGENT = "gen_ai.agent.name"
CONVERSATION = "gen_ai.conversation.id"
REQUEST_MODEL, RESPONSE_MODEL = "gen_ai.request.model", "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
TOOL, TOOL_TYPE, TOOL_CALL = "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.tool.call.id"

# Who is at the other end of a CLIENT span. The second name is the older one, which back ends that draw maps still read.
PEER, OLD_PEER = "service.peer.name", "peer.service"
HOST, PORT = "server.address", "server.port"
HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS = "http.request.method", "http.route", "http.response.status_code"
URL_SCHEME, URL_PATH = "url.scheme", "url.path"
ERROR = "error.type"

# Seconds that a collector has to take a batch. One that is away delays the end of the program by as much.
_EXPORT_TIMEOUT = 5


def provider(service: str, exporter: SpanExporter | None) -> TracerProvider:
    """Makes the spans of one service. Without an exporter they lead nowhere, but their ids still go along with calls."""
    made = TracerProvider(resource=Resource.create({"service.name": service, "service.instance.id": uuid.uuid4().hex}))
    if exporter is not None:
        made.add_span_processor(BatchSpanProcessor(exporter))
    return made


def otlp(endpoint: str) -> SpanExporter:
    """To a collector, or to Jaeger, at `http://HOST:PORT` over gRPC."""
    # Only here: without --otlp the exporter need not be installed.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"), timeout=_EXPORT_TIMEOUT)
