"""A message as the line that `tool-router ... --json` prints, byte for byte.

Why not `google.protobuf.json_format`: it writes 64-bit integers as text, floats by other rules and spaces after separators. Whoever
compares answers, or keeps them by their text, needs one text for one answer.
"""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Sequence
from typing import cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# Digits that tell every 32-bit float from its neighbours.
_MOST_DIGITS = 9
# Decimal exponents that are written without `e`, as the router's JSON writer does for 32-bit floats.
_PLAIN_EXPONENTS = range(-6, 13)


def line(message: Message) -> str:
    """The JSON object, without a line break. Only a field that can be absent, and is, is left out."""
    # The stubs tell the two implementations of descriptors apart; they have the same members.
    fields = cast("Sequence[FieldDescriptor]", message.DESCRIPTOR.fields)
    # The router writes them by number; the contract may declare a later one further up.
    in_order = sorted(fields, key=lambda field: field.number)
    there = (field for field in in_order if not field.has_presence or message.HasField(field.name))
    return "{" + ",".join(f"{_text(field.name)}:{_member(message, field)}" for field in there) + "}"


def _member(message: Message, field: FieldDescriptor) -> str:
    value = getattr(message, field.name)
    if field.is_repeated:
        return "[" + ",".join(_value(field, element) for element in value) + "]"
    return _value(field, value)


def _value(field: FieldDescriptor, value: object) -> str:
    if isinstance(value, Message):
        return line(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        # A value that a newer router knows has no name here.
        known = field.enum_type.values_by_number.get(value) if field.enum_type else None
        return _text(known.name) if known else str(value)
    return _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def number(value: float) -> str:
    """The shortest decimal that reads back as the same 32-bit float: `0.1`, not `0.10000000149011612`."""
    if not math.isfinite(value):
        return _text("NaN" if math.isnan(value) else "Infinity" if 0 < value else "-Infinity")
    decimals = 0
    while ctypes.c_float(float(f"{value:.{decimals}e}")).value != value and decimals < _MOST_DIGITS - 1:
        decimals += 1
    shortest = f"{value:.{decimals}e}"
    mantissa, _, power = shortest.partition("e")
    exponent = int(power)
    if exponent in _PLAIN_EXPONENTS:
        return f"{float(shortest):.{max(1, decimals - exponent)}f}"
    return f"{mantissa}e{exponent:+d}"
