"""The same calls for asyncio. The channel belongs to an event loop, so it opens with the first call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar, cast

import grpc
import grpc.aio

from .call_span import CallSpan
from .connection import Connection
from .errors import RouterError
from .methods import Method, Request, Response
from .requests import seconds
from .retry import Attempts, RetryPolicy
from .status import to_error
from .trace_context import Headers, Origin

Answer = TypeVar("Answer", covariant=True)


class AsyncStream(Protocol[Answer]):
    """A running call that answers with a stream. `read` gives `grpc.aio.EOF` at its end."""

    async def read(self) -> Answer: ...

    def cancel(self) -> bool: ...


class AsyncCaller:
    """For use within one event loop."""

    def __init__(
        self,
        connection: Connection,
        timeout: float,
        policy: RetryPolicy,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.connection = connection
        self.policy = policy
        self.is_closed = False
        self._timeout = timeout
        self._sleep = sleep
        self._channel: grpc.aio.Channel | None = None

    async def look_up(
        self,
        method: Method[Request, Response],
        request: Request,
        timeout: float | None,
        origin: Origin,
        repeatable: bool | None = None,
    ) -> Response:
        """One message each way, always with a deadline. `repeatable` is the method's, unless the request decides."""
        limit = self._timeout if timeout is None else seconds("timeout", timeout)
        return await self.unary(method, request, limit, origin, method.repeatable if repeatable is None else repeatable)

    async def unary(
        self, method: Method[Request, Response], request: Request, timeout: float | None, origin: Origin, repeatable: bool
    ) -> Response:
        call = self._open().unary_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        with CallSpan(self.connection, method, origin) as headers:
            metadata = self._metadata(headers)
            return await self._with_retries(
                method.name, timeout, repeatable, lambda left: cast("Awaitable[Response]", call(request, timeout=left, metadata=metadata))
            )

    async def stream_in(
        self, method: Method[Request, Response], requests: Sequence[Request], timeout: float | None, origin: Origin, repeatable: bool
    ) -> Response:
        """Many messages there, one back. A retry sends them from the first one on."""
        call = self._open().stream_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        with CallSpan(self.connection, method, origin) as headers:
            metadata = self._metadata(headers)
            return await self._with_retries(
                method.name,
                timeout,
                repeatable,
                lambda left: cast("Awaitable[Response]", call(iter(requests), timeout=left, metadata=metadata)),
            )

    def stream_out(self, method: Method[Request, Response], request: Request, origin: Origin) -> AsyncStream[Response]:
        """One message there, many back, without a deadline and without retries: whoever reads them knows where to go on. Without a span of
        its own: it may be open for days."""
        call = self._open().unary_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        metadata = self._metadata(origin.headers(self.connection.agent_name))
        return cast("AsyncStream[Response]", call(request, metadata=metadata))

    def error(self, failure: grpc.RpcError, method: str, timeout: float | None) -> RouterError:
        return to_error(failure, method, self.connection.target, timeout)

    async def close(self) -> None:
        self.is_closed = True
        if self._channel is not None:
            await self._channel.close()

    def _open(self) -> grpc.aio.Channel:
        if self.is_closed:
            raise RuntimeError("this AsyncRouter is closed: make another one")
        if self._channel is None:
            self._channel = self.connection.open_async()
        return self._channel

    def _metadata(self, headers: Headers) -> Headers:
        return (*self.connection.metadata, *headers)

    async def _with_retries(
        self, method: str, timeout: float | None, repeatable: bool, attempt: Callable[[float | None], Awaitable[Response]]
    ) -> Response:
        attempts = Attempts(self.policy, timeout, repeatable)
        while True:
            try:
                return await attempt(attempts.time_left())
            except grpc.RpcError as e:
                failure = self.error(e, method, timeout)
                pause = attempts.pause_after(failure)
                if pause is None:
                    raise failure from e
            await self._sleep(pause)
