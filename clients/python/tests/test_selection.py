from __future__ import annotations

import json
import pickle
from typing import Any, get_args

import pytest

from tool_router_client import Format, RouterError, Selection, ToolRef, UnknownTool, Violation, WrongFormat, errors
from tool_router_client._proto.toolrouter.v1 import router_pb2, tool_pb2
from tool_router_client.selection import DropReason, Fidelity, Mode, NoMatchReason, selection

ENTRY = '{"type":"function","function":{"name":"send","description":"Send mail","parameters":{}}}'


def made(format: Format = "openai_chat") -> Selection:
    tool = router_pb2.SelectedTool(
        source="mail/work", tool="send!", model_name="send", score=0.5, fidelity=tool_pb2.FIDELITY_LEAN, tokens=20, definition_json=ENTRY
    )
    dropped = router_pb2.DroppedTool(source="a", tool="b", reason=router_pb2.DroppedTool.REASON_DISABLED, detail="is disabled")
    message = router_pb2.SelectToolsResponse(tools=[tool], prompt=f"[\n{ENTRY}\n]", dropped=[dropped], mode=router_pb2.MODE_LEXICAL)
    return selection(message, format)


NOTHING = router_pb2.SelectToolsResponse(
    no_match=router_pb2.NoMatch(reason=router_pb2.NoMatch.REASON_EMPTY_SCOPE, detail="the scope leaves none")
)


def test_the_parts_of_an_answer() -> None:
    answer = made()
    (tool,) = answer.tools
    assert (tool.source, tool.tool, tool.model_name, tool.fidelity, tool.tokens) == ("mail/work", "send!", "send", "lean", 20)
    assert tool.definition == json.loads(ENTRY)
    assert answer.mode == "lexical"
    assert answer.no_match is None
    assert answer.dropped[0].reason == "disabled"
    assert answer.openai_tools() == [json.loads(ENTRY)]


def test_the_directory_and_what_became_of_the_list_before() -> None:
    listed = router_pb2.ListedTool(source="mail", tool="find", model_name="find", line=router_pb2.ListedTool.LINE_SIGNATURE, tokens=9)
    continuity = router_pb2.ListContinuity(change=router_pb2.ListContinuity.CHANGE_REBUILT, kept_tools=2, detail="why")
    usage = router_pb2.Usage(returned_tokens=30, directory_tokens=12)
    message = router_pb2.SelectToolsResponse(directory="More:\nfind(): Finds.\n", listed=[listed], continuity=continuity, usage=usage)
    answer = selection(message, "mcp")
    (tool,) = answer.listed
    assert (tool.ref, tool.line, tool.tokens, tool.confidence) == (ToolRef("mail", "find"), "signature", 9, None)
    assert answer.directory.startswith("More:") and answer.usage.directory_tokens == 12
    assert answer.continuity is not None and (answer.continuity.change, answer.continuity.kept_tools) == ("rebuilt", 2)
    assert made().continuity is None


def test_no_tool_is_an_empty_list_and_a_reason() -> None:
    answer = selection(NOTHING, "anthropic")
    assert answer.anthropic_tools() == []
    assert answer.no_match is not None and answer.no_match.reason == "empty_scope"


def test_a_confidence_of_nothing_is_not_no_confidence() -> None:
    (unknown,) = made().tools
    assert (made().confidence, unknown.confidence) == (None, None)
    tools = [router_pb2.SelectedTool(tool="sure", confidence=0.75), router_pb2.SelectedTool(tool="pinned")]
    answer = selection(router_pb2.SelectToolsResponse(tools=tools, confidence=0.0), "mcp")
    assert answer.confidence == 0.0
    assert [tool.confidence for tool in answer.tools] == [0.75, None]


def test_what_is_too_unlikely_is_told_apart() -> None:
    dropped = router_pb2.DroppedTool(source="a", tool="b", reason=router_pb2.DroppedTool.REASON_LOW_CONFIDENCE)
    no_match = router_pb2.NoMatch(reason=router_pb2.NoMatch.REASON_LOW_CONFIDENCE)
    answer = selection(router_pb2.SelectToolsResponse(no_match=no_match, dropped=[dropped]), "mcp")
    assert answer.no_match is not None
    assert (answer.no_match.reason, answer.dropped[0].reason) == ("low_confidence", "low_confidence")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (router_pb2.NoMatch.Reason, NoMatchReason),
        (router_pb2.DroppedTool.Reason, DropReason),
        (router_pb2.Mode, Mode),
        (tool_pb2.Fidelity, Fidelity),
    ],
)
def test_every_reason_of_the_contract_has_a_name(kind: Any, names: Any) -> None:
    wire = {name.removeprefix("REASON_").removeprefix("MODE_").removeprefix("FIDELITY_").lower() for name in kind.keys()}
    assert wire == set(get_args(names))


def test_what_a_newer_router_says_is_no_error() -> None:
    answer = selection(router_pb2.SelectToolsResponse(mode=9), "mcp")  # type: ignore[arg-type]
    assert answer.mode == "unspecified"


def test_a_call_is_resolved_to_its_source() -> None:
    assert made().resolve("send") == ToolRef("mail/work", "send!")


def test_a_made_up_name_is_explained() -> None:
    with pytest.raises(UnknownTool) as caught:
        made().resolve("sent")
    assert isinstance(caught.value, KeyError)
    assert str(caught.value) == "the model called 'sent', but was given send; did it mean send?; tell the model so and let it go on"
    with pytest.raises(UnknownTool, match="was given none at all"):
        selection(NOTHING, "mcp").resolve("send")


def test_the_formats_of_other_apis() -> None:
    declaration = '{"name":"send","parametersJsonSchema":{}}'
    answer = selection(router_pb2.SelectToolsResponse(prompt=f"[\n{declaration}\n]"), "gemini")
    assert answer.gemini_tools() == [{"functionDeclarations": [json.loads(declaration)]}]
    assert selection(NOTHING, "gemini").gemini_tools() == []
    responses = selection(router_pb2.SelectToolsResponse(prompt='[\n{"name":"send"}\n]'), "openai_responses")
    assert responses.openai_responses_tools() == [{"name": "send"}]
    references = '[{"type":"tool_reference","tool_name":"send"}]'
    answer = selection(router_pb2.SelectToolsResponse(tool_references_json=references), "anthropic")
    assert answer.tool_references == ({"type": "tool_reference", "tool_name": "send"},)
    strict = router_pb2.SelectedTool(
        schema_profile=tool_pb2.SCHEMA_PROFILE_OPENAI_STRICT, profile_lossy=True, profile_detail="not checked by the API: a.minLength"
    )
    (tool,) = selection(router_pb2.SelectToolsResponse(tools=[strict]), "openai_chat").tools
    assert (tool.schema_profile, tool.profile_lossy, tool.profile_detail[:11]) == ("openai_strict", True, "not checked")
    assert made().tools[0].schema_profile == "raw"


def test_another_format_says_which_to_ask_for() -> None:
    with pytest.raises(WrongFormat, match='was made in the format "openai_chat": select with format="anthropic"'):
        made().anthropic_tools()
    with pytest.raises(WrongFormat, match='format="openai_chat" for these'):
        made("mcp").openai_tools()


def test_a_selection_and_its_errors_can_be_sent_to_another_process() -> None:
    answer = made()
    assert pickle.loads(pickle.dumps(answer)) == answer
    for name in dir(errors):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, RouterError):
            error = kind("ABORTED", "in words", [Violation("a", "b")], 1.5)
            again = pickle.loads(pickle.dumps(error))
            assert type(again) is kind
            assert (str(again), again.code, again.violations, again.retry_after) == ("in words", "ABORTED", (("a", "b"),), 1.5)
