"""Mixed traffic for a router, so that every figure of its dashboards has something to show. Needs the client and nothing else.

    tool-router serve --store router.db
    tool-router import file examples/catalogue/*.json
    python examples/agent/traffic.py --seconds 60

Several agents ask for the bundled requests, and for things that no tool does; some bring conversations, some hardly give the router time,
some ask for what is refused. What they are given they call, and report: most calls go well, some fail, are late, are given up or denied. A
source that changes all the time is registered beside it. The last line is a JSON object that says what was done, with trace ids to look at.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tool_router_client import DeadlineExceeded, InvalidRequest, Outcome, Router, RouterError, SelectedTool, Selection, ToolOutcome, Turn

QUERIES = Path(__file__).resolve().parent.parent / "catalogue" / "queries.jsonl"
AGENTS = ["planner", "researcher", "support desk", "night-shift"]
SMALL_TALK = ["hello there", "thanks, that is all", "tell me a joke about cats", "you are very kind"]
CONVERSATIONS = [
    ("what is the weather in Rome", "and in Oslo?"),
    ("open a bug about the login page", "now close it"),
    ("mail the agenda to Anna", "and to Tom as well"),
]
# What leaves no tool, whatever is asked.
HOPELESS: list[dict[str, Any]] = [{"sources": ["no-such-source"]}, {"max_tokens": 5}]
# What the router refuses, one field each.
WRONG: list[dict[str, Any]] = [{"max_tools": 5_000}, {"tokenizer": "no-such-one"}, {"min_confidence": 2.0}, {"max_tokens": 0}]
SOURCE = "example-traffic"
# One of them comes or goes with each registration.
SUBJECTS = ["invoices", "greenhouses", "ferries", "chess clubs", "bee hives"]
# Seconds between two registrations.
REGISTER_EVERY = 2.0
# Trace ids that are told, for each kind.
MOST_TRACES = 20
# A tool in trouble, by the bundled catalogue: half of its calls fail.
FRAGILE = ("weather", "get-forecast")
# How calls end, in parts of a hundred.
ENDS: list[tuple[Outcome, str, int]] = [
    ("ok", "", 86),
    ("error", "http_503", 5),
    ("error", "tool_error", 3),
    ("timeout", "timeout", 3),
    ("cancelled", "", 1),
    ("rejected", "bad_arguments", 2),
]


@dataclass
class Tally:
    """What was done, by all threads."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    traces: dict[str, list[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, by: int = 1) -> None:
        with self._lock:
            self.counts[what] += by

    def trace(self, kind: str, trace_id: str) -> None:
        with self._lock:
            kept = self.traces.setdefault(kind, [])
            if trace_id and len(kept) < MOST_TRACES:
                kept.append(trace_id)

    def failed(self, what: str, error: RouterError) -> None:
        with self._lock:
            self.failures[f"{what} {error.code}"] += 1

    def line(self) -> str:
        with self._lock:
            return json.dumps(
                {"done": dict(sorted(self.counts.items())), "failed": dict(sorted(self.failures.items())), "traces": self.traces}
            )


class Agent:
    """One caller: a sequence of random acts, the same for the same seed."""

    def __init__(self, name: str, router: Router, queries: list[str], tally: Tally, seed: str) -> None:
        self._name, self._router, self._queries, self._tally = name, router, queries, tally
        self._random = random.Random(seed)
        self._acts: list[tuple[Callable[[], None], int]] = [
            (self._ask, 64),
            (self._chat, 5),
            (self._ask_in_vain, 3),
            (self._converse, 8),
            (self._hurry, 6),
            (self._ask_wrongly, 5),
            (self._keep, 4),
            (self._report_oddly, 5),
        ]

    def act(self) -> None:
        """One act. What the router refuses or fails is counted; it is no reason to stop."""
        act = self._random.choices([act for act, _ in self._acts], [weight for _, weight in self._acts])[0]
        try:
            act()
        except RouterError as e:
            self._tally.failed(act.__name__.strip("_"), e)

    def _ask(self) -> None:
        selection = self._router.select(self._query(), max_tools=self._random.choice([3, 5, 10, 20]), traceparent=self._trace())
        self._tally.count("selections")
        self._tally.trace("selections", selection.meta.trace_id)
        self._use(selection)

    def _chat(self) -> None:
        selection = self._router.select(self._random.choice(SMALL_TALK), min_confidence=0.3)
        self._tally.count("small_talk")
        self._tally.count("no_match", int(selection.no_match is not None))

    def _ask_in_vain(self) -> None:
        selection = self._router.select(self._query(), **self._random.choice(HOPELESS))
        self._tally.count("asked_in_vain")
        self._tally.count("no_match", int(selection.no_match is not None))

    def _converse(self) -> None:
        first, second = self._random.choice(CONVERSATIONS)
        session = f"{self._name}-{self._random.getrandbits(32):08x}"
        before = self._router.select(first, previous_tools=(), session_id=session)
        called = tuple(tool.ref for tool in before.tools[:1])
        said = [Turn("user", first), Turn("assistant", tool_calls=called), Turn("user", second)]
        selection = self._router.select(conversation=said, previous_tools=before.tools, session_id=session)
        self._tally.count("conversations")
        self._use(selection)

    def _hurry(self) -> None:
        # Words of its own: an answer that is remembered is in time even so.
        query = f"{self._query()} {self._random.getrandbits(32):08x}"
        traceparent = self._trace(always=True)
        try:
            selection = self._router.select(query, timeout=0.001, traceparent=traceparent)
        except DeadlineExceeded:
            self._tally.count("deadlines_missed")
            self._tally.trace("deadlines_missed", (traceparent or "").split("-")[1])
        else:
            self._tally.count(f"in_a_hurry_{selection.mode}")

    def _ask_wrongly(self) -> None:
        try:
            self._router.select(self._query(), **self._random.choice(WRONG))
        except InvalidRequest:
            self._tally.count("refused")
        else:
            self._tally.count("wrong_but_taken")

    def _keep(self) -> None:
        selection = self._router.select(self._query(), keep_replay=True)
        self._tally.count("kept_for_replay")
        self._tally.trace("kept_for_replay", selection.meta.trace_id)
        self._use(selection)

    def _report_oddly(self) -> None:
        """What reports should not be, and one twice."""
        selection = self._router.select(self._query())
        if not selection.tools:
            return
        tool, call_id = selection.tools[0], f"call_{self._random.getrandbits(64):016x}"
        odd = [
            ToolOutcome(selection, tool, latency_ms=40, call_id=call_id),
            ToolOutcome(selection, tool, latency_ms=40, call_id=call_id),
            ToolOutcome(selection, tool, latency_ms=-1),
            ToolOutcome(selection, tool, latency_ms=1e12),
            ToolOutcome(selection, tool, "error", error_class="a sentence, not a class"),
            ToolOutcome(selection, "no-such-source/no-such-tool"),
            ToolOutcome(None, tool, latency_ms=25),
        ]
        report = self._router.report_many(odd)
        self._tally.count("outcomes_reported", report.accepted)
        self._tally.count("outcomes_twice", report.duplicates)
        self._tally.count("outcomes_refused", len(report.refused))

    def _use(self, selection: Selection) -> None:
        """The model's part: it calls mostly the first tool, sometimes another, sometimes none or two, and says how that went."""
        if not selection.tools or self._random.random() < 0.2:
            return
        calls = 2 if len(selection.tools) > 1 and self._random.random() < 0.1 else 1
        outcomes = [self._outcome(selection, self._pick(selection.tools), with_tokens=i == 0) for i in range(calls)]
        report = self._router.report_many(outcomes)
        self._tally.count("outcomes_reported", report.accepted)
        self._tally.count("outcomes_refused", len(report.refused))

    def _pick(self, shown: tuple[SelectedTool, ...]) -> SelectedTool:
        place = 0
        while place + 1 < len(shown) and self._random.random() < 0.35:
            place += 1
        return shown[place]

    def _outcome(self, selection: Selection, tool: SelectedTool, with_tokens: bool) -> ToolOutcome:
        outcome, error_class, _ = self._random.choices(ENDS, [weight for *_, weight in ENDS])[0]
        if tool.ref == FRAGILE and self._random.random() < 0.5:
            outcome, error_class = "error", "http_500"
        # Most calls take about 150 ms, a few take seconds; one that is too late took all the time there was.
        latency_ms = 30_000.0 if outcome == "timeout" else round(self._random.lognormvariate(5, 1), 3)
        return ToolOutcome(
            selection,
            tool,
            outcome,
            latency_ms=None if outcome == "rejected" else latency_ms,
            # The list of tools is a part of what the model reads.
            input_tokens=selection.usage.returned_tokens + self._random.randint(200, 4_000) if with_tokens else None,
            output_tokens=self._random.randint(10, 400) if with_tokens else None,
            error_class=error_class,
            call_id=f"call_{self._random.getrandbits(64):016x}",
        )

    def _query(self) -> str:
        return self._random.choice(self._queries)

    def _trace(self, always: bool = False) -> str | None:
        """A trace that some caller sampled, as every third one has."""
        if not always and self._random.random() > 1 / 3:
            return None
        return f"00-{self._random.getrandbits(128) | 1:032x}-{self._random.getrandbits(64) | 1:016x}-01"


def publish(router: Router, tally: Tally, stop: threading.Event) -> None:
    """A source whose list is another one every time."""
    round_number = 0
    while not stop.wait(REGISTER_EVERY if round_number else 0):
        left_out = SUBJECTS[round_number % len(SUBJECTS)]
        listed = [definition(subject, round_number) for subject in SUBJECTS if subject != left_out]
        try:
            change = router.sync(SOURCE, listed, timeout=30)
            tally.count("registrations")
            tally.count("tools_changed", len(change.added) + len(change.changed) + len(change.removed))
        except RouterError as e:
            tally.failed("register", e)
        round_number += 1


def definition(subject: str, round_number: int) -> dict[str, Any]:
    return {
        "name": f"find_{subject.replace(' ', '_')}",
        "description": f"Find {subject} near a town. Edition {round_number}.",
        "inputSchema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    }


def keep_acting(agent: Agent, pause: float, end: float) -> None:
    """At an even pace: an act that takes long is not made up for."""
    while (now := time.monotonic()) < end:
        agent.act()
        time.sleep(max(0.0, min(now + pause, end) - time.monotonic()))


def run(address: str, seconds: float, rate: float, seed: int, token_file: str | None) -> Tally:
    tally, stop = Tally(), threading.Event()
    queries = [json.loads(line)["text"] for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    routers = [Router(address, token_file=token_file, agent_name=name) for name in AGENTS]
    end = time.monotonic() + seconds
    publisher = threading.Thread(target=publish, args=(routers[0], tally, stop))
    publisher.start()
    agents = [Agent(name, router, queries, tally, f"{seed} {name}") for name, router in zip(AGENTS, routers, strict=True)]
    threads = [threading.Thread(target=keep_acting, args=(agent, len(AGENTS) / rate, end)) for agent in agents]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        stop.set()
        publisher.join()
        for router in routers:
            router.close()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description="Mixed traffic for a router.")
    parser.add_argument("--address", default="127.0.0.1:7431", help="the router's gRPC address [%(default)s]")
    parser.add_argument("--seconds", type=float, default=30, help="for how long [%(default)s]")
    parser.add_argument("--rate", type=float, default=40, help="acts per second, of all agents together [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="another one does other things [%(default)s]")
    parser.add_argument("--token-file", metavar="FILE", help="token that may register tools, where the router wants one")
    arguments = parser.parse_args()
    if not (arguments.seconds > 0 and arguments.rate > 0):
        parser.error(f"--seconds is {arguments.seconds:g} and --rate is {arguments.rate:g}: both must be above 0")
    tally = run(arguments.address, arguments.seconds, arguments.rate, arguments.seed, arguments.token_file)
    print(tally.line())
    if not tally.counts["selections"]:
        sys.exit(f"traffic.py: not one selection was answered by {arguments.address}")


if __name__ == "__main__":
    try:
        main()
    except RouterError as e:
        sys.exit(f"traffic.py: {e}")
