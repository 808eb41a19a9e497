"""Whether arguments that a model made are what a tool's publisher asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ._proto.toolrouter.v1 import router_pb2
from .definition import JsonObject
from .errors import NotFound

Verdict = Literal["valid", "invalid", "unchecked", "unspecified"]
_VERDICTS: dict[int, Verdict] = {
    router_pb2.CheckedCall.VERDICT_VALID: "valid",
    router_pb2.CheckedCall.VERDICT_INVALID: "invalid",
    router_pb2.CheckedCall.VERDICT_UNCHECKED: "unchecked",
}


@dataclass(frozen=True)
class ArgumentError:
    """One thing that is wrong."""

    path: str
    """A JSON pointer into the arguments. Empty for the whole."""
    description: str
    """What is wrong and what is allowed, in words for the model."""


@dataclass(frozen=True)
class CheckedArguments:
    """What can be said of arguments."""

    verdict: Verdict
    errors: tuple[ArgumentError, ...]
    """At most 20."""
    arguments_json: str
    """What to call the tool with. Empty where the arguments are no JSON object."""
    detail: str
    """Why they were not checked."""

    @property
    def arguments(self) -> JsonObject:
        """What to call the tool with, parsed."""
        parsed: JsonObject = json.loads(self.arguments_json or "{}")
        return parsed


def checked(answers: Sequence[router_pb2.CheckedCall]) -> CheckedArguments:
    """Raises `NotFound` where the tool is not there."""
    one = answers[0] if answers else router_pb2.CheckedCall()
    if one.verdict == router_pb2.CheckedCall.VERDICT_NOT_FOUND:
        raise NotFound("NOT_FOUND", one.detail)
    return CheckedArguments(
        verdict=_VERDICTS.get(one.verdict, "unspecified"),
        errors=tuple(ArgumentError(error.path, error.description) for error in one.errors),
        arguments_json=one.arguments_json,
        detail=one.detail,
    )
