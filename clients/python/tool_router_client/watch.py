"""Following the catalogue: events as they are published, over as many connections as it takes.

A connection that breaks is made anew from the version that was told last, so nothing is missed: the router replays what happened since, or
says with a `ResyncRequired` that it cannot.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from types import TracebackType

import grpc
import grpc.aio

from . import methods, requests
from ._proto.toolrouter.v1 import catalog_pb2
from .async_caller import AsyncCaller, AsyncStream
from .caller import Caller, Stream
from .catalogue import CatalogEvent, event
from .errors import (
    InvalidRequest,
    MessageTooLarge,
    NotFound,
    PermissionDenied,
    Refused,
    RouterError,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from .retry import RetryPolicy
from .trace_context import Origin

_LOG = logging.getLogger("tool_router_client")
# The same request would get the same answer.
_FINAL = (InvalidRequest, MessageTooLarge, NotFound, PermissionDenied, Refused, Unauthenticated, Unsupported)


class Place:
    """Where a watcher is, and how long it has been without a connection."""

    def __init__(self, version: str | None, source: str | None, bookmark_interval: float | None, patience: float | None) -> None:
        self.version = version
        self._source = source
        self._bookmark_interval = bookmark_interval
        self._patience = None if patience is None else requests.seconds("patience", patience)
        # Bad arguments are told where they were given, not with the first event.
        self.request()
        self._failures = 0
        self._lost_at = 0.0

    def request(self) -> catalog_pb2.WatchCatalogRequest:
        return requests.watch(self.version, self._source, self._bookmark_interval)

    def told(self, message: catalog_pb2.WatchCatalogResponse) -> CatalogEvent | None:
        self._failures = 0
        told = event(message)
        if told is not None:
            self.version = told.catalog_version
        return told

    def pause_after(self, failure: RouterError, policy: RetryPolicy) -> float:
        """Seconds to wait before the next connection. Raises `failure` when there is to be none."""
        if isinstance(failure, _FINAL):
            raise failure
        if self._failures == 0:
            self._lost_at = policy.clock()
        self._failures += 1
        pause = policy.backoff(self._failures, failure.retry_after)
        if self._patience is not None and self._patience < policy.clock() - self._lost_at + pause:
            raise failure
        since = "from now on" if self.version is None else f"from version {self.version} on"
        _LOG.warning("watching the catalogue goes on %s in %.1f s: %s", since, pause, failure)
        return pause


def _ended(address: str) -> Unavailable:
    return Unavailable("UNAVAILABLE", f"the router at {address} ended the stream: it is stopping")


class Watch(Iterator[CatalogEvent]):
    """Events of the catalogue; waits for the next one. Made by `Router.watch`. `close`, from any thread, ends it."""

    def __init__(self, caller: Caller, place: Place, origin: Origin) -> None:
        self._caller, self._place, self._origin = caller, place, origin
        self._stream: Stream[catalog_pb2.WatchCatalogResponse] | None = None
        self._closed = threading.Event()

    @property
    def version(self) -> str | None:
        """Of the event told last: where another watch can go on. `None` before the first one, when none was given."""
        return self._place.version

    def __next__(self) -> CatalogEvent:
        while not self._is_over():
            try:
                if self._stream is None:
                    self._stream = self._caller.stream_out(methods.WATCH, self._place.request(), self._origin)
                told = self._place.told(next(self._stream))
            except StopIteration:
                failure: RouterError = _ended(self._caller.connection.target)
            except grpc.RpcError as e:
                failure = self._caller.error(e, methods.WATCH.name, None)
            else:
                if told is None:
                    continue
                return told
            self._stream = None
            if self._is_over():
                break
            self._closed.wait(self._place.pause_after(failure, self._caller.policy))
        raise StopIteration

    def close(self) -> None:
        self._closed.set()
        if self._stream is not None:
            self._stream.cancel()

    def _is_over(self) -> bool:
        return self._closed.is_set() or self._caller.is_closed

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncWatch(AsyncIterator[CatalogEvent]):
    """The same for `async for`. Made by `AsyncRouter.watch`. A wait that is cancelled loses nothing: the next one goes on."""

    def __init__(self, caller: AsyncCaller, place: Place, origin: Origin) -> None:
        self._caller, self._place, self._origin = caller, place, origin
        self._stream: AsyncStream[catalog_pb2.WatchCatalogResponse] | None = None
        self._closed = asyncio.Event()

    @property
    def version(self) -> str | None:
        """Of the event told last: where another watch can go on. `None` before the first one, when none was given."""
        return self._place.version

    async def __anext__(self) -> CatalogEvent:
        while not self._is_over():
            try:
                if self._stream is None:
                    self._stream = self._caller.stream_out(methods.WATCH, self._place.request(), self._origin)
                message = await self._stream.read()
            except grpc.RpcError as e:
                failure = self._caller.error(e, methods.WATCH.name, None)
            except asyncio.CancelledError:
                # Cancelling a read cancels its call.
                self._stream = None
                if self._is_over():
                    break
                raise
            else:
                if isinstance(message, catalog_pb2.WatchCatalogResponse):
                    told = self._place.told(message)
                    if told is None:
                        continue
                    return told
                failure = _ended(self._caller.connection.target)
            self._stream = None
            if self._is_over():
                break
            await self._wait(self._place.pause_after(failure, self._caller.policy))
        raise StopAsyncIteration

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    async def aclose(self) -> None:
        self._closed.set()
        if self._stream is not None:
            self._stream.cancel()

    def _is_over(self) -> bool:
        return self._closed.is_set() or self._caller.is_closed

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()
