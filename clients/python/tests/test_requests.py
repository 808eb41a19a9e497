"""Bad input is refused before a call, with field and value. None of these needs a router."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fake_router import FakeRouter
from tool_router_client import InvalidRequest, Router, ToolRef, Turn, TurnLike
from tool_router_client._proto.toolrouter.v1 import router_pb2
from tool_router_client.conversation import message


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"query": 7}, "query: is 7, a int"),
        ({"query": "half \ud800"}, "query: cannot be sent as text"),
        ({"max_tokens": -1}, "max_tokens: is -1"),
        ({"max_tokens": True}, "max_tokens: is True"),
        ({"max_tools": 2**32}, "max_tools: is 4294967296"),
        ({"max_tools": 1.5}, "max_tools: is 1.5"),
        ({"min_tools": -1}, "min_tools: is -1"),
        ({"min_confidence": "0.5"}, "min_confidence: is '0.5': give a number"),
        ({"min_confidence": True}, "min_confidence: is True"),
        ({"min_confidence": float("nan")}, "min_confidence: is nan"),
        ({"relative_margin": 1e39}, r"relative_margin: is 1e\+39"),
        ({"relative_margin": 10**400}, "relative_margin: is 1000"),
        ({"format": "openai"}, "format: is 'openai': give one of 'openai_chat', 'anthropic', 'mcp', 'openai_responses', 'gemini'"),
        ({"schema_profile": "strict"}, "schema_profile: is 'strict': give one of 'raw', 'lean', 'openai_strict', 'gemini'"),
        ({"previous_tools": "mail"}, "previous_tools: is 'mail': give the `tools` of the last selection"),
        ({"previous_tools": ["mail/send"]}, r"previous_tools\[0\]: is 'mail/send': give the `tools` of the last selection"),
        ({"session_id": "s"}, "session_id: is 's' without previous_tools"),
        ({"session_id": 7, "previous_tools": ()}, "session_id: is 7"),
        ({"sources": "mail"}, r"sources: is the text 'mail', not a list: give \['mail'\]"),
        ({"tags": ["a", 7]}, r"tags\[1\]: is 7"),
        ({"allow": ["send"]}, r"allow\[0\]: is 'send', which is not of the form source/tool"),
        ({"deny": "mail/send"}, r"deny: is the text 'mail/send', not a list"),
        ({"deny": ToolRef("mail", "send")}, "deny: is one tool, mail/send, not a list"),
        ({"pinned": [("mail", "send", "now")]}, r"pinned\[0\]: is \('mail', 'send', 'now'\)"),
        ({"explain_tools": [7]}, r"explain_tools\[0\]: is 7"),
        ({"timeout": 0}, "timeout: is 0: give a number of seconds above 0"),
        ({"timeout": float("nan")}, "timeout: is nan"),
        ({"tracestate": "a=b"}, "tracestate: is 'a=b' without a traceparent"),
    ],
)
def test_select(options: dict[str, Any], text: str) -> None:
    with Router() as router, pytest.raises(InvalidRequest, match=text) as caught:
        router.select(**{"query": "mail", **options})
    assert len(caught.value.violations) == 1
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "query: is missing: give a query or a conversation"),
        ({"query": "mail", "conversation": [Turn("user", "mail")]}, "conversation: stands beside query"),
        ({"conversation": "mail"}, "conversation: is 'mail', not a list of turns"),
        ({"conversation": Turn("user", "mail")}, "conversation: is Turn"),
        ({"conversation": [7]}, r"conversation\[0\]: is 7: give a Turn"),
        (
            {"conversation": [Turn("user", "a"), {"role": "robot"}]},
            r"conversation\[1\]\.role: is 'robot': give one of 'user', 'assistant', 'tool'",
        ),
        ({"conversation": [{"role": ["user"]}]}, r"conversation\[0\]\.role: is \['user'\]"),
        ({"conversation": [{"role": "user", "content": 7}]}, r"conversation\[0\]\.text: is 7, a int"),
        ({"conversation": [Turn("user", "half \ud800")]}, r"conversation\[0\]\.text: cannot be sent as text"),
        ({"conversation": [{"role": "assistant", "tool_calls": "send"}]}, r"conversation\[0\]\.tool_calls: is 'send', not a list"),
        ({"conversation": [Turn("assistant", tool_calls=(7,))]}, r"conversation\[0\]\.tool_calls\[0\]: is 7"),  # type: ignore[arg-type]
        ({"conversation": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, r"conversation\[0\]\.tool_calls\[0\]: is None"),
    ],
)
def test_conversation(options: dict[str, Any], text: str) -> None:
    with Router() as router:
        for ask in (router.select, lambda query=None, **more: router.rank(query, [], **more)):
            with pytest.raises(InvalidRequest, match=text):
                ask(**options)


def test_messages_of_chat_completions_are_turns_as_they_are() -> None:
    parts = [{"type": "text", "text": "weather"}, {"type": "image_url", "image_url": {"url": "data:"}}, {"type": "text", "text": "in Rome"}]
    messages: list[TurnLike] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "forecast"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "sunny"},
        {"role": "user", "content": "그리고 부산은?"},
    ]
    turns = [
        Turn("user", "weather\nin Rome"),
        Turn("assistant", tool_calls=("forecast",)),
        Turn("tool", "sunny"),
        Turn("user", "그리고 부산은?"),
    ]
    assert message(messages) == message(turns)
    calls = message([Turn("assistant", tool_calls=("mail/send", ("a/b", "c"), ToolRef("d", "e"), "f"))]).turns[0].tool_calls
    assert [(call.source, call.tool) for call in calls] == [("mail", "send"), ("a/b", "c"), ("d", "e"), ("", "f")]


def test_rank_of_one_tool_instead_of_a_list() -> None:
    with Router() as router, pytest.raises(InvalidRequest, match=r"tools\['name'\]: is 'send', not a list of tools"):
        router.rank("mail", {"name": "send"})  # type: ignore[arg-type]


def test_rank_refuses_what_select_refuses() -> None:
    with Router() as router:
        for options in ({"min_tools": 0.5}, {"min_confidence": float("inf")}, {"relative_margin": [0.2]}):
            with pytest.raises(InvalidRequest, match=f"{next(iter(options))}: is "):
                router.rank("mail", [], **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"arguments": 7}, "arguments: is 7"),
        ({"arguments": {"a": float("nan")}}, "arguments: cannot be written as JSON"),
        ({"made_for": "strict"}, "made_for: is 'strict'"),
        ({"tool": ("mail", "send", "now")}, r"tool\[0\]: is"),
    ],
)
def test_arguments(options: dict[str, Any], text: str) -> None:
    with Router() as router, pytest.raises(InvalidRequest, match=text):
        router.check_arguments(**{"tool": "mail/send", "arguments": {}, **options})


def test_watch_is_refused_where_it_is_asked_for() -> None:
    with Router() as router:
        for options in ({"since_version": 7}, {"bookmark_interval": -1}, {"patience": 0}):
            with pytest.raises(InvalidRequest, match=next(iter(options))):
                router.watch(**options)  # type: ignore[arg-type]


def test_a_state_that_is_none() -> None:
    with Router() as router, pytest.raises(InvalidRequest, match="state: is 'on'"):
        router.list_tools(state="on")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"address": "ftp://there:1"}, "address: is 'ftp://there:1'"),
        ({"address": "there"}, "address: is 'there': give host:port"),
        ({"address": "http://there:1/path"}, "address: .*give host:port"),
        ({"token": "two words"}, "token: is no usable token"),
        ({"token": ""}, "token: is no usable token"),
        ({"token": "a", "token_file": "b"}, "token: is given together with token_file"),
        ({"token_file": "/no/such/file"}, "token_file: /no/such/file cannot be read: No such file"),
        ({"ca_file": "/no/such/file"}, "ca_file: /no/such/file cannot be read"),
        ({"address": "http://there:1", "ca_file": "x"}, "ca_file: is given with 'http://there:1'"),
        ({"timeout": -1}, "timeout: is -1"),
        ({"retries": -1}, "retries: is -1"),
    ],
)
def test_connections(options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        Router(**options)


def test_a_secret_is_never_in_an_error(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret with blanks")
    for options in ({"token": "secret with blanks"}, {"token_file": file}):
        with pytest.raises(InvalidRequest) as caught:
            Router(**options)
        assert "secret with" not in str(caught.value)


def test_references_read_and_write_alike() -> None:
    for ref, text in [(ToolRef("mail", "send"), "mail/send"), (ToolRef("npm/fs", "50%/read"), "npm%2Ffs/50%25%2Fread")]:
        assert str(ref) == text
        assert ToolRef.parse(text) == ref


def test_a_replay_record_is_kept_where_it_is_asked_for() -> None:
    with FakeRouter({"SelectTools": lambda _, __: router_pb2.SelectToolsResponse()}) as fake, Router(fake.address) as router:
        router.select("mail")
        router.select("mail", keep_replay=True)
        assert [call.request.keep_replay for call in fake.calls] == [False, True]
