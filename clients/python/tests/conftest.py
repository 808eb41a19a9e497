from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from program import CATALOGUE, RunningRouter, calibrated_options
from tool_router_client import Router


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRouter]:
    """A router with the bundled catalogue, for tests that only read it."""
    running = RunningRouter(tmp_path_factory.mktemp("bundled"))
    try:
        running.import_catalogue()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRouter]:
    """The same, and its answers have a confidence."""
    folder = tmp_path_factory.mktemp("calibrated")
    running = RunningRouter(folder, calibrated_options(folder))
    try:
        running.import_catalogue()
        yield running
    finally:
        running.stop()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[RunningRouter]:
    """A router of a test's own, without tools."""
    running = RunningRouter(tmp_path)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def router(bundled: RunningRouter) -> Iterator[Router]:
    with Router(bundled.address) as made:
        yield made


@pytest.fixture(scope="session")
def queries() -> list[str]:
    lines = (CATALOGUE / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]
