"""Reports of tool calls: what is sent, and what is told back, against a server that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

import grpc
import pytest

from fake_router import FakeRouter, failing
from tool_router_client import (
    AsyncRouter,
    InvalidRequest,
    Outcome,
    RefusedOutcome,
    Report,
    Router,
    Selection,
    ToolOutcome,
    ToolRef,
    Unavailable,
    Unsupported,
)
from tool_router_client._proto.toolrouter.v1 import calls_pb2, router_pb2
from tool_router_client.selection import selection

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TAKEN = calls_pb2.ReportOutcomesResponse(accepted=1)


def shown() -> Selection:
    """Two callable tools, and one in the directory."""
    return selection(
        router_pb2.SelectToolsResponse(
            tools=[
                router_pb2.SelectedTool(source="mail/work", tool="send", model_name="mail_send"),
                router_pb2.SelectedTool(source="weather", tool="get-forecast", model_name="forecast"),
            ],
            listed=[router_pb2.ListedTool(source="files", tool="read", model_name="files_read")],
            meta=router_pb2.ResponseMeta(
                selection_id="s1",
                trace_id="0af7651916cd43dd8448eb211c80319c",
                traceparent=TRACEPARENT,
                stages=[router_pb2.StageTiming(stage="embed", micros=700)],
                engine="exact",
                cache="miss",
            ),
        ),
        "openai_chat",
    )


def report(address: str, *arguments: Any, **options: Any) -> Report:
    with Router(address) as router:
        return router.report(*arguments, **options)


def report_async(address: str, *arguments: Any, **options: Any) -> Report:
    async def run() -> Report:
        async with AsyncRouter(address) as router:
            return await router.report(*arguments, **options)

    return asyncio.run(run())


both = pytest.mark.parametrize("report", [report, report_async], ids=["sync", "asyncio"])
Send = Callable[..., Report]


def sent(*arguments: Any, **options: Any) -> calls_pb2.ToolOutcome:
    """The one outcome that a report becomes."""
    with FakeRouter({"ReportOutcomes": lambda _, __: TAKEN}) as fake:
        report(fake.address, *arguments, **options)
        (outcome,) = fake.calls[0].request.outcomes
        assert isinstance(outcome, calls_pb2.ToolOutcome)
        return outcome


def test_what_a_selection_says_of_itself() -> None:
    meta = shown().meta
    assert (meta.selection_id, meta.trace_id, meta.traceparent) == ("s1", "0af7651916cd43dd8448eb211c80319c", TRACEPARENT)
    assert [(stage.name, stage.micros) for stage in meta.stages] == [("embed", 700)]
    assert (meta.engine, meta.cache) == ("exact", "miss")


@both
def test_a_report_is_one_call_that_knows_the_selection(report: Send) -> None:
    with FakeRouter({"ReportOutcomes": lambda _, __: TAKEN}) as fake:
        told = report(
            fake.address,
            shown(),
            "forecast",
            outcome="error",
            latency_ms=12.5,
            input_tokens=900,
            output_tokens=31,
            error_class="http_503",
            call_id="call_1",
        )
        assert told == Report(accepted=1, duplicates=0, unknown_selections=0, refused=())
        (call,) = fake.calls
    assert call.request == calls_pb2.ReportOutcomesRequest(
        outcomes=[
            calls_pb2.ToolOutcome(
                selection_id="s1",
                selection_traceparent=TRACEPARENT,
                tool={"source": "weather", "tool": "get-forecast"},
                place=2,
                outcome=calls_pb2.OUTCOME_ERROR,
                latency_ms=12.5,
                input_tokens=900,
                output_tokens=31,
                error_class="http_503",
                call_id="call_1",
            )
        ]
    )
    assert call.time_left is not None


@pytest.mark.parametrize(
    "tool",
    [shown().tools[0], "mail_send", "mail%2Fwork/send", ("mail/work", "send"), ToolRef("mail/work", "send")],
    ids=["selected", "model name", "text", "pair", "ref"],
)
def test_a_tool_may_be_named_in_any_way(tool: Any) -> None:
    outcome = sent(shown(), tool)
    assert (outcome.tool.source, outcome.tool.tool, outcome.model_name, outcome.place) == ("mail/work", "send", "", 1)
    assert outcome.outcome == calls_pb2.OUTCOME_OK


def test_a_tool_that_is_not_in_the_list_has_no_place() -> None:
    for tool in (shown().listed[0], "files_read", "files/read"):
        outcome = sent(shown(), tool)
        assert (outcome.tool.source, outcome.tool.tool, outcome.HasField("place")) == ("files", "read", False)
    # What the model made up is the router's to refuse: it knows more tools than were shown.
    outcome = sent(shown(), "invented")
    assert (outcome.HasField("tool"), outcome.model_name, outcome.HasField("place")) == (False, "invented", False)


def test_nothing_measured_is_not_zero() -> None:
    outcome = sent(shown(), "forecast")
    assert not any(outcome.HasField(name) for name in ("latency_ms", "input_tokens", "output_tokens"))
    outcome = sent(shown(), "forecast", latency_ms=0, input_tokens=0, output_tokens=0)
    assert all(outcome.HasField(name) for name in ("latency_ms", "input_tokens", "output_tokens"))


def test_a_call_without_a_selection() -> None:
    outcome = sent(None, "mail/send", "timeout")
    assert (outcome.selection_id, outcome.selection_traceparent, outcome.call_id) == ("", "", "")
    assert not outcome.HasField("place")


def test_every_outcome_of_the_contract_has_a_name() -> None:
    wire = {name.removeprefix("OUTCOME_").lower() for name in calls_pb2.Outcome.keys()}
    assert wire == set(get_args(Outcome)) | {"unspecified"}
    for name in get_args(Outcome):
        assert calls_pb2.Outcome.Name(sent(None, "a/b", name).outcome) == f"OUTCOME_{name.upper()}"


@both
def test_a_report_whose_answer_is_lost_counts_once(report: Send) -> None:
    def away(context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    with FakeRouter({"ReportOutcomes": failing(1, away, TAKEN)}) as fake:
        report(fake.address, shown(), "forecast")
        report(fake.address, shown(), "forecast")
        ids = [call.request.outcomes[0].call_id for call in fake.calls]
    # The second try has the id of the first; another report has its own.
    assert len(ids) == 3 and ids[0] == ids[1] != ids[2] and all(ids)


@both
def test_a_report_that_would_count_twice_is_not_repeated(report: Send) -> None:
    def away(context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    with FakeRouter({"ReportOutcomes": failing(1, away, TAKEN)}) as fake:
        with pytest.raises(Unavailable):
            # Ids count within a selection only, and there is none.
            report(fake.address, None, "mail/send", call_id="call_1")
        assert len(fake.calls) == 1


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_many_at_once_and_what_is_refused_of_them(is_async: bool) -> None:
    answer = calls_pb2.ReportOutcomesResponse(
        accepted=1,
        duplicates=1,
        unknown_selections=1,
        refused=[calls_pb2.RefusedOutcome(index=1, field="latency_ms", detail="is -1: from 0 to 86400000")],
    )
    reports = [ToolOutcome(shown(), "forecast", call_id="a"), ToolOutcome(shown(), "mail_send", "timeout", -1), ToolOutcome(None, "a/b")]
    with FakeRouter({"ReportOutcomes": lambda _, __: answer}) as fake:
        if is_async:

            async def run() -> Report:
                async with AsyncRouter(fake.address) as router:
                    return await router.report_many(reports)

            told = asyncio.run(run())
        else:
            with Router(fake.address) as router:
                told = router.report_many(iter(reports))
        assert [one.tool.tool for one in fake.calls[0].request.outcomes] == ["get-forecast", "send", "b"]
    assert told == Report(1, 1, 1, (RefusedOutcome(1, "latency_ms", "is -1: from 0 to 86400000"),))


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        (("s1", "forecast"), {}, "selection: is 's1': give what select answered, or None"),
        ((None, 7), {}, "tool: is 7: give a ToolRef"),
        ((None, ("a", "b", "c")), {}, "tool: is "),
        ((None, "a/b", "fine"), {}, "outcome: is 'fine': give one of 'ok', 'error', 'timeout', 'cancelled', 'rejected'"),
        ((None, "a/b", ["ok"]), {}, "outcome: is "),
        ((None, "a/b"), {"latency_ms": float("nan")}, "latency_ms: is nan"),
        ((None, "a/b"), {"latency_ms": float("inf")}, "latency_ms: is inf"),
        ((None, "a/b"), {"latency_ms": "3"}, "latency_ms: is '3'"),
        ((None, "a/b"), {"latency_ms": True}, "latency_ms: is True"),
        ((None, "a/b"), {"input_tokens": -1}, "input_tokens: is -1"),
        ((None, "a/b"), {"output_tokens": 2**64}, "output_tokens: is 18446744073709551616"),
        ((None, "a/b"), {"output_tokens": 1.5}, "output_tokens: is 1.5"),
        ((None, "a/b"), {"error_class": None}, "error_class: is None"),
        ((None, "a/b"), {"call_id": 7}, "call_id: is 7"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_the_call(arguments: tuple[Any, ...], options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        report("127.0.0.1:1", *arguments, **options)


def test_which_of_many_is_wrong_is_named() -> None:
    with Router("127.0.0.1:1") as router:
        with pytest.raises(InvalidRequest, match=r"reports\[1\]\.input_tokens: is -1"):
            router.report_many([ToolOutcome(None, "a/b"), ToolOutcome(None, "a/b", input_tokens=-1)])
        with pytest.raises(InvalidRequest, match=r"reports\[0\]: is 'a/b': give a ToolOutcome"):
            router.report_many(["a/b"])  # type: ignore[list-item]
        for no_list in ("a/b", ToolOutcome(None, "a/b")):
            with pytest.raises(InvalidRequest, match=r"reports: is .*, not a list"):
                router.report_many(no_list)  # type: ignore[arg-type]


def test_a_report_that_does_not_arrive_is_an_error() -> None:
    with Router("127.0.0.1:1", retries=0) as router, pytest.raises(Unavailable, match="no router answers ReportOutcomes"):
        router.report(shown(), "forecast")
    with FakeRouter({}) as fake, pytest.raises(Unsupported, match="does not know ReportOutcomes"):
        report(fake.address, shown(), "forecast")
