"""The caller's trace, so that a selection shows up inside the turn that asked for it.

The router reads W3C `traceparent` and `tracestate`. They are taken from the current OpenTelemetry span where OpenTelemetry is installed,
whatever propagators the process has set up: a router that is told B3 headers only would start a trace of its own.
"""

from __future__ import annotations

import re

from .errors import invalid

try:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # the `otel` extra is not installed
    _PROPAGATOR = None
else:
    _PROPAGATOR = TraceContextTextMapPropagator()

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def headers(traceparent: str | None, tracestate: str | None) -> tuple[tuple[str, str], ...]:
    """Metadata for a call: what was given for it, else the current span's, else nothing."""
    if traceparent is None:
        if tracestate is not None:
            raise invalid("tracestate", f"is {tracestate!r} without a traceparent: give both")
        carrier: dict[str, str] = {}
        if _PROPAGATOR is not None:
            _PROPAGATOR.inject(carrier)
        return tuple(carrier.items())
    if not _TRACEPARENT.fullmatch(traceparent):
        raise invalid("traceparent", f"is {traceparent!r}, not of the form 00-(32 hex digits)-(16 hex digits)-01")
    if not tracestate:
        return (("traceparent", traceparent),)
    if not (tracestate.isascii() and tracestate.isprintable()):
        raise invalid("tracestate", f"is {tracestate!r}: only printable ASCII can be sent")
    return (("traceparent", traceparent), ("tracestate", tracestate))
