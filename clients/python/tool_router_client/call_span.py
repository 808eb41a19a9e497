"""The client's side of a call as a span, so that a service map has the edge from the agent to the router.

Jaeger and Tempo draw an edge where a CLIENT span has a SERVER span below it; without this one, the router's span would hang below whatever
span of the caller is current. Nothing is recorded where the process has set up no OpenTelemetry SDK.

Names: OpenTelemetry semantic conventions 1.44 for `rpc.*` (release candidate), `service.peer.name` (development) and `peer.service`, which
back ends that draw maps read until they know the former.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from .connection import Connection
from .errors import RouterError
from .methods import Method
from .trace_context import Headers, Origin

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

try:
    from opentelemetry import trace
except ImportError:  # the `otel` extra is not installed
    _TRACER: Tracer | None = None
else:
    _TRACER = trace.get_tracer("tool_router_client")

_SYSTEM, _METHOD = "rpc.system.name", "rpc.method"
# Main of the conventions after 1.44 calls it `rpc.status_code`.
_STATUS = "rpc.response.status_code"
_ERROR = "error.type"
_HOST, _PORT = "server.address", "server.port"
_PEER, _OLD_PEER = "service.peer.name", "peer.service"
# The router's `service.name`, unless its operator gave it another one.
_ROUTER = "tool-router"


class CallSpan:
    """One call with all its tries. `with` gives the metadata to send."""

    def __init__(self, connection: Connection, method: Method[Any, Any], origin: Origin) -> None:
        self._connection, self._method, self._origin = connection, method, origin
        self._span: Span | None = None

    def __enter__(self) -> Headers:
        origin = self._origin
        # Who gives a trace by hand makes the spans by hand: one of ours would stand between.
        if _TRACER is None or not self._connection.spans or not self._method.is_traced or origin.given:
            return origin.headers(self._connection.agent_name)
        name = self._method.path.removeprefix("/")
        # At the start: samplers decide by what they are given then.
        known = {_SYSTEM: "grpc", _METHOD: name, _PEER: _ROUTER, _OLD_PEER: _ROUTER, **_server(self._connection.target)}
        self._span = _TRACER.start_span(name, context=origin.context, kind=trace.SpanKind.CLIENT, attributes=known)
        # Without an SDK there may be no span, and then the caller's goes along as it is.
        made = trace.set_span_in_context(self._span, origin.context) if self._span.get_span_context().is_valid else None
        return origin.headers(self._connection.agent_name, made)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        span = self._span
        if span is None:
            return
        if error is None:
            span.set_attribute(_STATUS, "OK")
        elif isinstance(error, RouterError):
            _failed(span, error.code, error.code)
        else:
            # Given up by the caller: a cancelled task, Ctrl-C.
            _failed(span, "CANCELLED", type(error).__name__)
        span.end()


def _failed(span: Span, code: str, error_type: str) -> None:
    span.set_attributes({_STATUS: code, _ERROR: error_type})
    # Without a description: the message of an error may quote the request.
    span.set_status(trace.StatusCode.ERROR)


def _server(target: str) -> dict[str, str | int]:
    host, _, port = target.rpartition(":")
    return {_HOST: host.strip("[]"), _PORT: int(port)}
