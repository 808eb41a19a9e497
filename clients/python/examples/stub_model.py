"""A stand-in for a model, so that the examples run without one.

It calls the first tool that it is given, with arguments made from the tool's schema, and when it has the result it answers with it. That
is no judgement at all, which is the point: whether the right tool is first is the router's work.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Json = dict[str, Any]
# Deep enough for any schema that an example meets; a schema that refers to itself has no end.
MOST_LEVELS = 6


def reply(messages: list[Json], tools: list[Json]) -> Json:
    """The assistant's message that follows `messages`, both as Chat Completions has them."""
    last = messages[-1]
    if last["role"] == "tool":
        return {"role": "assistant", "content": f"Here is what I found: {last['content']}"}
    if not tools:
        return {"role": "assistant", "content": "I have no tool for that."}
    function = tools[0]["function"]
    parameters: Json = function.get("parameters") or {}
    arguments = example(parameters, parameters)
    call = {"name": function["name"], "arguments": json.dumps(arguments)}
    call_id = f"call_{len(messages)}"
    return {"role": "assistant", "content": None, "tool_calls": [{"id": call_id, "type": "function", "function": call}]}


def example(schema: Json, root: Json, level: int = 0) -> Any:
    """A value that fits the schema well enough: required properties only, enums and defaults respected."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        named: Json = {**root.get("definitions", {}), **root.get("$defs", {})}
        schema = named.get(name, {})
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return example(schema[key][0], root, level + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        required = schema.get("required", []) if level < MOST_LEVELS else []
        return {name: example(schema.get("properties", {}).get(name, {}), root, level + 1) for name in required}
    if kind == "array":
        wanted = schema.get("minItems", 1) if level < MOST_LEVELS else 0
        return [example(schema.get("items", {}), root, level + 1) for _ in range(wanted)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind in ("boolean", "null"):
        return True if kind == "boolean" else None
    return {"date": "2025-01-31", "date-time": "2025-01-31T09:00:00Z"}.get(schema.get("format", ""), "example")


class StubModel:
    """The stub behind `POST /v1/chat/completions` on a free port of this machine, while the `with` block runs."""

    def __enter__(self) -> str:
        """The base URL."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions":
            self.send_error(404)
            return
        message = reply(request["messages"], request.get("tools", []))
        body = json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet: the example prints what matters."""
