"""Where a call comes from: the caller's trace, so that a selection shows up inside the turn that asked for it, and the agent's name.

The router reads W3C `traceparent` and `tracestate`. They are taken from the current OpenTelemetry span where OpenTelemetry is installed,
whatever propagators the process has set up: a router that is told B3 headers only would start a trace of its own.

Of the baggage only the agent's name is sent. What else an application keeps there may name people, and the router has no use for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from .errors import invalid

if TYPE_CHECKING:
    from opentelemetry.context import Context

try:
    from opentelemetry import baggage
    from opentelemetry.context import get_current
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # the `otel` extra is not installed
    _HAS_OPENTELEMETRY = False
else:
    _HAS_OPENTELEMETRY = True
    _PROPAGATOR = TraceContextTextMapPropagator()

Headers = tuple[tuple[str, str], ...]

AGENT_NAME = "gen_ai.agent.name"
"""The entry of the baggage that names the agent, as OpenTelemetry's conventions for generative AI name it."""
_AGENT_HEADER = "x-agent-name"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# What the router takes. No blank at either end: HTTP cuts those off.
_NAME = re.compile(r"[A-Za-z0-9_.-](?:[A-Za-z0-9_. -]{0,62}[A-Za-z0-9_.-])?")


@dataclass(frozen=True)
class Origin:
    """Of one call, at the time it was asked for."""

    given: Headers
    """The trace that was given with the call. Empty: that of `context`."""
    context: Context | None
    """OpenTelemetry's. `None` where it is not installed."""

    def headers(self, agent_name: str | None, context: Context | None = None) -> Headers:
        """Metadata for the call. `context` stands for this one's, where a span was opened in it."""
        context = context or self.context
        return (*(self.given or _trace(context)), *_agent(agent_name, context))


def origin(traceparent: str | None, tracestate: str | None) -> Origin:
    """What was given for a call, else the current span's, else nothing."""
    context = get_current() if _HAS_OPENTELEMETRY else None
    if traceparent is None:
        if tracestate is not None:
            raise invalid("tracestate", f"is {tracestate!r} without a traceparent: give both")
        return Origin((), context)
    if not isinstance(traceparent, str) or not _TRACEPARENT.fullmatch(traceparent):
        raise invalid("traceparent", f"is {traceparent!r}, not of the form 00-(32 hex digits)-(16 hex digits)-01")
    if not tracestate:
        return Origin((("traceparent", traceparent),), context)
    if not (tracestate.isascii() and tracestate.isprintable()):
        raise invalid("tracestate", f"is {tracestate!r}: only printable ASCII can be sent")
    return Origin((("traceparent", traceparent), ("tracestate", tracestate)), context)


def agent_name(name: str | None) -> str | None:
    """The name as it can be sent."""
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise invalid("agent_name", f"is {name!r}: give 1 to 64 of A-Za-z0-9_.- and blanks, none of them at either end")
    return name


def _trace(context: Context | None) -> Headers:
    carrier: dict[str, str] = {}
    if context is not None:
        _PROPAGATOR.inject(carrier, context=context)
    return tuple(carrier.items())


def _agent(name: str | None, context: Context | None) -> Headers:
    # The baggage says which agent of the process is at work; the option stands for all of it.
    said = None if context is None else baggage.get_baggage(AGENT_NAME, context)
    if isinstance(said, str) and _NAME.fullmatch(said):
        name = said
    if name is None:
        return ()
    # Both: what stands between may write `baggage` anew and drop what it does not know.
    return (("baggage", f"{AGENT_NAME}={quote(name, safe='')}"), (_AGENT_HEADER, name))
