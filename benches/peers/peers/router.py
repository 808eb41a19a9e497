"""The router itself: the real program with an empty store, asked over gRPC through its own Python client.

Its caches are off and it has one worker, so every query costs it one forward pass on one thread, as it costs its peers. Starting it is not
part of the build time, as importing them is not part of theirs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tool_router_client import InvalidRequest, Router, Unavailable

from data import Tool
from peers import Peer, Surroundings

CONFIG = """\
[cache]
answers_mib = 0
vectors_mib = 0
[embedder]
workers = 1
"""
# Stands for a missing source, as in `tool-router eval`: no word of it is ever searched.
NO_SOURCE = "-"
# No answer may be cut short: peers have no cap.
NO_CAP = 2**32 - 1
# Longest query that the contract takes.
QUERY_BYTES = 32 * 1024
PATIENCE_S = 60.0


class System(Peer):
    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._binary, self._root = surroundings.binary, surroundings.root
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Router | None = None

    def start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tool-router-peers-")
        folder = Path(self._folder.name)
        config, self._log = folder / "config.toml", folder / "serve.log"
        config.write_text(CONFIG, encoding="utf-8")
        address = f"127.0.0.1:{_free_port()}"
        options = ["--config", str(config), "--store", str(folder / "router.db")]
        options += ["--grpc-address", address, "--http-address", "127.0.0.1:0"]
        # Settings of whoever runs this must not reach in.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TOOL_ROUTER__")}
        with self._log.open("wb") as log:
            command = [str(self._binary), "serve", *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._root, env=environment)
        self._client = Router(address, timeout=PATIENCE_S)
        give_up = time.monotonic() + PATIENCE_S
        while self._process.poll() is None and time.monotonic() < give_up:
            try:
                if self._client.health(timeout=1):
                    return
            except Unavailable:
                time.sleep(0.05)
        raise RuntimeError(f"the router did not start: {self._log.read_text(errors='replace').strip()[-500:]}")

    def build(self, tools: list[Tool]) -> None:
        assert self._client is not None, "start comes first"
        self._ids: dict[tuple[str, str], str] = {}
        by_source: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for place, tool in enumerate(tools):
            source = tool.source or NO_SOURCE
            if (source, tool.name) in self._ids:
                source = _marked(source, place)
            self._ids[source, tool.name] = tool.id
            by_source[source].append({"name": tool.name, "description": tool.description, "inputSchema": tool.schema})
        # Answers when the tools are embedded and searchable.
        for source, definitions in by_source.items():
            try:
                self._client.sync(source, definitions)
            except InvalidRequest:
                self._register_what_is_sound(source, definitions)

    def _register_what_is_sound(self, source: str, definitions: list[dict[str, Any]]) -> None:
        """A list with an unsound tool is refused whole. That tool is then lost to the router, and to its score."""
        assert self._client is not None
        for definition in definitions:
            try:
                self._client.register(source, [definition])
            except InvalidRequest as e:
                self.notes.append(f"{source}/{definition['name']} was refused: {' '.join(str(e).split())}")

    def rank(self, query: str, k: int) -> list[str]:
        assert self._client is not None
        text = query.encode()[:QUERY_BYTES].decode(errors="ignore")
        # Peers return something for every query, so nothing is held back for lack of confidence.
        answer = self._client.select(text, max_tokens=NO_CAP, max_tools=k, min_confidence=0.0)
        if answer.mode == "lexical":
            raise RuntimeError(f"answered by words alone: {answer.degraded_reason}")
        return [self._ids[tool.source, tool.tool] for tool in answer.tools]

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _marked(source: str, place: int) -> str:
    """Tools of a set may share source and name, registered ones cannot: the place goes into the source in characters that are no words."""
    bits = f"{place:b}".replace("0", "!").replace("1", "?")
    return f"{source}|{bits}"
