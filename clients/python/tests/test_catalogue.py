"""Publishing and looking, against the real router."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from program import CATALOGUE, RunningRouter
from tool_router_client import AsyncRouter, Conflict, InvalidRequest, NotFound, Refused, Router, ToolRef

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}}
SEND = {"name": "send", "description": "Send mail to somebody", "inputSchema": SCHEMA}
READ = {"name": "read", "description": "Read a thread", "input_schema": SCHEMA}


def bundled_tools(source: str) -> Any:
    document = json.loads((CATALOGUE / f"{source}.json").read_text(encoding="utf-8"))
    return document if isinstance(document, list) else document.get("result", document)["tools"]


@pytest.mark.parametrize("source", sorted(path.stem for path in CATALOGUE.glob("*.json")))
def test_a_list_registers_as_the_same_tools_as_by_import(router: Router, source: str) -> None:
    tools = bundled_tools(source)
    for change in (
        router.sync(source, tools, dry_run=True),
        router.register(source, tools, dry_run=True),
    ):
        assert (change.added, change.changed, change.removed, change.unchanged) == ((), (), (), len(tools))


def test_register_list_describe_unregister(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        change = router.register("mail", [SEND, READ])
        assert sorted(change.added) == ["read", "send"]
        assert router.register("mail", [SEND, READ]).unchanged == 2
        listing = router.list_tools(page_size=1)
        assert [(tool.source, tool.name, tool.state) for tool in listing] == [("mail", "read", "enabled"), ("mail", "send", "enabled")]
        assert listing.catalog_version == change.catalog_version
        assert list(router.list_tools("no such source")) == []
        assert list(router.list_tools(state="disabled")) == []
        found, missing, by_name = router.describe(["mail/send", ("mail", "gone")], model_names=["read"])
        assert found.tool is not None and found.tool.input_schema == SCHEMA
        assert by_name.tool is not None and by_name.tool.name == "read"
        assert missing.tool is None and "mail/gone" in missing.not_found
        assert router.unregister("mail", ["send"]).removed == ("send",)
        with pytest.raises(NotFound, match="send"):
            router.unregister("mail", ["send"])
        assert router.unregister("mail", all=True).removed == ("read",)
        assert router.select("mail").no_match is not None


def test_look_alikes_are_told(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        assert router.register("mail", [SEND, READ]).look_alikes == ()
        change = router.register("post", [SEND])
        (found,) = change.look_alikes
        assert (found.tool, found.other, found.same_name, found.shared_words) == ("send", ToolRef("mail", "send"), True, 1.0)
        assert found.similarity is not None and 0.5 < found.similarity <= 1
        assert change.look_alikes_total == 1
        assert router.register("post", [SEND]).look_alikes == router.unregister("post", ["send"]).look_alikes == ()


def test_an_expected_version_that_has_gone_by(empty: RunningRouter) -> None:
    with Router(empty.address) as router:
        version = router.register("mail", [SEND]).catalog_version
        router.register("mail", [READ], expected_version=version)
        with pytest.raises(Conflict):
            router.register("mail", [{"name": "draft"}], expected_version=version)


def test_the_router_names_what_is_wrong_with_a_tool(empty: RunningRouter) -> None:
    with Router(empty.address) as router, pytest.raises(InvalidRequest) as caught:
        router.register("mail", [SEND, {"name": "hid\u202eden"}])
    assert [violation.field for violation in caught.value.violations] == ["tools[1].name"]


def test_a_whole_list_of_several_chunks(empty: RunningRouter) -> None:
    tools = [{"name": f"tool{i}", "description": f"Does thing number {i}"} for i in range(450)]
    with Router(empty.address) as router:
        assert len(router.sync("many", tools).added) == 450
        assert len(list(router.list_tools("many"))) == 450
        with pytest.raises(Refused, match="allow_mass_removal"):
            router.sync("many", tools[:10])
        assert len(router.sync("many", tools[:10], allow_mass_removal=True).removed) == 440
        assert router.sync("many", [], allow_mass_removal=True).removed


def test_asyncio(empty: RunningRouter) -> None:
    async def run() -> None:
        async with AsyncRouter(empty.address) as router:
            assert await router.health()
            assert (await router.sync("mail", [SEND, READ])).unchanged == 0
            assert [tool.name async for tool in router.list_tools(page_size=1)] == ["read", "send"]
            (found,) = await router.describe(["mail/send"])
            assert found.tool is not None
            selections = await asyncio.gather(*(router.select(query) for query in ("send mail", "read a thread", "send mail")))
            assert [selection.tools[0].tool for selection in selections] == ["send", "read", "send"]
            assert sorted((await router.unregister("mail", all=True)).removed) == ["read", "send"]

    asyncio.run(run())
