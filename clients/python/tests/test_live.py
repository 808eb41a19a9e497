"""Ranking tools of one's own, following the catalogue, and configured sources, against the real router."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from program import EXAMPLES, LONGEST_START, RunningRouter
from test_catalogue import READ, SEND, bundled_tools
from tool_router_client import AsyncRouter, Bookmark, CatalogChange, InvalidRequest, NotFound, Report, ResyncRequired, Router, ToolOutcome

WEATHER: dict[str, Any] = {"name": "forecast", "description": "Weather forecast: will it rain", "inputSchema": {"type": "object"}}


def test_rank_needs_no_catalogue_and_leaves_none(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        selection = router.rank("will it rain tomorrow", [SEND, READ, WEATHER], max_tools=1)
        assert [(tool.source, tool.tool) for tool in selection.tools] == [("caller", "forecast")]
        assert selection.resolve(selection.tools[0].model_name) == ("caller", "forecast")
        assert selection.catalog_version == ""
        assert selection.usage.eligible_tools == 3
        assert list(router.list_tools()) == []
        by_source = router.rank("will it rain", {"mail": [SEND], "sky": [WEATHER]}, pinned=["mail/send"], format="mcp", explain=True)
        assert (by_source.tools[0].source, by_source.tools[0].tool) == ("mail", "send")
        assert by_source.mcp_tools()[0]["name"] == by_source.tools[0].model_name
        assert all(tool.reasons for tool in by_source.tools)
        assert router.rank("will it rain", [WEATHER], max_tokens=1).tools == ()


def test_rank_answers_as_select_would_over_the_same_tools(empty: RunningRouter, queries: list[str]) -> None:
    tools = {source: bundled_tools(source) for source in ("weather", "mail", "files")}
    with Router(empty.address) as router:
        for source, of_source in tools.items():
            router.sync(source, of_source)
        for query in queries:
            ranked, selected = router.rank(query, tools), router.select(query)
            for answer in (ranked.message, selected.message):
                answer.ClearField("meta")
                answer.ClearField("catalog_version")
            assert ranked.to_json() == selected.to_json(), query


def test_a_list_goes_on_from_turn_to_turn(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        for source in ("weather", "mail", "files"):
            router.sync(source, bundled_tools(source))
        first = router.select("send mail to ann", previous_tools=(), session_id="s", max_tokens=600, directory=True)
        assert first.continuity is not None and first.continuity.change == "first"
        assert first.directory.count("\n") == len(first.listed) + 1
        again = router.select("send mail to ann", previous_tools=first.tools, max_tokens=600)
        assert again.continuity is not None and (again.continuity.change, again.continuity.kept_tools) == ("appended", len(first.tools))
        # What a directory took before may hold one more tool now.
        assert again.tools[: len(first.tools)] == first.tools


def test_arguments_are_turned_back_and_checked(empty: RunningRouter) -> None:
    schema = {"type": "object", "properties": {"to": {"type": "string"}, "cc": {"type": "string"}}, "required": ["to"]}
    with Router(empty.address) as router:
        router.register("mail", [{"name": "send", "description": "Send mail", "inputSchema": schema}])
        (tool,) = router.select("send mail", format="openai_responses", schema_profile="openai_strict").tools
        assert (tool.schema_profile, tool.definition["strict"]) == ("openai_strict", True)
        assert tool.definition["parameters"]["required"] == ["to", "cc"]
        good = router.check_arguments("mail/send", {"to": "ann", "cc": None}, made_for=tool.schema_profile)
        assert (good.verdict, good.arguments, good.errors) == ("valid", {"to": "ann"}, ())
        bad = router.check_arguments("send", '{"to":7}')
        assert (bad.verdict, [error.path for error in bad.errors]) == ("invalid", ["/to"])
        with pytest.raises(NotFound, match="no tool has the model name"):
            router.check_arguments("sent", {})


def test_arguments_with_asyncio(empty: RunningRouter) -> None:
    async def run() -> None:
        async with AsyncRouter(empty.address) as router:
            await router.register("mail", [SEND])
            assert (await router.check_arguments(("mail", str(SEND["name"])), "[]")).verdict == "invalid"

    asyncio.run(run())


def test_rank_refuses_two_of_one_name(empty: RunningRouter) -> None:
    with Router(empty.address) as router, pytest.raises(InvalidRequest, match="send"):
        router.rank("mail", [SEND, SEND])


def test_rank_with_asyncio(empty: RunningRouter) -> None:
    async def run() -> None:
        async with AsyncRouter(empty.address) as router:
            selection = await router.rank("will it rain tomorrow", [SEND, WEATHER], max_tools=1)
            assert [tool.tool for tool in selection.tools] == ["forecast"]

    asyncio.run(run())


def test_a_watch_is_told_what_happens(empty: RunningRouter) -> None:
    with Router(empty.address) as router, router.watch() as watch:
        assert isinstance(next(watch), Bookmark)
        version = router.register("mail", [SEND, READ]).catalog_version
        event = next(watch)
        assert isinstance(event, CatalogChange)
        assert (event.source, sorted(event.added), event.removed) == ("mail", ["read", "send"], ())
        assert event.catalog_version == version == watch.version
        router.unregister("mail", ["read"])
        event = next(watch)
        assert isinstance(event, CatalogChange) and event.removed == ("read",)


def test_a_watch_from_a_listing_misses_nothing(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        router.register("mail", [SEND])
        listing = router.list_tools()
        assert [tool.name for tool in listing] == ["send"]
        router.register("mail", [READ])
        with router.watch(listing.catalog_version) as watch:
            event = next(watch)
            assert isinstance(event, CatalogChange) and event.added == ("read",)
            assert isinstance(next(watch), Bookmark)


def test_a_watch_of_one_source_hears_bookmarks_meanwhile(empty: RunningRouter) -> None:
    with Router(empty.address) as router, router.watch(source="mail", bookmark_interval=0.2) as watch:
        assert isinstance(next(watch), Bookmark)
        router.register("sky", [WEATHER])
        router.register("mail", [SEND])
        heard = next(watch)
        while isinstance(heard, Bookmark):
            heard = next(watch)
        assert isinstance(heard, CatalogChange) and heard.source == "mail"
        assert isinstance(next(watch), Bookmark)


def test_a_watch_survives_a_restart(empty: RunningRouter) -> None:
    with Router(empty.address) as router, router.watch() as watch:
        assert isinstance(next(watch), Bookmark)
        router.register("mail", [SEND])
        assert isinstance(next(watch), CatalogChange)
        empty.stop()
        empty.start()
        router.register("mail", [READ])
        for event in watch:
            if isinstance(event, CatalogChange):
                assert event.added == ("read",)
                break
            # A router that no longer knows what happened says so; then the list is the truth.
            if isinstance(event, ResyncRequired):
                assert [tool.name for tool in router.list_tools("mail")] == ["read", "send"]
                break


def test_an_async_watch(empty: RunningRouter) -> None:
    async def run() -> None:
        async with AsyncRouter(empty.address) as router, router.watch() as watch:
            assert isinstance(await anext(watch), Bookmark)
            await router.register("mail", [SEND])
            async for event in watch:
                if isinstance(event, CatalogChange):
                    assert event.added == ("send",)
                    break

    asyncio.run(run())


def test_outcomes_are_counted_once_and_refused_one_by_one(empty: RunningRouter) -> None:
    with Router(empty.address, agent_name="a test") as router:
        router.register("mail", [SEND, READ])
        selection = router.select("send mail")
        assert selection.meta.traceparent.split("-")[1] == selection.meta.trace_id
        tool = selection.tools[0]
        with router.calling(selection, tool.model_name, call_id="call_1", input_tokens=900, output_tokens=31) as call:
            pass
        assert call.report == Report(accepted=1, duplicates=0, unknown_selections=0, refused=())
        assert router.report(selection, tool, "error", call_id="call_1").duplicates == 1
        told = router.report_many(
            [
                ToolOutcome(selection, tool, latency_ms=-1),
                ToolOutcome(None, "mail/read", "timeout", 30_000),
                ToolOutcome(selection, tool, "error", error_class="two words"),
                ToolOutcome(selection, "mail/invented"),
            ]
        )
        assert told.accepted == 1
        assert [(one.index, one.field) for one in told.refused] == [(0, "latency_ms"), (2, "error_class"), (3, "tool")]
        with pytest.raises(InvalidRequest, match="500"):
            router.report_many([ToolOutcome(None, "mail/read")] * 501)


def test_no_source_is_configured(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        assert router.list_sources() == []


def test_a_source_that_is_configured(tmp_path: Path) -> None:
    # A server gets few variables of the router's environment: this one needs to find the SDK.
    path = json.dumps(os.environ.get("PYTHONPATH", ""))
    command = json.dumps([sys.executable, str(EXAMPLES / "servers" / "notes.py")])
    config = tmp_path / "router.toml"
    config.write_text(f'[[sources]]\nname = "notes"\ncommand = {command}\nenv = {{ PYTHONPATH = {path} }}\n', encoding="utf-8")
    running = RunningRouter(tmp_path, ["--config", str(config)])
    try:
        with Router(running.address) as router, router.watch(bookmark_interval=0.2) as watch:
            give_up = time.monotonic() + LONGEST_START
            while router.list_sources()[0].state == "starting" and time.monotonic() < give_up:
                next(watch)
            (status,) = router.list_sources()
            assert (status.source, status.state, status.tools, status.error) == ("notes", "synced", 4, ""), status
            assert status.last_sync_at_ms is not None and status.age_ms is not None and status.syncs == 1
            assert router.select("write down a note", max_tools=1).tools[0].source == "notes"
    finally:
        running.stop()
