"""A failed gRPC call as a `RouterError`: the code decides the class, the rich details say which field and when to come back."""

from __future__ import annotations

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from .errors import (
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    MessageTooLarge,
    NotFound,
    Overloaded,
    PermissionDenied,
    Refused,
    RouterError,
    Unauthenticated,
    Unavailable,
    Unsupported,
    Violation,
)

_CLASSES: dict[str, type[RouterError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "OUT_OF_RANGE": InvalidRequest,
    "NOT_FOUND": NotFound,
    "ABORTED": Conflict,
    "FAILED_PRECONDITION": Refused,
    "RESOURCE_EXHAUSTED": Overloaded,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "UNIMPLEMENTED": Unsupported,
}


def to_error(failure: grpc.RpcError, method: str, address: str, timeout: float | None) -> RouterError:
    """`timeout`: seconds that the whole call was given."""
    # Both grpc's failures of calls have these; the base class alone does not say so.
    code_of, details_of = getattr(failure, "code", None), getattr(failure, "details", None)
    if code_of is None or details_of is None:
        return RouterError("UNKNOWN", f"{method} failed: {failure}")
    code: str = code_of().name
    details: str = details_of() or "no reason given"
    violations, retry_after = _rich_details(failure)
    kind = _CLASSES.get(code, RouterError)
    if kind is Overloaded and "larger than max" in details:
        kind = MessageTooLarge
    words = _words(kind, code, details, method, address, timeout, violations)
    return kind(code, words, violations, retry_after)


def _words(
    kind: type[RouterError],
    code: str,
    details: str,
    method: str,
    address: str,
    timeout: float | None,
    violations: list[Violation],
) -> str:
    if violations:
        lines = "".join(f"\n  {violation.field}: {violation.description}" for violation in violations)
        return f"the router refused {method} ({code}):{lines}"
    if kind is Unavailable:
        return f"no router answers {method} at {address}: {details}; start one with `tool-router serve`, or give another address"
    if kind is DeadlineExceeded and timeout is not None:
        return f"{method} got no answer from {address} within {timeout:g} s; give a longer timeout"
    if kind is Unauthenticated:
        return f"the router refused {method} ({code}): {details}; give token or token_file"
    if kind is Unsupported:
        return f"the router at {address} does not know {method}: it is older than this client, update it ({details})"
    if kind is MessageTooLarge:
        return f"{method} failed ({code}): {details}; ask for less at a time"
    return f"{method} failed ({code}): {details}"


def _rich_details(failure: grpc.RpcError) -> tuple[list[Violation], float | None]:
    """What the status carries beside its code and message: wrong fields, and seconds until the router wants to be called again."""
    violations: list[Violation] = []
    retry_after = None
    for any_detail in _status(failure).details:
        bad_request, retry_info = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if any_detail.Unpack(bad_request):
            violations += [Violation(wrong.field, wrong.description) for wrong in bad_request.field_violations]
        elif any_detail.Unpack(retry_info):
            retry_after = retry_info.retry_delay.seconds + retry_info.retry_delay.nanos / 1e9
    return violations, retry_after


def _status(failure: grpc.RpcError) -> status_pb2.Status:
    trailers_of = getattr(failure, "trailing_metadata", None)
    for key, value in (trailers_of() if trailers_of else None) or ():
        if key == "grpc-status-details-bin":
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break  # The code and the message are still good.
    return status_pb2.Status()
