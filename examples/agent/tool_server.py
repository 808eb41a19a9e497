"""A server of one tool, with spans of its own: what is at the other end of the agent's call in a service map."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from opentelemetry import propagate, trace

import telemetry
import tools

_ROUTE = "/tools/{name}"
# Largest request read. Arguments of a tool are small.
_MOST_BYTES = 1 << 20
# Seconds after which it notices that it is to stop.
_POLL = 0.05


class ToolServer:
    """Serves on a free port of this machine while the `with` block runs. Of `fail_every` requests the last is answered with 503, as servers
    do; 0 for none."""

    def __init__(self, provider: trace.TracerProvider, fail_every: int = 0) -> None:
        self._tracer = provider.get_tracer("example.tool_server")
        self._fail_every, self._requests, self._lock = fail_every, 0, threading.Lock()
        self.host, self.port = "127.0.0.1", 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> ToolServer:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.answer(self)

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet: the agent prints what matters, and spans tell the rest."""

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request as one span, below the span of whoever sent it."""
        # Propagators look for lower-case names; HTTP clients write them as they like.
        caller = propagate.extract({name.lower(): value for name, value in request.headers.items()})
        known: dict[str, str | int] = {
            telemetry.HTTP_METHOD: "POST",
            telemetry.HTTP_ROUTE: _ROUTE,
            telemetry.URL_SCHEME: "http",
            telemetry.URL_PATH: request.path,
            telemetry.HOST: self.host,
            telemetry.PORT: self.port,
        }
        with self._tracer.start_as_current_span(f"POST {_ROUTE}", caller, trace.SpanKind.SERVER, known) as span:
            status, result = self._result(request)
            span.set_attribute(telemetry.HTTP_STATUS, status)
            # A request that is wrong is the caller's error, not this server's.
            if 500 <= status:
                span.set_attribute(telemetry.ERROR, str(status))
                span.set_status(trace.StatusCode.ERROR)
        body = json.dumps(result).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _result(self, request: BaseHTTPRequestHandler) -> tuple[int, tools.Json]:
        if request.path != f"/tools/{tools.FORECAST['name']}":
            return 404, {"error": f"there is no {request.path}"}
        if self._fails():
            return 503, {"error": "busy, try again later"}
        try:
            length = int(request.headers.get("Content-Length", "0"))
            if not 0 <= length <= _MOST_BYTES:
                return 413, {"error": f"{length} bytes: at most {_MOST_BYTES}"}
            return 200, tools.forecast(json.loads(request.rfile.read(length)))
        except (KeyError, TypeError, ValueError) as e:
            return 400, {"error": f"arguments: {e!r}"}

    def _fails(self) -> bool:
        with self._lock:
            self._requests += 1
            return self._fail_every > 0 and self._requests % self._fail_every == 0
