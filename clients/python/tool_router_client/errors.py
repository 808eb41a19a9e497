"""What goes wrong, in words a developer can act on: what, where, and what to do.

One class per thing that a caller may want to do differently. Everything is a `RouterError`, so one `except` is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Violation(NamedTuple):
    """One wrong field of a request."""

    field: str
    """Path within the request: `budget.max_tools`, `tools[3].name`."""
    description: str
    """What is wrong with it, with its value and its limit."""


class RouterError(Exception):
    """A call did not succeed."""

    code: str
    """Name of the gRPC status: `INVALID_ARGUMENT`, `UNAVAILABLE`, ..."""
    message: str
    """What was wrong, where, and what to do."""
    violations: tuple[Violation, ...]
    """The wrong fields, where the request was refused for its content."""
    retry_after: float | None
    """Seconds after which the router asked to be called again. `None` when it said nothing."""

    def __init__(self, code: str, message: str, violations: Sequence[Violation] = (), retry_after: float | None = None) -> None:
        # All of them are `args`, so that an error survives pickling on its way out of a worker process.
        super().__init__(code, message, tuple(violations), retry_after)
        self.code = code
        self.message = message
        self.violations = tuple(violations)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


class InvalidRequest(RouterError, ValueError):
    """The request is wrong and would be refused again: `violations` names each field. Raised by the router, and before a call for what
    cannot be sent at all."""


class NotFound(RouterError):
    """Something that was named does not exist. Nothing was changed."""


class Conflict(RouterError):
    """The catalogue is no longer at the version that was expected. Nothing was changed."""


class Refused(RouterError):
    """The router holds the change back, such as a list that would remove most of a source's tools. Nothing was changed."""


class Overloaded(RouterError):
    """Too much at once. `retry_after` says when to come back."""


class MessageTooLarge(RouterError):
    """A request or an answer is larger than one of the two sides takes. Trying again does not help; asking for less does."""


class Unavailable(RouterError):
    """No router answers, or it went away."""


class DeadlineExceeded(RouterError):
    """No answer within the time that the call was given."""


class Unauthenticated(RouterError):
    """The token is missing or not known."""


class PermissionDenied(RouterError):
    """The token is known and may not do this: the select token does not change the catalogue."""


class Unsupported(RouterError):
    """The router does not know the method: it is older than this client."""


class UnknownTool(RouterError, KeyError):
    """A model called a tool that it was not given in this turn."""


class WrongFormat(RouterError, ValueError):
    """A selection was made for another model API than the one asked for now."""


def invalid(field: str, description: str) -> InvalidRequest:
    """A request that cannot be sent, for one field of it."""
    return InvalidRequest("INVALID_ARGUMENT", f"{field}: {description}", [Violation(field, description)])
