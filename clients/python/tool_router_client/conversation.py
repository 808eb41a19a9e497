"""What was said so far, as the contract has it: from `Turn`s, or from the messages of a chat completion as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ._proto.toolrouter.v1 import router_pb2, tool_pb2
from .errors import invalid
from .tool_ref import RefLike
from .tool_ref import message as reference

Role = Literal["user", "assistant", "tool"]

_ROLES: dict[str, router_pb2.Turn.Role] = {
    "user": router_pb2.Turn.ROLE_USER,
    "assistant": router_pb2.Turn.ROLE_ASSISTANT,
    "tool": router_pb2.Turn.ROLE_TOOL,
}
# Instructions of the developer are no part of what was said.
_NOT_SAID = ("system", "developer")


@dataclass(frozen=True)
class Turn:
    """What somebody said or did."""

    role: Role
    text: str = ""
    """Only the user's words are read."""
    tool_calls: tuple[RefLike, ...] = ()
    """Tools that the assistant called: a `ToolRef`, a pair, `source/tool`, or the name in the prompt, which has no `/`."""


TurnLike = Turn | Mapping[str, Any]
"""A `Turn`, or a message as chat completions have it: `role`, `content` (text, or parts of which the texts count), `tool_calls`."""


def message(turns: Iterable[TurnLike]) -> router_pb2.Conversation:
    if isinstance(turns, (str, Turn, Mapping)):
        raise invalid("conversation", f"is {turns!r}, not a list of turns: give [Turn(...)]")
    said = ((i, turn) for i, turn in enumerate(turns) if not (isinstance(turn, Mapping) and turn.get("role") in _NOT_SAID))
    return router_pb2.Conversation(turns=[_turn(f"conversation[{i}]", turn) for i, turn in said])


def _turn(field: str, turn: TurnLike) -> router_pb2.Turn:
    if isinstance(turn, Mapping):
        role, text, calls = turn.get("role"), _content(field, turn), turn.get("tool_calls") or ()
    elif isinstance(turn, Turn):
        role, text, calls = turn.role, turn.text, turn.tool_calls
    else:
        raise invalid(field, f"is {turn!r}: give a Turn, or a message with role and content")
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid(f"{field}.role", f"is {role!r}: give one of {', '.join(map(repr, _ROLES))}")
    if not isinstance(text, str):
        raise invalid(f"{field}.text", f"is {text!r}, a {type(text).__name__}, not a string")
    if isinstance(calls, str) or not isinstance(calls, Iterable):
        raise invalid(f"{field}.tool_calls", f"is {calls!r}, not a list of tools")
    tools = [_call(f"{field}.tool_calls[{i}]", call) for i, call in enumerate(calls)]
    try:
        return router_pb2.Turn(role=_ROLES[role], text=text, tool_calls=tools)
    except UnicodeEncodeError as e:
        raise invalid(f"{field}.text", f"cannot be sent as text: {e}") from e


def _content(field: str, turn: Mapping[str, Any]) -> object:
    content = turn.get("text", turn.get("content"))
    if content is None:
        return ""
    if not isinstance(content, (list, tuple)):
        return content
    texts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _call(field: str, call: Any) -> tool_pb2.ToolRef:
    if isinstance(call, Mapping):
        function = call.get("function")
        name = function.get("name") if isinstance(function, Mapping) else call.get("name")
        call = (call.get("source"), call.get("tool")) if "source" in call else name
    if isinstance(call, str) and "/" not in call:
        return tool_pb2.ToolRef(tool=call)
    return reference(field, call)
