"""A chat loop on the Chat Completions API that asks the router for its tools, once per turn, and tells it how their calls went.

    tool-router serve --store router.db
    tool-router import file examples/catalogue/*.json
    python clients/python/examples/openai_loop.py "what is on my calendar tomorrow"

The model is a stub in this process unless OPENAI_BASE_URL names an endpoint (then also OPENAI_API_KEY and --model). Needs nothing but the
client.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stub_model import StubModel
from tool_router_client import Router, RouterError, Selection, UnknownTool

Json = dict[str, Any]
QUERIES = ["what is on my calendar tomorrow", "email the report to the team", "is it going to rain in Oslo this weekend"]
# Calls of the model per turn: a model that only ever calls tools has to end somewhere.
MOST_STEPS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat loop that asks the router for its tools.")
    parser.add_argument("queries", nargs="*", default=QUERIES, metavar="QUERY", help="one turn each")
    parser.add_argument("--address", default="127.0.0.1:7431", help="the router's gRPC address [%(default)s]")
    parser.add_argument("--max-tokens", type=int, default=1_000, help="cap on the tool list of a turn [%(default)s]")
    parser.add_argument("--model", default="stub", help="name of the model at OPENAI_BASE_URL")
    arguments = parser.parse_args()
    saved = 0
    with Router(arguments.address) as router, endpoint() as url:
        messages: list[Json] = []
        for query in arguments.queries:
            print(f"\n» {query}")
            selection = router.select(query, max_tokens=arguments.max_tokens)
            if selection.no_match and selection.no_match.reason == "empty_catalog":
                sys.exit("the router has no tools: import some with `tool-router import file examples/catalogue/*.json`")
            usage = selection.usage
            sure = "" if selection.confidence is None else f", {selection.confidence:.0%} sure that one fits"
            print(f"  {len(selection.tools)} of {usage.eligible_tools} tools, {usage.returned_tokens:,} tokens{sure}")
            saved += usage.saved_tokens
            messages.append({"role": "user", "content": query})
            print(f"  {turn(router, url, arguments.model, messages, selection)}")
    print(f"\n{saved:,} tokens saved in {len(arguments.queries)} turns")


def turn(router: Router, url: str, model: str, messages: list[Json], selection: Selection) -> str:
    """Talks to the model until it answers in words. `messages` grows."""
    for _ in range(MOST_STEPS):
        # The API refuses an empty list of tools.
        offer = {"tools": selection.openai_tools()} if selection.tools else {}
        message, usage = complete(url, {"model": model, "messages": messages, **offer})
        messages.append(message)
        calls = message.get("tool_calls") or []
        if not calls:
            return str(message["content"])
        for call in calls:
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": run(router, call, selection, usage)})
            # Of a message with several calls the tokens are counted with one.
            usage = {}
    return f"no answer after {MOST_STEPS} steps"


def run(router: Router, call: Json, selection: Selection, usage: Json) -> str:
    """Would call the tool; here it prints what would be called."""
    function = call["function"]
    try:
        source, tool = selection.resolve(function["name"])
    except UnknownTool as e:
        return str(e)
    with router.calling(selection, function["name"], call_id=call["id"]) as report:
        report.input_tokens, report.output_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
        print(f"  calls {tool} of {source} with {function['arguments']}")
        return f"{tool} is done"


def complete(url: str, request: Json) -> tuple[Json, Json]:
    """The assistant's next message, and the tokens that it took."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}"}
    post = urllib.request.Request(f"{url}/chat/completions", json.dumps(request).encode(), headers)
    with urllib.request.urlopen(post, timeout=60) as answer:
        completion: Json = json.load(answer)
    return completion["choices"][0]["message"], completion.get("usage") or {}


@contextmanager
def endpoint() -> Iterator[str]:
    """The base URL of the model."""
    url = os.environ.get("OPENAI_BASE_URL")
    if url:
        yield url.rstrip("/")
    else:
        with StubModel() as stub:
            yield stub


if __name__ == "__main__":
    try:
        main()
    except RouterError as e:
        sys.exit(f"openai_loop.py: {e}")
