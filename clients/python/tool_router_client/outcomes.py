"""Reports of tool calls: how each went, and what the router made of the report.

The router calls no tool. How often a tool is called after it was shown, how long it takes and how often it fails is known only from here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ._proto.toolrouter.v1 import calls_pb2
from .errors import invalid
from .requests import text
from .selection import ListedTool, SelectedTool, Selection
from .tool_ref import RefLike, ToolRef, message

Outcome = Literal["ok", "error", "timeout", "cancelled", "rejected"]
CalledTool = SelectedTool | ListedTool | RefLike
"""A tool of a selection, the name that the model called, or a reference."""

_OUTCOMES: dict[str, calls_pb2.Outcome] = {
    "ok": calls_pb2.OUTCOME_OK,
    "error": calls_pb2.OUTCOME_ERROR,
    "timeout": calls_pb2.OUTCOME_TIMEOUT,
    "cancelled": calls_pb2.OUTCOME_CANCELLED,
    "rejected": calls_pb2.OUTCOME_REJECTED,
}
_MOST_UINT64 = 2**64 - 1
# Random bytes of an id that is drawn here: enough that no two calls of a selection ever share one.
_ID_BYTES = 8


@dataclass(frozen=True)
class ToolOutcome:
    """How a call went, for `report_many`. The fields are those of `Router.report`."""

    selection: Selection | None
    """The answer that showed the tool. `None`: it was called without one."""
    tool: CalledTool
    outcome: Outcome = "ok"
    latency_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    error_class: str = ""
    call_id: str = ""


@dataclass(frozen=True)
class RefusedOutcome:
    """An outcome that the router did not take."""

    index: int
    """Its place in the report, from 0."""
    field: str
    """The field that is wrong, such as `latency_ms`."""
    detail: str
    """What is wrong with it: the limit and the value."""


@dataclass(frozen=True)
class Report:
    """What became of a report."""

    accepted: int
    """Outcomes that were counted."""
    duplicates: int
    """Outcomes that were counted before."""
    unknown_selections: int
    """Of the accepted, how many name a selection that this router does not remember. They count all the same."""
    refused: tuple[RefusedOutcome, ...]


def report_of_one(outcome: ToolOutcome) -> calls_pb2.ReportOutcomesRequest:
    return calls_pb2.ReportOutcomesRequest(outcomes=[_message("", outcome)])


def report_of_many(outcomes: Iterable[ToolOutcome]) -> calls_pb2.ReportOutcomesRequest:
    if isinstance(outcomes, str) or not isinstance(outcomes, Iterable):
        raise invalid("reports", f"is {outcomes!r}, not a list: give [ToolOutcome(...)]")
    return calls_pb2.ReportOutcomesRequest(outcomes=[_checked(i, one) for i, one in enumerate(outcomes)])


def counts_once(request: calls_pb2.ReportOutcomesRequest) -> bool:
    """Whether the same report twice counts once: where each outcome names its call within a selection."""
    return all(one.selection_id and one.call_id for one in request.outcomes)


def report(answer: calls_pb2.ReportOutcomesResponse) -> Report:
    refused = tuple(RefusedOutcome(one.index, one.field, one.detail) for one in answer.refused)
    return Report(answer.accepted, answer.duplicates, answer.unknown_selections, refused)


def _checked(index: int, outcome: ToolOutcome) -> calls_pb2.ToolOutcome:
    if not isinstance(outcome, ToolOutcome):
        raise invalid(f"reports[{index}]", f"is {outcome!r}: give a ToolOutcome")
    return _message(f"reports[{index}].", outcome)


def _message(prefix: str, one: ToolOutcome) -> calls_pb2.ToolOutcome:
    """`prefix`: what errors put before the name of a field."""
    if one.selection is not None and not isinstance(one.selection, Selection):
        raise invalid(f"{prefix}selection", f"is {one.selection!r}: give what select answered, or None")
    if not isinstance(one.outcome, str) or one.outcome not in _OUTCOMES:
        raise invalid(f"{prefix}outcome", f"is {one.outcome!r}: give one of {', '.join(map(repr, _OUTCOMES))}")
    ref, model_name = _named(f"{prefix}tool", one.selection, one.tool)
    meta = None if one.selection is None else one.selection.meta
    return calls_pb2.ToolOutcome(
        selection_id="" if meta is None else meta.selection_id,
        selection_traceparent="" if meta is None else meta.traceparent,
        tool=None if ref is None else message(f"{prefix}tool", ref),
        model_name=model_name,
        place=_place(one.selection, ref),
        outcome=_OUTCOMES[one.outcome],
        error_class=text(f"{prefix}error_class", one.error_class),
        latency_ms=_milliseconds(f"{prefix}latency_ms", one.latency_ms),
        input_tokens=_tokens(f"{prefix}input_tokens", one.input_tokens),
        output_tokens=_tokens(f"{prefix}output_tokens", one.output_tokens),
        call_id=text(f"{prefix}call_id", one.call_id) or _call_id(one.selection),
    )


def _named(field: str, selection: Selection | None, tool: CalledTool) -> tuple[RefLike | None, str]:
    """The tool by reference; by the name that the model called where the selection has none of that name."""
    if isinstance(tool, (SelectedTool, ListedTool)):
        return tool.ref, ""
    # A model name has no `/`.
    if not isinstance(tool, str) or "/" in tool:
        return tool, ""
    shown: tuple[SelectedTool | ListedTool, ...] = () if selection is None else (*selection.tools, *selection.listed)
    for one in shown:
        if one.model_name == tool:
            return one.ref, ""
    return None, text(field, tool)


def _place(selection: Selection | None, ref: RefLike | None) -> int | None:
    """Of the tool in the selection's list, from 1."""
    if selection is None or ref is None:
        return None
    wanted = ToolRef.parse(ref) if isinstance(ref, str) else ref
    return next((place for place, tool in enumerate(selection.tools, 1) if tool.ref == wanted), None)


def _call_id(selection: Selection | None) -> str:
    # With an id, a report whose answer is lost can be sent again and still counts once. Ids count within a selection only.
    return secrets.token_hex(_ID_BYTES) if selection is not None and selection.meta.selection_id else ""


def _milliseconds(field: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _MOST_UINT64:
        raise invalid(field, f"is {value!r}: give a number of milliseconds")
    return float(value)


def _tokens(field: str, value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_UINT64:
        raise invalid(field, f"is {value!r}: give a whole number from 0 to {_MOST_UINT64}")
    return value
