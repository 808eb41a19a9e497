"""The traffic: that it is as mixed as it says, the same for the same seed, and stops for nothing."""

from __future__ import annotations

import json
import random
from typing import Any

import grpc

import traffic
from fake_router import FakeRouter, refuse, wrong
from tool_router_client import Router
from tool_router_client._proto.toolrouter.v1 import calls_pb2, catalog_pb2, router_pb2

QUERIES = ["what is on my calendar", "will it rain"]


def answer(request: router_pb2.SelectToolsRequest, context: grpc.ServicerContext) -> router_pb2.SelectToolsResponse:
    if request.budget.max_tools > 200 or request.budget.tokenizer or request.min_confidence > 1:
        refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "wrong", wrong(("budget", "is wrong")))
    if request.budget.HasField("max_tokens") and request.budget.max_tokens == 0:
        refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "wrong", wrong(("budget", "is wrong")))
    if request.query in traffic.SMALL_TALK or "no-such-source" in request.scope.sources or request.budget.max_tokens == 5:
        return router_pb2.SelectToolsResponse(no_match=router_pb2.NoMatch(detail="nothing fits"))
    shown = [router_pb2.SelectedTool(source="weather", tool=f"tool{i}", model_name=f"tool{i}", fidelity=2) for i in range(3)]  # type: ignore[arg-type]
    return router_pb2.SelectToolsResponse(
        tools=shown, usage=router_pb2.Usage(returned_tokens=300), meta=router_pb2.ResponseMeta(selection_id="s", trace_id="t")
    )


def taken(request: calls_pb2.ReportOutcomesRequest, _: object) -> calls_pb2.ReportOutcomesResponse:
    return calls_pb2.ReportOutcomesResponse(accepted=len(request.outcomes))


BEHAVIOURS: dict[str, Any] = {
    "SelectTools": answer,
    "ReportOutcomes": taken,
    "SyncSource": lambda _, __: catalog_pb2.SyncSourceResponse(diff=catalog_pb2.CatalogDiff(added=["a"], changed=["b"])),
}


def acted(fake: FakeRouter, times: int) -> traffic.Tally:
    tally = traffic.Tally()
    with Router(fake.address, agent_name="planner", retries=0) as router:
        agent = traffic.Agent("planner", router, QUERIES, tally, "1 planner")
        for _ in range(times):
            agent.act()
    return tally


def test_every_kind_of_traffic_is_made() -> None:
    with FakeRouter(BEHAVIOURS) as fake:
        tally = acted(fake, 300)
        reported = [
            one for call in fake.calls if isinstance(call.request, calls_pb2.ReportOutcomesRequest) for one in call.request.outcomes
        ]
    assert not tally.failures
    kinds = {"selections", "small_talk", "asked_in_vain", "no_match", "conversations", "refused", "kept_for_replay", "outcomes_reported"}
    assert kinds <= set(tally.counts) and "wrong_but_taken" not in tally.counts
    # A server beside the test may well answer within a millisecond.
    assert tally.counts["deadlines_missed"] + tally.counts["in_a_hurry_unspecified"] > 0
    assert {one.outcome for one in reported} == set(range(1, 6))
    assert {"http_503", "tool_error", "timeout", "bad_arguments"} <= {one.error_class for one in reported}
    assert any(one.HasField("input_tokens") for one in reported) and any(not one.selection_id for one in reported)
    assert len({(one.selection_id, one.call_id) for one in reported if one.call_id}) < len([one for one in reported if one.call_id])


def test_the_same_seed_does_the_same() -> None:
    def asked() -> list[str]:
        with FakeRouter(BEHAVIOURS) as fake:
            acted(fake, 60)
            # A call that was given up may not have arrived.
            return [
                call.request.query
                for call in fake.calls
                if isinstance(call.request, router_pb2.SelectToolsRequest) and call.time_left and call.time_left > 1
            ]

    assert asked() == asked()


def test_a_router_that_fails_is_counted_and_no_reason_to_stop() -> None:
    def broken(_: object, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.INTERNAL, "broken")

    with FakeRouter({"SelectTools": broken}) as fake:
        tally = acted(fake, 20)
    assert sum(tally.failures.values()) == 20 and all(kind.endswith((" INTERNAL", " DEADLINE_EXCEEDED")) for kind in tally.failures)


def test_all_of_it_at_once_and_what_it_tells() -> None:
    with FakeRouter(BEHAVIOURS) as fake:
        tally = traffic.run(fake.address, seconds=0.6, rate=100, seed=random.randrange(1 << 30), token_file=None)
        names = {call.metadata["x-agent-name"] for call in fake.calls}
        synced = [call.request for call in fake.calls if isinstance(call.request, list)]
    assert names == set(traffic.AGENTS)
    assert synced[0][0].header.source == traffic.SOURCE and synced[0][-1].end.total_tools == len(traffic.SUBJECTS) - 1
    told = json.loads(tally.line())
    assert told["done"]["registrations"] == 1 and told["done"]["tools_changed"] == 2
    assert set(told) == {"done", "failed", "traces"} and len(told["traces"]["selections"]) <= traffic.MOST_TRACES


def test_a_source_changes_from_one_registration_to_the_next() -> None:
    assert traffic.definition("chess clubs", 1) != traffic.definition("chess clubs", 2)
    assert traffic.definition("chess clubs", 1)["name"] == "find_chess_clubs"
