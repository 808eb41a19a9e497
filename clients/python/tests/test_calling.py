"""The `with` block around a tool call: what it measures and reports, and that no work fails for it."""

from __future__ import annotations

import asyncio
import logging
import time
import urllib.error
from email.message import Message
from typing import Any

import grpc
import pytest

from fake_router import FakeRouter
from test_outcomes import TAKEN, shown
from tool_router_client import AsyncCalling, AsyncRouter, Calling, Report, Router, ToolOutcome
from tool_router_client._proto.toolrouter.v1 import calls_pb2
from tool_router_client.calling import Delivery

TAKING = {"ReportOutcomes": lambda _, __: TAKEN}


def measured(*, seconds: float = 0.0, error: BaseException | None = None, **known: object) -> ToolOutcome:
    """What a block of so many seconds, that ends with an error or not, reports."""
    reported: list[ToolOutcome] = []
    now = iter([0.0, 10.0, 10.0 + seconds])

    def send(reports: list[ToolOutcome], *, timeout: float) -> Report:
        reported.extend(reports)
        return Report(1, 0, 0, ())

    calling = Calling(send, Delivery(), None, "a/b", "", None, None, 1.0, clock=lambda: next(now))
    try:
        with calling as call:
            for name, value in known.items():
                setattr(call, name, value)
            if error is not None:
                raise error
    except BaseException as e:
        assert e is error, "the exception goes on its way as it is"
    else:
        assert error is None
    (one,) = reported
    return one


def test_a_call_is_timed_from_the_beginning_of_the_block() -> None:
    assert measured(seconds=0.25) == ToolOutcome(None, "a/b", "ok", 250.0)
    known: dict[str, Any] = {"latency_ms": 3.0, "input_tokens": 900, "output_tokens": 31, "call_id": "call_1"}
    assert measured(seconds=9, **known) == ToolOutcome(None, "a/b", "ok", 3.0, 900, 31, "", "call_1")


class ReadTimeout(Exception):
    """As httpx and requests have one: no TimeoutError."""


class FailedWithStatus(Exception):
    def __init__(self, status: int) -> None:
        self.response = type("Response", (), {"status_code": status})()


def check(error: BaseException, outcome: str, error_class: str) -> None:
    told = measured(error=error)
    assert (told.outcome, told.error_class) == (outcome, error_class)


def test_an_exception_says_how_it_went() -> None:
    check(TimeoutError(), "timeout", "timeout")
    check(ReadTimeout("the query was: secret"), "timeout", "timeout")
    check(urllib.error.URLError(TimeoutError()), "timeout", "timeout")
    check(urllib.error.HTTPError("http://tool", 503, "busy", Message(), None), "error", "http_503")
    check(FailedWithStatus(502), "error", "http_502")
    check(ValueError("secret"), "error", "ValueError")
    check(ConnectionRefusedError(), "error", "ConnectionRefusedError")
    check(asyncio.CancelledError(), "cancelled", "CancelledError")
    check(KeyboardInterrupt(), "cancelled", "KeyboardInterrupt")
    check(type("Größer" * 20, (Exception,), {})(), "error", ("Gr_er" * 20)[:64].replace("ö", "_"))


def test_what_the_caller_says_goes_before_what_the_block_says() -> None:
    told = measured(error=ValueError(), outcome="rejected", error_class="bad_arguments")
    assert (told.outcome, told.error_class) == ("rejected", "bad_arguments")
    assert measured(error=ValueError(), error_class="mine").error_class == "mine"


def test_a_call_is_reported_with_its_selection() -> None:
    with FakeRouter(TAKING) as fake, Router(fake.address) as router:
        with router.calling(shown(), "forecast", call_id="call_1", input_tokens=900) as call:
            call.output_tokens = 31
            call.failed("tool_error")
        assert call.report == Report(1, 0, 0, ())
        (outcome,) = fake.calls[0].request.outcomes
    assert (outcome.selection_id, outcome.place, outcome.call_id) == ("s1", 2, "call_1")
    assert (outcome.outcome, outcome.error_class) == (calls_pb2.OUTCOME_ERROR, "tool_error")
    assert (outcome.input_tokens, outcome.output_tokens) == (900, 31)
    assert 0 <= outcome.latency_ms < 10_000


def test_a_call_with_asyncio() -> None:
    async def run(address: str) -> AsyncCalling:
        async with AsyncRouter(address) as router:
            with pytest.raises(asyncio.TimeoutError):
                async with router.calling(shown(), "forecast") as call:
                    await asyncio.wait_for(asyncio.sleep(60), 0.05)
            return call

    with FakeRouter(TAKING) as fake:
        call = asyncio.run(run(fake.address))
        (outcome,) = fake.calls[0].request.outcomes
    assert call.report is not None
    assert (outcome.outcome, outcome.error_class, outcome.place) == (calls_pb2.OUTCOME_TIMEOUT, "timeout", 2)
    assert 40 <= outcome.latency_ms


def test_a_task_that_is_cancelled_is_reported_and_stays_cancelled() -> None:
    async def run(address: str) -> bool:
        async with AsyncRouter(address) as router:

            async def work() -> None:
                async with router.calling(shown(), "forecast"):
                    started.set()
                    await asyncio.sleep(60)

            started = asyncio.Event()
            task = asyncio.create_task(work())
            await started.wait()
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

    with FakeRouter(TAKING) as fake:
        assert asyncio.run(run(fake.address))
        assert fake.calls[0].request.outcomes[0].outcome == calls_pb2.OUTCOME_CANCELLED


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_no_work_fails_for_a_report_and_the_log_says_so_once(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    done = []

    async def run() -> None:
        async with AsyncRouter("127.0.0.1:1", retries=0) as router:
            for i in range(3):
                async with router.calling(shown(), "forecast") as call:
                    done.append(i)
                assert call.report is None

    with caplog.at_level(logging.WARNING, "tool_router_client"):
        if is_async:
            asyncio.run(run())
        else:
            with Router("127.0.0.1:1", retries=0) as router:
                for i in range(3):
                    with router.calling(shown(), "forecast"):
                        done.append(i)
    assert done == [0, 1, 2]
    (record,) = caplog.records
    assert "an outcome of a tool call was not reported: no router answers ReportOutcomes" in record.getMessage()


def test_an_error_of_the_work_is_not_hidden_by_one_of_the_report() -> None:
    with Router("127.0.0.1:1", retries=0) as router, pytest.raises(ValueError, match="of the work"):
        with router.calling(shown(), "forecast"):
            raise ValueError("of the work")
    closed = Router("127.0.0.1:1")
    closed.close()
    with closed.calling(shown(), "forecast", input_tokens=-1) as call:
        pass
    assert call.report is None


def test_what_the_router_refuses_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    refused = calls_pb2.ReportOutcomesResponse(refused=[calls_pb2.RefusedOutcome(field="tool", detail="a/b is not known")])
    with FakeRouter({"ReportOutcomes": lambda _, __: refused}) as fake, Router(fake.address) as router:
        for _ in range(2):
            with router.calling(None, "a/b") as call:
                pass
    assert call.report is not None and call.report.accepted == 0
    assert [record.getMessage() for record in caplog.records] == ["the router refused an outcome of a tool call: tool: a/b is not known"]


def test_a_router_that_hangs_holds_nobody_up() -> None:
    def slow(_: object, context: grpc.ServicerContext) -> calls_pb2.ReportOutcomesResponse:
        time.sleep(2)
        return TAKEN

    with FakeRouter({"ReportOutcomes": slow}) as fake, Router(fake.address) as router:
        begin = time.monotonic()
        with router.calling(shown(), "forecast", timeout=0.2):
            pass
        assert time.monotonic() - begin < 1.5
