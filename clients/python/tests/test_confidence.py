"""How sure the router is, and what is left out for it: with a calibration, and without."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from fake_router import FakeRouter
from program import RunningRouter, calibrated_options
from test_catalogue import SEND, bundled_tools
from tool_router_client import AsyncRouter, InvalidRequest, Router
from tool_router_client._proto.toolrouter.v1 import router_pb2

# The router compares 32-bit floats: 0.6 is not the same number there.
EPSILON = 1e-6


def test_without_a_calibration_no_answer_has_one(router: Router, queries: list[str]) -> None:
    for query in queries:
        answer = router.select(query)
        assert answer.confidence is None and answer.degraded_reason == ""
        assert {tool.confidence for tool in answer.tools} <= {None}
        assert "confidence" not in answer.to_json()


def test_without_a_calibration_a_least_is_not_applied_and_the_answer_says_so(router: Router, queries: list[str]) -> None:
    for query in queries:
        free, asked = router.select(query), router.select(query, min_confidence=0.99)
        assert asked.tools == free.tools
        assert asked.mode == "semantic" and "min_confidence was not applied" in asked.degraded_reason


def test_with_a_calibration_every_answer_has_one(calibrated: RunningRouter, queries: list[str]) -> None:
    with Router(calibrated.address) as router:
        answers = [router.select(query) for query in queries]
    assert all(answer.confidence is not None and 0 <= answer.confidence <= 1 for answer in answers)
    assert 30 < sum(bool(answer.tools) for answer in answers)
    for answer in answers:
        assert answer.degraded_reason == ""
        assert all(tool.confidence is not None and 0 <= tool.confidence <= 1 for tool in answer.tools)


def test_the_least_is_kept_to(calibrated: RunningRouter, queries: list[str]) -> None:
    no_match, shortened, named = 0, 0, 0
    with Router(calibrated.address) as router:
        for query in queries:
            free, answer = router.select(query, min_confidence=0), router.select(query, min_confidence=0.6, explain=True)
            assert free.confidence == answer.confidence is not None
            unlikely = [tool for tool in answer.tools if tool.confidence is None or tool.confidence < 0.6 - EPSILON]
            low = [one for one in answer.dropped if one.reason == "low_confidence"]
            if unlikely:
                assert all("the query names it" in tool.reasons for tool in unlikely), query
                named += 1
            elif answer.no_match:
                assert answer.confidence < 0.6 and answer.no_match.reason == "low_confidence", query
                no_match += 1
            elif low:
                assert 0.6 - EPSILON <= answer.confidence and "the least is 0.600" in low[0].detail, query
                shortened += 1
            # However unlikely, the first ones come when they are asked for.
            first = [tool.ref for tool in router.select(query, min_confidence=1, min_tools=2).tools]
            assert first == [tool.ref for tool in free.tools[:2]], query
    assert all((no_match, shortened, named)), (no_match, shortened, named)


def test_a_wider_margin_leaves_more(calibrated: RunningRouter, bundled: RunningRouter, queries: list[str]) -> None:
    for running in (calibrated, bundled):
        shortest = 0
        with Router(running.address) as router:
            for query in queries:
                options: dict[str, Any] = {"max_tokens": 100_000, "min_confidence": 0}
                lists = [router.select(query, relative_margin=margin, **options) for margin in (0, 0.2, 0.5, 1)]
                counts = [len(answer.tools) for answer in lists]
                assert all(narrow <= wide for narrow, wide in pairwise(counts)), query
                assert 1 <= counts[0], "the best is never too far from itself"
                shortest += counts[1] < counts[-1]
        assert 10 < shortest


def test_a_pinned_tool_stays(calibrated: RunningRouter) -> None:
    with Router(calibrated.address) as router:
        answer = router.select("zzz qqq", pinned=["files/read_file"], min_confidence=1)
        assert [tool.ref for tool in answer.tools] == [("files", "read_file")]


def test_rank_takes_and_answers_the_same(tmp_path: Path, queries: list[str]) -> None:
    tools = {source: bundled_tools(source) for source in ("weather", "mail", "files")}
    running = RunningRouter(tmp_path, calibrated_options(tmp_path))
    try:
        with Router(running.address) as router:
            for source, of_source in tools.items():
                router.sync(source, of_source)
            for options in ({"min_confidence": 0.4}, {"min_tools": 1, "min_confidence": 0.6, "relative_margin": 0.2}):
                for query in queries:
                    ranked, selected = router.rank(query, tools, **options), router.select(query, **options)  # type: ignore[arg-type]
                    assert ranked.confidence is not None
                    for answer in (ranked.message, selected.message):
                        answer.ClearField("meta")
                        answer.ClearField("catalog_version")
                    assert ranked.to_json() == selected.to_json(), query
    finally:
        running.stop()


def test_with_asyncio(calibrated: RunningRouter) -> None:
    async def run() -> None:
        async with AsyncRouter(calibrated.address) as router:
            selected = await router.select("send an email", min_tools=1, min_confidence=1, relative_margin=0)
            ranked = await router.rank("send an email", [SEND], min_tools=1, min_confidence=1, relative_margin=0)
            for answer in (selected, ranked):
                assert answer.confidence is not None and len(answer.tools) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"min_tools": 4, "max_tools": 3}, "budget.min_tools: is 4, more than max_tools, which is 3"),
        ({"min_confidence": 1.5}, "min_confidence: is 1.5, it must be 0 to 1"),
        ({"relative_margin": -0.1}, "relative_margin: is -0.1, it must be 0 to 1"),
    ],
)
def test_limits_are_the_routers(router: Router, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        router.select("mail", **options)
    with pytest.raises(InvalidRequest, match=text):
        router.rank("mail", [SEND], **options)


def test_nothing_is_sent_that_was_not_said() -> None:
    def select(_: object, __: grpc.ServicerContext) -> router_pb2.SelectToolsResponse:
        return router_pb2.SelectToolsResponse()

    def rank(_: object, __: grpc.ServicerContext) -> router_pb2.RankToolsResponse:
        return router_pb2.RankToolsResponse()

    with FakeRouter({"SelectTools": select, "RankTools": rank}) as fake, Router(fake.address) as router:
        for options in ({}, {"min_tools": 0, "min_confidence": 0, "relative_margin": 0}):
            router.select("mail", **options)  # type: ignore[arg-type]
            router.rank("mail", [SEND], **options)  # type: ignore[arg-type]
            for call in fake.calls[-2:]:
                said = [call.request.budget.HasField("min_tools"), *map(call.request.HasField, ("min_confidence", "relative_margin"))]
                assert said == [bool(options)] * 3
