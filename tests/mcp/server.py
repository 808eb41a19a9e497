"""An MCP server that behaves as it is told to: well, or in one of the ways that servers go wrong.

    server.py MODE [--tools FILE] [--http PORT]

Speaks over standard input and output, or as streamable HTTP at /mcp. FILE holds the array of tools; it is read for every list, and when it
changes the client is told. Only the standard library, so that any machine with Python runs it.
"""

import argparse
import http.server
import json
import os
import pathlib
import ssl
import sys
import threading
import time

TOOL = {"name": "look_up", "description": "Looks a word up.", "inputSchema": {"type": "object", "properties": {}}}
PAGE = 3


class Server:
    def __init__(self, mode: str, tools: str | None) -> None:
        self.mode = mode
        self.file = pathlib.Path(tools) if tools else None

    def tools(self) -> list:
        return json.loads(self.file.read_text()) if self.file else [TOOL]

    def stamp(self) -> object:
        try:
            found = self.file.stat() if self.file else None
            return found and (found.st_mtime_ns, found.st_size, found.st_ino)
        except FileNotFoundError:
            return None

    def answer(self, message: dict) -> dict | None:
        """The answer to a request; None for none."""
        method = message.get("method")
        if "id" not in message:
            return None
        if method == "initialize":
            return self.initialize(message)
        if method == "tools/list":
            return self.list(message)
        if method == "ping":
            return {"jsonrpc": "2.0", "id": message["id"], "result": {}}
        return refuse(message, -32601, f"no method {method}")

    def initialize(self, message: dict) -> dict | None:
        if self.mode == "silent":
            return None
        if self.mode == "unwilling":
            return refuse(message, -32000, "come back on Monday")
        capabilities = {} if self.mode == "toolless" else {"tools": {"listChanged": True}}
        result = {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": capabilities,
            "serverInfo": {"name": "test server", "version": "1"},
        }
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}

    def list(self, message: dict) -> dict | None:
        cursor = (message.get("params") or {}).get("cursor")
        number = int(cursor or 0)
        mode, tools, more = self.mode, self.tools(), None
        if mode == "mute":
            return None
        if mode == "refusing":
            return refuse(message, -32603, "the tools are on holiday")
        if mode == "listless":
            return {"jsonrpc": "2.0", "id": message["id"], "result": {"tools": {"look_up": TOOL}}}
        if mode == "paged":
            tools, more = tools[number : number + PAGE], number + PAGE if number + PAGE < len(tools) else None
        elif mode == "half" and number == 0:
            tools, more = tools[:1], 1
        elif mode == "half":
            return refuse(message, -32603, "the second page is lost")
        elif mode == "endless":
            tools, more = [dict(TOOL, name=f"t{number}")], number + 1
        elif mode == "circle":
            tools, more = [dict(TOOL, name=f"t{number}")], 1
        elif mode == "twice":
            tools = [*tools, TOOL, TOOL]
        elif mode == "huge":
            tools = [dict(TOOL, name=f"t{i}", description="x" * 100_000) for i in range(500)]
        elif mode == "hugepages":
            tools, more = [dict(TOOL, name=f"t{number}_{i}", description="x" * 100_000) for i in range(10)], number + 1
        elif mode == "many":
            tools = [dict(TOOL, name=f"t{i}") for i in range(20_000)]
        elif mode == "empty":
            tools = []
        result = {"tools": tools}
        if more is not None:
            result["nextCursor"] = str(more)
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def refuse(message: dict, code: int, words: str) -> dict:
    return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": code, "message": words}}


CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


def watch(server: Server, tell) -> None:
    """Tells when the file has changed. Looks often: what is timed is the router, not this."""
    last = server.stamp()
    while True:
        time.sleep(0.02)
        now = server.stamp()
        if now is not None and now != last:
            last = now
            tell(CHANGED)


def speak_stdio(server: Server) -> None:
    lock = threading.Lock()

    def say(message: dict) -> None:
        with lock:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    if server.mode == "chatty":
        print("Welcome to the test server!\n\nlistening...", flush=True)
    if server.mode == "garbage":
        while True:
            print("\x1b[31mgarbage, garbage, garbage", flush=True)
    if server.mode == "binary":
        sys.stdout.buffer.write(bytes(range(256)) * 100 + b"\n")
        sys.stdout.flush()
    if server.mode == "dead":
        print("cannot open the database", file=sys.stderr, flush=True)
        sys.exit(3)
    if server.mode == "stubborn":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=watch, args=(server, say), daemon=True).start()
    for line in sys.stdin:
        message = json.loads(line)
        if server.mode == "crash" and message.get("method") == "tools/list":
            sys.stdout.write('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"ha')
            sys.stdout.flush()
            print("out of memory", file=sys.stderr, flush=True)
            os._exit(9)
        answer = server.answer(message)
        if answer is not None:
            say(answer)
    while server.mode == "stubborn":
        time.sleep(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "test"

    def log_message(self, *arguments: object) -> None:
        pass

    def reply(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server = self.server.mcp
        seen = self.server.seen
        seen and seen.write(json.dumps({"path": self.path, "headers": dict(self.headers)}) + "\n") and seen.flush()
        if server.mode == "redirecting":
            return self.reply(307, b"", location=self.server.elsewhere)
        if server.mode == "moved" and self.path == "/mcp":
            return self.reply(308, b"", location="/mcp/")
        if server.mode == "denying" and self.headers.get("authorization") != "Bearer let-me-in":
            return self.reply(401, b"{}", www_authenticate='Bearer realm="test"')
        if server.mode == "page":
            return self.reply(200, b"<html>Sign in</html>", "text/html")
        if server.mode == "broken":
            return self.reply(503, b"overloaded", "text/plain")
        message = json.loads(body)
        if server.mode == "crash" and message.get("method") == "tools/list":
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "100000")
            self.end_headers()
            self.wfile.write(b'{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"ha')
            self.close_connection = True
            return None
        if "id" not in message:
            return self.reply(202, b"")
        answer = server.answer(message)
        if answer is None:
            time.sleep(3_600)
        text = json.dumps(answer).encode()
        if server.mode in ("events", "huge") or (server.mode == "paged" and message["method"] == "tools/list"):
            return self.reply(200, b"event: message\ndata: " + text + b"\n\n", "text/event-stream", mcp_session_id="s1")
        return self.reply(200, text, mcp_session_id="s1")

    def do_GET(self) -> None:
        if self.server.mcp.mode in ("page", "redirecting", "denying", "broken"):
            return self.reply(405, b"")
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()

        def tell(message: dict) -> None:
            self.wfile.write(b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n")
            self.wfile.flush()

        try:
            watch(self.server.mcp, tell)
        except OSError:
            self.close_connection = True

    def do_DELETE(self) -> None:
        self.reply(200, b"{}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode")
    parser.add_argument("--tools")
    parser.add_argument("--http", type=int)
    parser.add_argument("--elsewhere", help="where the mode `redirecting` points")
    parser.add_argument("--certificate", help="PEM with certificate and key: speak HTTPS")
    parser.add_argument("--seen", help="file for the requests that came in")
    arguments = parser.parse_args()
    server = Server(arguments.mode, arguments.tools)
    if arguments.http is None:
        return speak_stdio(server)
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.http), Handler)
    listener.daemon_threads = True
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    listener.mcp, listener.elsewhere = server, arguments.elsewhere
    listener.seen = open(arguments.seen, "a") if arguments.seen else None
    listener.serve_forever()


if __name__ == "__main__":
    main()
