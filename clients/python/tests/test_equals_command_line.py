"""The client's answers are the command line's, byte for byte, over every bundled query.

`meta` differs from answer to answer by design: lines are compared up to it.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from program import ROOT, RunningRouter
from tool_router_client import AsyncRouter, Format, Router, Selection

FORMATS: tuple[Format, ...] = ("openai_chat", "anthropic", "mcp", "openai_responses", "gemini")
# Options of the client, and the flags that mean the same.
VARIANTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "default": ({}, []),
    "explained": (
        {"explain": True, "explain_tools": ["mail/send_message", ("calendar", "list-events")]},
        ["--explain", "--why", "mail/send_message", "--why", "calendar/list-events"],
    ),
    "strict": ({"schema_profile": "openai_strict"}, ["--schema-profile", "openai_strict"]),
    "subset": ({"schema_profile": "gemini", "max_tokens": 3_000}, ["--schema-profile", "gemini", "--max-tokens", "3000"]),
    "tiny cap": ({"max_tokens": 5}, ["--max-tokens", "5"]),
    "small cap": (
        {"max_tokens": 150, "max_tools": 3, "tokenizer": "cl100k_base", "pinned": ["wiki/no_such_tool", "files/read_file"]},
        ["--max-tokens", "150", "--max-tools", "3", "--tokenizer", "cl100k_base", "--pin", "wiki/no_such_tool", "--pin", "files/read_file"],
    ),
    "scoped": (
        {"sources": ["mail", "files"], "deny": ["files/read_file"], "max_tokens": 4_000},
        ["--source", "mail", "--source", "files", "--deny", "files/read_file", "--max-tokens", "4000"],
    ),
    "empty scope": ({"domains": ["no such"], "tags": ["no such"]}, ["--domain", "no such", "--tag", "no such"]),
    "sure": ({"min_confidence": 0.6}, ["--min-confidence", "0.6"]),
    "sure or the first two": (
        {"min_tools": 2, "min_confidence": 0.6, "relative_margin": 0.3, "pinned": ["files/read_file"]},
        ["--min-tools", "2", "--min-confidence", "0.6", "--relative-margin", "0.3", "--pin", "files/read_file"],
    ),
    "however unsure": ({"min_confidence": 0, "relative_margin": 1}, ["--min-confidence", "0", "--relative-margin", "1"]),
}
variants = pytest.mark.parametrize("variant", VARIANTS)
formats = pytest.mark.parametrize("format", FORMATS)
# Without a confidence in the answers, and with one.
routers = pytest.mark.parametrize("router", ["bundled", "calibrated"])


def select_all(address: str, queries: list[str], format: Format, options: dict[str, Any]) -> list[Selection]:
    with Router(address) as router:
        return [router.select(query, format=format, **options) for query in queries]


def select_all_async(address: str, queries: list[str], format: Format, options: dict[str, Any]) -> list[Selection]:
    async def run() -> list[Selection]:
        async with AsyncRouter(address) as router:
            return [await router.select(query, format=format, **options) for query in queries]

    return asyncio.run(run())


def without_meta(line: str) -> str:
    before, meta, _ = line.partition(',"meta":')
    assert meta
    return before


@formats
@variants
@routers
@pytest.mark.parametrize("select_all", [select_all, select_all_async], ids=["sync", "asyncio"])
def test_the_whole_answer(
    request: pytest.FixtureRequest, queries: list[str], select_all: Any, router: str, format: Format, variant: str
) -> None:
    running: RunningRouter = request.getfixturevalue(router)
    options, flags = VARIANTS[variant]
    printed = running.command("select", *queries, "--json", "--format", format, *flags).splitlines()
    answers = select_all(running.address, queries, format, options)
    assert len(printed) == len(answers) == 40
    for query, line, answer in zip(queries, printed, answers, strict=True):
        assert without_meta(answer.to_json()) == without_meta(line), query


def test_a_conversation(bundled: RunningRouter, tmp_path: Path) -> None:
    dialogues = (ROOT / "tests" / "data" / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "conversation.json"
    for turns in [json.loads(line)["turns"] for line in dialogues[::5]]:
        file.write_text(json.dumps(turns), encoding="utf-8")
        with Router(bundled.address) as router:
            answer = router.select(conversation=turns)
        assert answer.condensed.startswith(turns[-1]["text"])
        assert without_meta(answer.to_json()) == without_meta(bundled.command("select", "--conversation", str(file), "--json"))


@formats
def test_the_prompt(bundled: RunningRouter, queries: list[str], format: Format) -> None:
    for query, answer in zip(queries, select_all(bundled.address, queries, format, {}), strict=True):
        assert bundled.command("select", query, "--prompt", "--format", format) == answer.prompt + "\n", query
        tools = answer.gemini_tools() if format == "gemini" else []
        declarations = [declaration for tool in tools for declaration in tool["functionDeclarations"]]
        entries = {
            "openai_chat": answer.openai_tools,
            "anthropic": answer.anthropic_tools,
            "mcp": answer.mcp_tools,
            "openai_responses": answer.openai_responses_tools,
            "gemini": declarations.copy,
        }[format]()
        assert entries == [tool.definition for tool in answer.tools]
        for tool in answer.tools:
            assert answer.resolve(tool.model_name) == (tool.source, tool.tool)
