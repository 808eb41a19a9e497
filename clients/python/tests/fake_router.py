"""A gRPC server that answers as a test tells it, and remembers what it was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tool_router_client._proto.toolrouter.v1 import calls_pb2, catalog_pb2, router_pb2, sources_pb2

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
ROUTER, CATALOG = "toolrouter.v1.ToolRouter", "toolrouter.v1.ToolCatalog"
SOURCES, CALLS = "toolrouter.v1.ToolSources", "toolrouter.v1.ToolCalls"


@dataclass
class Call:
    """What came in."""

    request: Any
    metadata: dict[str, str]
    time_left: float | None
    """Seconds until the caller's deadline."""


@dataclass
class FakeRouter:
    """Methods that have no behaviour are UNIMPLEMENTED."""

    behaviours: dict[str, Behaviour]
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> FakeRouter:
        self._server = grpc.server(ThreadPoolExecutor(8))
        unary = grpc.unary_unary_rpc_method_handler
        self._add(ROUTER, "SelectTools", unary, router_pb2.SelectToolsRequest)
        self._add(ROUTER, "RankTools", unary, router_pb2.RankToolsRequest)
        self._add(CATALOG, "RegisterTools", unary, catalog_pb2.RegisterToolsRequest)
        self._add(CATALOG, "UnregisterTools", unary, catalog_pb2.UnregisterToolsRequest)
        self._add(CATALOG, "ListTools", unary, catalog_pb2.ListToolsRequest)
        self._add(CATALOG, "SyncSource", grpc.stream_unary_rpc_method_handler, catalog_pb2.SyncSourceRequest)
        self._add(CATALOG, "WatchCatalog", grpc.unary_stream_rpc_method_handler, catalog_pb2.WatchCatalogRequest)
        self._add(CALLS, "ReportOutcomes", unary, calls_pb2.ReportOutcomesRequest)
        self._add(SOURCES, "ListSources", unary, sources_pb2.ListSourcesRequest)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop(None)

    def _add(self, service: str, name: str, kind: Callable[..., Any], request: type[Message]) -> None:
        behaviour = self.behaviours.get(name)
        if behaviour is None:
            return

        def remembered(message: Any, context: grpc.ServicerContext) -> Any:
            if isinstance(message, Iterator):
                message = list(message)
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            left = context.time_remaining()
            # gRPC gives a deadline of decades to a call that has none.
            self.calls.append(Call(message, metadata, left if left is not None and left < 1e6 else None))
            return behaviour(message, context)

        handler = kind(remembered, request_deserializer=request.FromString, response_serializer=lambda answer: answer.SerializeToString())
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, message: str, *details: Message) -> NoReturn:
    """Ends the call as the router does: with a status that carries rich details."""
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    number: int = code.value[0]
    status = status_pb2.Status(code=number, message=message, details=packed)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)


def come_back(seconds: float) -> error_details_pb2.RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromNanoseconds(round(seconds * 1e9))
    return error_details_pb2.RetryInfo(retry_delay=delay)


def wrong(*fields: tuple[str, str]) -> error_details_pb2.BadRequest:
    violations = [error_details_pb2.BadRequest.FieldViolation(field=name, description=description) for name, description in fields]
    return error_details_pb2.BadRequest(field_violations=violations)


def failing(times: int, fail: Callable[[grpc.ServicerContext], None], answer: Message) -> Behaviour:
    """Fails a number of times, then answers."""
    left = [times]

    def behave(_: object, context: grpc.ServicerContext) -> Message:
        if left[0]:
            left[0] -= 1
            fail(context)
        return answer

    return behave
