"""The call of a tool as a `with` block, which is timed and reported. A report is worth having and never worth failing for.

Reports are sent at the end of the block, not from a queue behind the caller's back: such a queue needs a thread, a bound and a rule for
what is dropped, and loses what it holds when a process ends. What it costs is one small call, given up after a second.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol

from .errors import RouterError
from .outcomes import CalledTool, Outcome, Report, ToolOutcome
from .selection import Selection

_LOG = logging.getLogger("tool_router_client")
# What the router takes as `error_class`.
_MOST_CLASS = 64
_NOT_IN_CLASS = re.compile(r"[^A-Za-z0-9_.-]+")


class Delivery:
    """Of one router's reports: each way to fail is a warning once, since a report follows every call."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def failed(self, error: Exception) -> None:
        kind = error.code if isinstance(error, RouterError) else type(error).__name__
        self._tell(kind, f"an outcome of a tool call was not reported: {error}")

    def arrived(self, report: Report) -> None:
        for one in report.refused:
            self._tell(f"refused {one.field}", f"the router refused an outcome of a tool call: {one.field}: {one.detail}")

    def _tell(self, kind: str, words: str) -> None:
        level = logging.DEBUG if kind in self._told else logging.WARNING
        self._told.add(kind)
        _LOG.log(level, "%s", words)


class _Call:
    """What is known of the call so far. The caller may set all of it inside the block."""

    def __init__(
        self,
        selection: Selection | None,
        tool: CalledTool,
        call_id: str,
        input_tokens: int | None,
        output_tokens: int | None,
        clock: Callable[[], float],
    ) -> None:
        self.outcome: Outcome | None = None
        """How it went. `None`: `"ok"`, unless the block ends with an exception."""
        self.error_class = ""
        self.latency_ms: float | None = None
        """How long it took. `None`: as long as the block."""
        self.call_id = call_id
        self.input_tokens, self.output_tokens = input_tokens, output_tokens
        self.report: Report | None = None
        """What the router made of it, after the block. `None`: it did not arrive."""
        self._selection, self._tool, self._clock = selection, tool, clock
        self._begin = clock()

    def failed(self, error_class: str = "tool_error") -> None:
        """The tool answered that it failed: `isError` of MCP, a status of HTTP."""
        self.outcome, self.error_class = "error", error_class

    def _end(self, error: BaseException | None) -> None:
        if self.latency_ms is None:
            self.latency_ms = (self._clock() - self._begin) * 1_000
        if error is not None and self.outcome is None:
            self.outcome, self.error_class = _how(error), self.error_class or _class(error)

    def _outcome(self) -> ToolOutcome:
        return ToolOutcome(
            self._selection,
            self._tool,
            self.outcome or "ok",
            self.latency_ms,
            self.input_tokens,
            self.output_tokens,
            self.error_class,
            self.call_id,
        )


class _Send(Protocol):
    def __call__(self, reports: list[ToolOutcome], *, timeout: float) -> Report: ...


class _AsyncSend(Protocol):
    def __call__(self, reports: list[ToolOutcome], *, timeout: float) -> Awaitable[Report]: ...


class Calling(_Call):
    """Made by `Router.calling`."""

    def __init__(
        self,
        send: _Send,
        delivery: Delivery,
        selection: Selection | None,
        tool: CalledTool,
        call_id: str,
        input_tokens: int | None,
        output_tokens: int | None,
        timeout: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(selection, tool, call_id, input_tokens, output_tokens, clock)
        self._send, self._delivery, self._timeout = send, delivery, timeout

    def __enter__(self) -> Calling:
        self._begin = self._clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end(error)
        try:
            self.report = self._send([self._outcome()], timeout=self._timeout)
        except Exception as e:
            self._delivery.failed(e)
        else:
            self._delivery.arrived(self.report)


class AsyncCalling(_Call):
    """Made by `AsyncRouter.calling`."""

    def __init__(
        self,
        send: _AsyncSend,
        delivery: Delivery,
        selection: Selection | None,
        tool: CalledTool,
        call_id: str,
        input_tokens: int | None,
        output_tokens: int | None,
        timeout: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(selection, tool, call_id, input_tokens, output_tokens, clock)
        self._send, self._delivery, self._timeout = send, delivery, timeout

    async def __aenter__(self) -> AsyncCalling:
        self._begin = self._clock()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end(error)
        try:
            self.report = await self._send([self._outcome()], timeout=self._timeout)
        except Exception as e:
            self._delivery.failed(e)
        else:
            self._delivery.arrived(self.report)


def _how(error: BaseException) -> Outcome:
    if isinstance(error, asyncio.CancelledError) or not isinstance(error, Exception):
        return "cancelled"
    # By name as well: the timeouts of httpx and requests are no TimeoutError, and urllib wraps the one it gets.
    kinds = [*type(error).__mro__, *type(getattr(error, "reason", None)).__mro__]
    return "timeout" if any("Timeout" in kind.__name__ for kind in kinds) else "error"


def _class(error: BaseException) -> str:
    """A short name for the kind of failure, never its message: that may quote arguments."""
    # urllib has the status in `code`; requests and httpx have it in the response.
    for status in (getattr(error, "code", None), getattr(getattr(error, "response", None), "status_code", None)):
        if isinstance(status, int) and not isinstance(status, bool):
            return f"http_{status}"
    if _how(error) == "timeout":
        return "timeout"
    return _NOT_IN_CLASS.sub("_", type(error).__name__)[:_MOST_CLASS]
