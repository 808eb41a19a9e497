"""The examples, as a newcomer runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from program import EXAMPLES, RunningRouter


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")}
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        timeout=120,
    )


def output(name: str, *arguments: str) -> str:
    done = run(name, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_chat_loop(bundled: RunningRouter) -> None:
    told = output("openai_loop.py", "--address", bundled.address, "will it rain in Oslo, what is the forecast")
    assert re.search(r"\d+ of 87 tools, [\d,]+ tokens", told)
    assert re.search(r'calls get-forecast of weather with \{"place": "example"\}', told)
    assert "Here is what I found: get-forecast is done" in told
    saved = re.search(r"^([\d,]+) tokens saved in 1 turns$", told, re.MULTILINE)
    assert saved and 10_000 < int(saved[1].replace(",", ""))


def test_the_chat_loop_says_how_sure_the_router_is(bundled: RunningRouter, calibrated: RunningRouter) -> None:
    query = "will it rain in Oslo, what is the forecast"
    assert re.search(r"tokens, \d+% sure that one fits$", output("openai_loop.py", "--address", calibrated.address, query), re.MULTILINE)
    assert "sure" not in output("openai_loop.py", "--address", bundled.address, query)


def test_the_chat_loop_says_how_to_get_tools(empty: RunningRouter) -> None:
    done = run("openai_loop.py", "--address", empty.address)
    assert done.returncode == 1
    assert "the router has no tools: import some with `tool-router import file" in done.stderr


def test_an_example_without_a_router_says_so() -> None:
    for name in ("openai_loop.py", "langgraph_agent.py", "mcp_agent.py"):
        done = run(name, "--address", "127.0.0.1:1")
        assert done.returncode == 1, name
        assert "no router answers" in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_the_langgraph_agent(bundled: RunningRouter) -> None:
    told = output("langgraph_agent.py", "--address", bundled.address, "will it rain in Oslo, what is the forecast", "refund the charge")
    assert "calls get-forecast of weather with {'place': 'example'}" in told
    assert "calls createRefund of payments" in told
    assert told.count("Here is what I found:") == 2


def test_the_mcp_agent(empty: RunningRouter) -> None:
    told = output("mcp_agent.py", "--address", empty.address)
    assert "registered 4 tools of notes" in told and "registered 3 tools of units" in told
    assert re.search(r"offers convert_length, \w+; \d+ tokens saved", told)
    assert "calls convert_length on units" in told and "Here is what I found: 1.0" in told
    assert "calls add_note on notes" in told and "Here is what I found: noted 'example'" in told
    again = output("mcp_agent.py", "--address", empty.address, "list the titles of all notes")
    assert "the router has the tools of notes" in again
    assert "calls list_notes on notes" in again and "groceries" in again
