"""The real router, as a program of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tool_router_client import Router, Unavailable

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "examples" / "catalogue"
EXAMPLES = ROOT / "clients" / "python" / "examples"
# A confidence for the hashing embedder, which comes with none. Made up, so that over the bundled queries some are sure and some are not.
WEIGHTS = {
    "format": 1,
    "model": "hashing-256@1",
    "fusion": {"best": 0.5, "mean": 0.5, "full": 0.0, "lexical": 0.2, "named": 0.2, "named_by_words": 0.3},
    "clauses": {"weight": 1.0, "cover": 0.7, "min_words": 12, "max_parts": 3},
    "confidence": {
        "nearest": 12.0,
        "talk_weight": 0.0,
        "bias": -4.0,
        "slope": 1.0,
        "abstain_below": 0.1,
        "tool": {"behind": 8.0, "any": 0.5, "bias": 0.5},
        "own_log_odds": 0.0,
        "talk": [0.0] * 256,
    },
}
# A build for tests on a busy machine starts slowly.
LONGEST_START = 60.0


def binary() -> Path:
    """Raises where there is none: a test that needs the program must not pass without it."""
    name = os.environ.get("TOOL_ROUTER_BIN")
    if not name:
        raise RuntimeError("set TOOL_ROUTER_BIN to the tool-router program")
    found = shutil.which(name)
    if not found:
        raise RuntimeError(f"TOOL_ROUTER_BIN is {name}, which is no program")
    return Path(found)


def calibrated_options(folder: Path) -> list[str]:
    """Of a router whose answers have a confidence."""
    weights, config = folder / "ranking.json", folder / "config.toml"
    weights.write_text(json.dumps(WEIGHTS), encoding="utf-8")
    # A JSON string is a TOML string.
    config.write_text(f"[ranking]\nweights_file = {json.dumps(str(weights))}\n", encoding="utf-8")
    return ["--config", str(config)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningRouter:
    """Serves with the hashing embedder and a store in `folder`, until `stop`."""

    def __init__(self, folder: Path, options: Sequence[str] = (), connect: Callable[[str], Router] = Router) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._folder, self._options, self._connect = folder, options, connect
        self.start()

    def start(self) -> None:
        """Also after `stop`, on the same port and store."""
        self._log = self._folder / "serve.log"
        command = [binary(), "serve", "--embedder", "hashing", "--grpc-address", self.address, "--http-address", "127.0.0.1:0"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*map(str, command), "--store", str(self._folder / "router.db"), *self._options],
                stdout=log,
                stderr=log,
            )
        self._await_health()

    def _await_health(self) -> None:
        give_up = time.monotonic() + LONGEST_START
        with self._connect(self.address) as router:
            while time.monotonic() < give_up and self._process.poll() is None:
                try:
                    if router.health(timeout=1):
                        return
                except Unavailable:
                    time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the router did not start:\n{self._log.read_text(errors='replace')}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def command(self, *arguments: str) -> str:
        """Standard output of a command against this router."""
        done = subprocess.run(
            [str(binary()), *arguments, "--address", f"http://{self.address}"], capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def import_catalogue(self) -> None:
        self.command("import", "file", *sorted(str(path) for path in CATALOGUE.glob("*.json")))
