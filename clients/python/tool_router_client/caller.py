"""Calls over one channel: deadline, retries, and failures as our own errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, cast

import grpc

from .call_span import CallSpan
from .connection import Connection
from .errors import RouterError
from .methods import Method, Request, Response
from .requests import seconds
from .retry import Attempts, RetryPolicy
from .status import to_error
from .trace_context import Headers, Origin

Answer = TypeVar("Answer", covariant=True)


class Stream(Protocol[Answer]):
    """A running call that answers with a stream."""

    def __next__(self) -> Answer: ...

    def __iter__(self) -> Iterator[Answer]: ...

    def cancel(self) -> bool: ...


class Caller:
    """Safe to use from several threads."""

    def __init__(self, connection: Connection, timeout: float, policy: RetryPolicy, sleep: Callable[[float], None] = time.sleep) -> None:
        self.connection = connection
        self.policy = policy
        self.is_closed = False
        self._timeout = timeout
        self._sleep = sleep
        self._channel = connection.open()

    def look_up(
        self,
        method: Method[Request, Response],
        request: Request,
        timeout: float | None,
        origin: Origin,
        repeatable: bool | None = None,
    ) -> Response:
        """One message each way, always with a deadline. `repeatable` is the method's, unless the request decides."""
        limit = self._timeout if timeout is None else seconds("timeout", timeout)
        return self.unary(method, request, limit, origin, method.repeatable if repeatable is None else repeatable)

    def unary(
        self, method: Method[Request, Response], request: Request, timeout: float | None, origin: Origin, repeatable: bool
    ) -> Response:
        call = self._open().unary_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        with CallSpan(self.connection, method, origin) as headers:
            metadata = self._metadata(headers)
            return self._with_retries(method.name, timeout, repeatable, lambda left: call(request, timeout=left, metadata=metadata))

    def stream_in(
        self, method: Method[Request, Response], requests: Sequence[Request], timeout: float | None, origin: Origin, repeatable: bool
    ) -> Response:
        """Many messages there, one back. A retry sends them from the first one on."""
        call = self._open().stream_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        with CallSpan(self.connection, method, origin) as headers:
            metadata = self._metadata(headers)
            return self._with_retries(method.name, timeout, repeatable, lambda left: call(iter(requests), timeout=left, metadata=metadata))

    def stream_out(self, method: Method[Request, Response], request: Request, origin: Origin) -> Stream[Response]:
        """One message there, many back, without a deadline and without retries: whoever reads them knows where to go on. Without a span of
        its own: it may be open for days."""
        call = self._open().unary_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        metadata = self._metadata(origin.headers(self.connection.agent_name))
        return cast("Stream[Response]", call(request, metadata=metadata))

    def error(self, failure: grpc.RpcError, method: str, timeout: float | None) -> RouterError:
        return to_error(failure, method, self.connection.target, timeout)

    def close(self) -> None:
        self.is_closed = True
        self._channel.close()

    def _open(self) -> grpc.Channel:
        if self.is_closed:
            raise RuntimeError("this Router is closed: make another one")
        return self._channel

    def _metadata(self, headers: Headers) -> Headers:
        return (*self.connection.metadata, *headers)

    def _with_retries(self, method: str, timeout: float | None, repeatable: bool, attempt: Callable[[float | None], Response]) -> Response:
        attempts = Attempts(self.policy, timeout, repeatable)
        while True:
            try:
                return attempt(attempts.time_left())
            except grpc.RpcError as e:
                failure = self.error(e, method, timeout)
                pause = attempts.pause_after(failure)
                if pause is None:
                    raise failure from e
            self._sleep(pause)
