from __future__ import annotations

import ctypes
import json
import random
import struct

import pytest

from tool_router_client import proto_json
from tool_router_client._proto.toolrouter.v1 import router_pb2, tool_pb2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (0.46716738, "0.46716738"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e-45, "1e-45"),
        (16777216.0, "16777216.0"),
        (134217800.0, "134217800.0"),
        (5e12, "5000000000000.0"),
        (1e13, "1e+13"),
        (3.4028235e38, "3.4028235e+38"),
        (float("inf"), '"Infinity"'),
        (float("nan"), '"NaN"'),
    ],
)
def test_floats_are_written_as_the_command_line_writes_them(value: float, expected: str) -> None:
    assert proto_json.number(ctypes.c_float(value).value) == expected


def test_every_float_reads_back_as_itself() -> None:
    draw = random.Random(7)
    for _ in range(20_000):
        (value,) = struct.unpack("<f", struct.pack("<I", draw.getrandbits(32)))
        if value - value == 0:
            assert ctypes.c_float(json.loads(proto_json.number(value))).value == value


def test_defaults_are_written_and_only_what_is_absent_is_left_out() -> None:
    assert proto_json.line(router_pb2.Usage(saved_tokens=2**63)) == (
        '{"eligible_tokens":0,"returned_tokens":0,"saved_tokens":9223372036854775808,"max_tokens":0,"eligible_tools":0,"overhead_tokens":0,"directory_tokens":0}'
    )
    assert proto_json.line(router_pb2.ToolExplanation(source="a", rank=0)) == ('{"source":"a","tool":"","fate":"","rank":0,"reasons":[]}')
    # Nor is the empty answer more than its fields: no usage, no no_match, no meta.
    assert proto_json.line(router_pb2.SelectToolsResponse()) == (
        '{"tools":[],"prompt":"","dropped":[],"mode":"MODE_UNSPECIFIED","degraded_reason":"","catalog_version":"","explanations":[],"tool_references_json":"","directory":"","condensed":"","listed":[]}'
    )


def test_fields_stand_in_the_order_of_their_numbers() -> None:
    line = proto_json.line(router_pb2.SelectToolsResponse(confidence=0.0, meta=router_pb2.ResponseMeta(cache="miss")))
    numbers = router_pb2.SelectToolsResponse.DESCRIPTOR.fields_by_name
    written = [numbers[name].number for name in json.loads(line)]
    assert written == sorted(written) and line.index('"explanations"') < line.index(
        '"confidence":0.0,"tool_references_json":"","directory":"","condensed":"","meta"'
    )


def test_text_is_escaped_only_where_json_demands_it() -> None:
    ref = tool_pb2.ToolRef(source='"\\/\b\f\n\r\t\x00\x1f', tool="ü\x7f\u2028💥")
    assert proto_json.line(ref) == '{"source":"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f","tool":"ü\x7f\u2028💥"}'


def test_an_enum_value_of_a_newer_router_is_its_number() -> None:
    assert '"mode":9,' in proto_json.line(router_pb2.SelectToolsResponse(mode=9))  # type: ignore[arg-type]
