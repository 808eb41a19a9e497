"""An agent with several MCP servers that offers its model the few tools worth offering, not all of every `tools/list`.

    tool-router serve --store router.db
    python clients/python/examples/mcp_agent.py "how many miles are 42 kilometres"

It starts two small servers over stdio, registers their tools under the servers' names unless the router has these sources already, and
for each turn asks the router which of their tools to offer. The chosen tool is called on its server. Needs the `mcp` SDK (2.x); the model
is a stub.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from mcp import Client, StdioServerParameters, Tool

import stub_model
from tool_router_client import AsyncRouter, RouterError, UnknownTool

QUERIES = ["how many miles are 42 kilometres", "write down that the meeting moved to Friday"]
SERVERS = {"notes": "notes.py", "units": "units.py"}


async def main() -> None:
    parser = argparse.ArgumentParser(description="An agent with MCP servers that asks the router which tools to offer.")
    parser.add_argument("queries", nargs="*", default=QUERIES, metavar="QUERY", help="one turn each")
    parser.add_argument("--address", default="127.0.0.1:7431", help="the router's gRPC address [%(default)s]")
    parser.add_argument("--max-tools", type=int, default=2, help="most tools of a turn [%(default)s]")
    arguments = parser.parse_args()
    async with AsyncRouter(arguments.address) as router, AsyncExitStack() as stack:
        if not await router.health():
            sys.exit("the router takes no traffic yet")
        clients = {name: await stack.enter_async_context(connect(file)) for name, file in SERVERS.items()}
        for name, client in clients.items():
            await publish(router, name, client)
        for query in arguments.queries:
            print(f"\n» {query}")
            await turn(router, clients, query, arguments.max_tools)


def connect(file: str) -> Client:
    """A server of this folder, as a process of its own."""
    path = Path(__file__).parent / "servers" / file
    # All of the environment: a server that is a Python program may need its PYTHONPATH.
    return Client(StdioServerParameters(command=sys.executable, args=[str(path)], env=dict(os.environ)))


async def publish(router: AsyncRouter, name: str, client: Client) -> None:
    """Registers a server's whole list under its name, unless the router has it."""
    async for _ in router.list_tools(name, page_size=1):
        print(f"the router has the tools of {name}")
        return
    change = await router.sync(name, await all_tools(client))
    print(f"registered {len(change.added)} tools of {name}")


async def all_tools(client: Client) -> list[Tool]:
    """Every page of `tools/list`: half a list, synced, would remove the other half."""
    page = await client.list_tools()
    tools = list(page.tools)
    while page.next_cursor:
        page = await client.list_tools(cursor=page.next_cursor)
        tools += page.tools
    return tools


async def turn(router: AsyncRouter, clients: dict[str, Client], query: str, max_tools: int) -> None:
    # Scoped to the servers that are connected: the router may know many more.
    selection = await router.select(query, sources=clients, max_tools=max_tools)
    print(f"  offers {', '.join(tool.model_name for tool in selection.tools) or 'no tool'}; {selection.usage.saved_tokens} tokens saved")
    messages: list[stub_model.Json] = [{"role": "user", "content": query}]
    answer = stub_model.reply(messages, selection.openai_tools())
    for call in answer.get("tool_calls", []):
        try:
            source, tool = selection.resolve(call["function"]["name"])
            print(f"  calls {tool} on {source} with {call['function']['arguments']}")
            result = await clients[source].call_tool(tool, json.loads(call["function"]["arguments"]))
            content = " ".join(part.text for part in result.content if part.type == "text")
        except UnknownTool as e:
            content = str(e)
        messages += [answer, {"role": "tool", "tool_call_id": call["id"], "content": content}]
        answer = stub_model.reply(messages, selection.openai_tools())
    print(f"  {answer['content']}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except RouterError as e:
        sys.exit(f"mcp_agent.py: {e}")
