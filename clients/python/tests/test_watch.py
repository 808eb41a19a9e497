"""A watch that survives its connections, against a server that breaks them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pytest

from fake_router import FakeRouter, refuse
from tool_router_client import AsyncRouter, Bookmark, CatalogChange, CatalogEvent, InvalidRequest, ResyncRequired, Router, Unavailable
from tool_router_client._proto.toolrouter.v1 import catalog_pb2

Response = catalog_pb2.WatchCatalogResponse


def bookmark(version: str) -> Response:
    return Response(bookmark=catalog_pb2.CatalogBookmark(catalog_version=version))


def added(version: str, name: str) -> Response:
    return Response(change=catalog_pb2.CatalogChange(catalog_version=version, source="mail", added=[name]))


Step = Response | grpc.StatusCode | None


class Script:
    """What each connection tells, and how it ends."""

    def __init__(self, *connections: Sequence[Step]) -> None:
        self._connections = iter(connections)

    def __call__(self, _: object, context: grpc.ServicerContext) -> Iterator[Response]:
        for step in next(self._connections, (None,)):
            if step is None:
                # Until the caller goes.
                gone = threading.Event()
                if context.add_callback(gone.set):
                    gone.wait()
            elif isinstance(step, Response):
                yield step
            else:
                refuse(context, step, "as the test says")


def watched(fake: FakeRouter, number: int, **options: Any) -> list[CatalogEvent]:
    with Router(fake.address) as router, router.watch(**options) as watch:
        return [next(watch) for _ in range(number)]


def watched_async(fake: FakeRouter, number: int, **options: Any) -> list[CatalogEvent]:
    async def run() -> list[CatalogEvent]:
        async with AsyncRouter(fake.address) as router, router.watch(**options) as watch:
            return [await anext(watch) for _ in range(number)]

    return asyncio.run(run())


both = pytest.mark.parametrize("watched", [watched, watched_async], ids=["sync", "asyncio"])


@both
def test_it_goes_on_from_the_version_told_last(watched: Any) -> None:
    script = Script(
        [bookmark("e.1"), added("e.2", "send"), grpc.StatusCode.UNAVAILABLE],
        [],  # the router stops: the stream ends
        [grpc.StatusCode.INTERNAL],
        [added("e.3", "draft"), Response(resync_required=catalog_pb2.ResyncRequired(catalog_version="f.9", reason="restarted"))],
        [bookmark("f.9")],
    )
    with FakeRouter({"WatchCatalog": script}) as fake:
        events = watched(fake, 5, source="mail", bookmark_interval=2.5)
        assert events == [
            Bookmark("e.1"),
            CatalogChange("e.2", "mail", ("send",), (), (), (), ()),
            CatalogChange("e.3", "mail", ("draft",), (), (), (), ()),
            ResyncRequired("f.9", "restarted"),
            Bookmark("f.9"),
        ]
        requests = [call.request for call in fake.calls]
        assert [request.since_version for request in requests] == ["", "e.2", "e.2", "e.2", "f.9"]
        assert not requests[0].HasField("since_version"), "from now on"
        assert {(request.source, request.bookmark_interval_ms) for request in requests} == {("mail", 2_500)}


@both
def test_what_would_be_refused_again_is_raised(watched: Any) -> None:
    with FakeRouter({"WatchCatalog": Script([grpc.StatusCode.INVALID_ARGUMENT])}) as fake:
        with pytest.raises(InvalidRequest, match="as the test says"):
            watched(fake, 1, since_version="nonsense")
        assert len(fake.calls) == 1
        assert fake.calls[0].request.since_version == "nonsense"


@both
def test_patience_ends(watched: Any) -> None:
    script = Script(*([[grpc.StatusCode.UNAVAILABLE]] * 1_000))
    with FakeRouter({"WatchCatalog": script}) as fake, pytest.raises(Unavailable):
        watched(fake, 1, patience=0.5)


@both
def test_an_event_of_a_newer_router_is_passed_over(watched: Any) -> None:
    with FakeRouter({"WatchCatalog": Script([Response(), bookmark("e.1")])}) as fake:
        assert watched(fake, 1) == [Bookmark("e.1")]


def test_closing_ends_a_watch_that_waits() -> None:
    with FakeRouter({"WatchCatalog": Script([bookmark("e.1"), None], [bookmark("e.1"), None])}) as fake, Router(fake.address) as router:
        for close in ("watch", "router"):
            watch = router.watch()
            assert next(watch) == Bookmark("e.1")
            assert watch.version == "e.1"
            timer = threading.Timer(0.2, watch.close if close == "watch" else router.close)
            timer.start()
            assert list(watch) == []
            timer.join()


def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    script = Script([bookmark("e.1"), None], [added("e.2", "send"), None])

    async def run() -> None:
        with FakeRouter({"WatchCatalog": script}) as fake:
            async with AsyncRouter(fake.address) as router:
                watch = router.watch()
                assert await anext(watch) == Bookmark("e.1")
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(anext(watch), 0.2)
                assert isinstance(await anext(watch), CatalogChange)
                assert fake.calls[1].request.since_version == "e.1"

    asyncio.run(run())


def test_closing_ends_an_async_watch_that_waits() -> None:
    async def run() -> None:
        with FakeRouter({"WatchCatalog": Script([bookmark("e.1"), None])}) as fake:
            async with AsyncRouter(fake.address) as router:
                watch = router.watch()
                assert await anext(watch) == Bookmark("e.1")
                asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(watch.aclose()))
                assert [event async for event in watch] == []

    asyncio.run(run())
