"""Retries, deadlines, errors and metadata, against a server that does as it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from fake_router import Behaviour, FakeRouter, come_back, failing, refuse, wrong
from tool_router_client import (
    AsyncRouter,
    DeadlineExceeded,
    InvalidRequest,
    MessageTooLarge,
    NotFound,
    Overloaded,
    Router,
    RouterError,
    Selection,
    Unauthenticated,
    Unavailable,
    Unsupported,
    Violation,
    methods,
)
from tool_router_client._proto.toolrouter.v1 import catalog_pb2, router_pb2
from tool_router_client.caller import Caller
from tool_router_client.connection import connection
from tool_router_client.retry import RetryPolicy
from tool_router_client.trace_context import origin

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ANSWER = router_pb2.SelectToolsResponse(catalog_version="7")


def answer(_: object, __: grpc.ServicerContext) -> router_pb2.SelectToolsResponse:
    return ANSWER


def away(context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAVAILABLE, "going away")


def busy(seconds: float) -> Callable[[grpc.ServicerContext], None]:
    return lambda context: refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "too much waits", come_back(seconds))


def select(address: str, timeout: float = 10.0, retries: int = 3, traceparent: str | None = None) -> Selection:
    with Router(address, timeout=timeout, retries=retries) as router:
        return router.select("mail", traceparent=traceparent)


def select_async(address: str, timeout: float = 10.0, retries: int = 3, traceparent: str | None = None) -> Selection:
    async def run() -> Selection:
        async with AsyncRouter(address, timeout=timeout, retries=retries) as router:
            return await router.select("mail", traceparent=traceparent)

    return asyncio.run(run())


both = pytest.mark.parametrize("select", [select, select_async], ids=["sync", "asyncio"])
Select = Callable[..., Selection]


@both
def test_unavailable_twice_then_an_answer(select: Select) -> None:
    with FakeRouter({"SelectTools": failing(2, away, ANSWER)}) as fake:
        assert select(fake.address).catalog_version == "7"
        assert len(fake.calls) == 3


def test_the_pauses_are_those_of_the_policy() -> None:
    pauses: list[float] = []
    policy = RetryPolicy(retries=3, first_backoff=1.0, longest_backoff=3.0, draw=lambda: 1.0)
    with FakeRouter({"SelectTools": failing(3, away, ANSWER)}) as fake:
        caller = Caller(connection(fake.address, None, None, None), 10.0, policy, sleep=pauses.append)
        caller.look_up(methods.SELECT, router_pb2.SelectToolsRequest(query="mail"), None, origin(None, None))
        caller.close()
    assert pauses == [1.0, 2.0, 3.0]


@both
def test_the_tries_end(select: Select) -> None:
    with FakeRouter({"SelectTools": failing(99, away, ANSWER)}) as fake:
        with pytest.raises(Unavailable, match="going away"):
            select(fake.address, retries=1)
        assert len(fake.calls) == 2


@both
def test_all_tries_share_one_deadline(select: Select) -> None:
    with FakeRouter({"SelectTools": failing(10**9, away, ANSWER)}) as fake:
        begin = time.monotonic()
        with pytest.raises(Unavailable):
            select(fake.address, timeout=0.5, retries=10**9)
        # Without the deadline it would go on for ever; the margin is for a busy machine.
        assert time.monotonic() - begin < 5
        assert 2 < len(fake.calls)


@both
def test_the_time_to_come_back_is_honoured(select: Select) -> None:
    with FakeRouter({"SelectTools": failing(1, busy(0.4), ANSWER)}) as fake:
        begin = time.monotonic()
        select(fake.address)
        assert 0.4 <= time.monotonic() - begin


@both
def test_no_try_waits_past_the_deadline(select: Select) -> None:
    with FakeRouter({"SelectTools": failing(1, busy(30), ANSWER)}) as fake:
        begin = time.monotonic()
        with pytest.raises(Overloaded) as caught:
            select(fake.address, timeout=2.0)
        assert caught.value.retry_after == 30
        assert time.monotonic() - begin < 20
        assert len(fake.calls) == 1


@both
def test_an_answer_that_does_not_come_ends_at_the_deadline(select: Select) -> None:
    def slow(_: object, context: grpc.ServicerContext) -> router_pb2.SelectToolsResponse:
        time.sleep(1)
        return ANSWER

    with FakeRouter({"SelectTools": slow}) as fake, pytest.raises(DeadlineExceeded, match=r"within 0\.2 s; give a longer timeout"):
        select(fake.address, timeout=0.2)


@both
def test_wrong_fields_are_named(select: Select) -> None:
    def behave(_: object, context: grpc.ServicerContext) -> None:
        refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "2 violations", wrong(("query", "is blank"), ("budget.max_tools", "is 300")))

    with FakeRouter({"SelectTools": behave}) as fake, pytest.raises(InvalidRequest) as caught:
        select(fake.address)
    assert caught.value.violations == (Violation("query", "is blank"), Violation("budget.max_tools", "is 300"))
    assert str(caught.value) == "the router refused SelectTools (INVALID_ARGUMENT):\n  query: is blank\n  budget.max_tools: is 300"
    assert caught.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, Unauthenticated, "give token or token_file"),
        (grpc.StatusCode.NOT_FOUND, NotFound, "SelectTools failed"),
        (grpc.StatusCode.INTERNAL, RouterError, "INTERNAL"),
    ],
)
def test_a_status_is_an_error_of_its_own(code: grpc.StatusCode, kind: type[RouterError], text: str) -> None:
    def behave(_: object, context: grpc.ServicerContext) -> None:
        context.abort(code, "so it is")

    with FakeRouter({"SelectTools": behave}) as fake, pytest.raises(kind, match=text) as caught:
        select(fake.address)
    assert "so it is" in str(caught.value)
    assert caught.value.code == code.name


def test_details_that_cannot_be_read_do_not_hide_the_error() -> None:
    def behave(_: object, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "query: is blank")

    with FakeRouter({"SelectTools": behave}) as fake, pytest.raises(InvalidRequest, match="query: is blank"):
        select(fake.address)


def test_an_older_router_is_named_as_the_reason() -> None:
    with FakeRouter({"SelectTools": answer}) as fake, Router(fake.address) as router:
        with pytest.raises(Unsupported, match="does not know RankTools: it is older than this client"):
            router.rank("mail", [{"name": "send"}])


def test_an_answer_beyond_the_limit_is_told_apart_from_overload() -> None:
    large = router_pb2.SelectToolsResponse(prompt="x" * (16 * 1024 * 1024))
    with FakeRouter({"SelectTools": lambda _, __: large}) as fake, pytest.raises(MessageTooLarge, match="ask for less"):
        select(fake.address)


def test_nobody_there() -> None:
    with pytest.raises(Unavailable, match=r"no router answers SelectTools at 127\.0\.0\.1:1: .*start one with `tool-router serve`"):
        select("127.0.0.1:1", retries=0)


REGISTERED = catalog_pb2.RegisterToolsResponse(catalog_version="8")


def register(behave: Behaviour, expected_version: str | None) -> int:
    """How many tries there were."""
    with FakeRouter({"RegisterTools": behave}) as fake, Router(fake.address) as router:
        try:
            router.register("mail", [{"name": "send"}], expected_version=expected_version)
        except Unavailable:
            pass
        assert fake.calls[0].time_left is None, "a registration takes as long as it takes"
        return len(fake.calls)


def test_a_registration_is_repeated_only_where_that_changes_nothing() -> None:
    assert register(failing(1, away, REGISTERED), None) == 2
    assert register(failing(1, away, REGISTERED), "7") == 1
    # Turned away at the door: nothing has begun.
    assert register(failing(1, busy(0.01), REGISTERED), "7") == 2


def test_a_removal_is_not_repeated_when_its_answer_is_lost() -> None:
    removed = catalog_pb2.UnregisterToolsResponse()
    with FakeRouter({"UnregisterTools": failing(1, away, removed)}) as fake, Router(fake.address) as router:
        with pytest.raises(Unavailable):
            router.unregister("mail", ["send"])
        assert len(fake.calls) == 1


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_a_repeated_sync_sends_the_list_from_its_start(is_async: bool) -> None:
    tools = [{"name": f"tool{i}", "description": "x" * 100} for i in range(450)]
    with FakeRouter({"SyncSource": failing(1, away, catalog_pb2.SyncSourceResponse(catalog_version="9"))}) as fake:
        if is_async:

            async def run() -> str:
                async with AsyncRouter(fake.address) as router:
                    return (await router.sync("mail", tools)).catalog_version

            version = asyncio.run(run())
        else:
            with Router(fake.address) as router:
                version = router.sync("mail", tools).catalog_version
        assert version == "9"
        assert fake.calls[0].request == fake.calls[1].request
        parts = [part.WhichOneof("part") for part in fake.calls[1].request]
        assert parts == ["header", "chunk", "chunk", "chunk", "end"]
        assert fake.calls[1].request[-1].end.total_tools == 450


@both
def test_a_trace_that_is_given_arrives(select: Select) -> None:
    with FakeRouter({"SelectTools": answer}) as fake:
        select(fake.address, traceparent=TRACEPARENT)
        assert fake.calls[0].metadata["traceparent"] == TRACEPARENT


@both
def test_the_current_span_arrives(select: Select) -> None:
    with FakeRouter({"SelectTools": answer}) as fake:
        with TracerProvider().get_tracer("test").start_as_current_span("turn") as span:
            select(fake.address)
        context = span.get_span_context()
        sent = fake.calls[0].metadata["traceparent"]
        assert sent.startswith(f"00-{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}-")
        select(fake.address)
        assert "traceparent" not in fake.calls[1].metadata, "no span, no header"


def test_a_traceparent_that_is_none_is_refused_before_the_call() -> None:
    with pytest.raises(InvalidRequest, match="traceparent: is 'abc'"):
        select("127.0.0.1:1", traceparent="abc")


def test_the_token_arrives_and_is_in_no_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("token") / "select.token"
    file.write_text("a-secret-of-16-letters\nan-older-one-that-goes\n")
    with FakeRouter({"SelectTools": answer}) as fake:
        with Router(fake.address, token_file=file) as router:
            router.select("mail")
            assert "secret" not in repr(router._caller.connection)
        assert fake.calls[0].metadata["authorization"] == "Bearer a-secret-of-16-letters"


def test_a_closed_router_says_so() -> None:
    router = Router("127.0.0.1:1")
    router.close()
    with pytest.raises(RuntimeError, match="this Router is closed"):
        router.select("mail")
