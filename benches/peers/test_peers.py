"""What the comparison computes, without the peers: needs the standard library only. Run as a program, or by pytest."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import random
import sys
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import contest
import data
import measures
import table
import text
from peers import OURS, Peer, Surroundings
from peers.bm25 import System as Bm25
from report import Report

TOOLS: list[dict[str, Any]] = [
    {"id": "1", "server": "mail", "name": "send", "description": "Sends a letter.", "input_schema": {"properties": {"to": {}}}},
    {"id": "2", "server": "chat", "name": "send", "description": None, "input_schema": None},
    {"id": "3", "server": None, "name": "getWeather", "description": "Rain or sun tomorrow."},
    {"id": "4", "server": "chat", "name": "send", "description": "again"},
]
QUERIES: list[dict[str, Any]] = [
    {"id": "a", "text": "a letter", "relevant": ["1"]},
    {"id": "b", "text": "nothing", "relevant": []},
    {"id": "c", "text": "both", "relevant": ["1", "3", "3"]},
    {"id": "d", "text": "rain", "relevant": ["3"]},
]


Line = dict[str, Any]


def written(tools: list[Line], queries: list[Line]) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()
    place = Path(folder.name) / "s"
    place.mkdir()
    for name, lines in (("tools", tools), ("queries", queries)):
        (place / f"{name}.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return folder


def dataset(name: str = "s", most: int = 0, tools: list[Line] = TOOLS, queries: list[Line] = QUERIES) -> data.Dataset:
    with written(tools, queries) as folder:
        return data.read(Path(folder), name, most)


class Measures(unittest.TestCase):
    def test_scores_by_hand(self) -> None:
        found = measures.scores(["x", "a", "y", "b", "z", "w", "c"], {"a", "b", "c", "d"})
        self.assertEqual(found["recall@5"], 2 / 4)
        gained = 1 / math.log2(3) + 1 / math.log2(5) + 1 / math.log2(8)
        ideal = 1 + 1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)
        self.assertAlmostEqual(found["nDCG@10"], gained / ideal)
        self.assertEqual(found["COMP@10"], 0)

    def test_bounds(self) -> None:
        self.assertEqual(measures.scores(["a", "b"], {"b", "a"}), {"recall@5": 1, "nDCG@10": 1, "COMP@10": 1})
        self.assertEqual(measures.scores([], {"a"}), {"recall@5": 0, "nDCG@10": 0, "COMP@10": 0})
        self.assertEqual(measures.scores([*"0123456789", "a"], {"a"})["COMP@10"], 0)
        # More relevant tools than places: the ideal is a full list, completeness is out of reach.
        many = measures.scores([str(i) for i in range(10)], {str(i) for i in range(12)})
        self.assertEqual((many["nDCG@10"], many["COMP@10"], many["recall@5"]), (1, 0, 5 / 12))

    def test_a_tool_named_twice_counts_once(self) -> None:
        self.assertEqual(measures.scores(["a", "a", "b"], {"a", "b"}), measures.scores(["a", "b"], {"a", "b"}))

    def test_quantile(self) -> None:
        self.assertEqual(measures.quantile([3, 1, 2], 0.5), 2)
        self.assertEqual(measures.quantile([0, 10], 0.95), 9.5)
        self.assertEqual(measures.quantile([7], 0.95), 7)


class Bootstrap(unittest.TestCase):
    def test_interval_is_that_of_the_normal_law(self) -> None:
        draw = random.Random(1)
        values = [float(draw.random() < 0.3) for _ in range(400)]
        mean = measures.mean(values)
        low, high = measures.interval(measures.Resamples(400).means(values))
        error = 1.96 * math.sqrt(mean * (1 - mean) / 400)
        self.assertAlmostEqual(low, mean - error, delta=0.01)
        self.assertAlmostEqual(high, mean + error, delta=0.01)

    def test_is_paired(self) -> None:
        draw = random.Random(2)
        theirs = [draw.random() for _ in range(50)]
        # A small lead at every query is certain, although the means overlap widely.
        ours = [value + 0.01 for value in theirs]
        resamples = measures.Resamples(50)
        a, b = resamples.means(ours), resamples.means(theirs)
        self.assertLess(measures.interval(a)[0], measures.interval(b)[1])
        low, high = measures.interval(measures.difference(a, b))
        self.assertAlmostEqual(low, 0.01)
        self.assertAlmostEqual(high, 0.01)

    def test_is_repeatable_and_takes_one_query(self) -> None:
        values = [1.0, 0.0, 0.0, 1.0, 1.0]
        self.assertEqual(measures.Resamples(5).means(values), measures.Resamples(5).means(values))
        self.assertEqual(measures.interval(measures.Resamples(1).means([0.5])), (0.5, 0.5))

    def test_macro_gives_each_set_the_same_weight(self) -> None:
        self.assertEqual(measures.macro([[1.0, 0.0], [0.5, 1.0]]), [0.75, 0.5])


class Data(unittest.TestCase):
    def test_a_set_is_read(self) -> None:
        one = dataset()
        self.assertEqual([query.id for query in one.queries], ["a", "c", "d"])
        self.assertEqual(one.queries[1].relevant, {"1", "3"})
        self.assertEqual((one.tools[1].description, one.tools[1].schema, one.tools[2].source), ("", {}, ""))
        self.assertEqual([tool.unique_name for tool in one.tools], ["mail_send", "chat_send", "getWeather", "chat_send_2"])
        self.assertEqual([tool.qualified_name for tool in one.tools], ["mail_send", "chat_send", "getWeather", "chat_send_2"])

    def test_fewer_queries_are_spread_over_the_file(self) -> None:
        queries = [{"id": str(i), "text": "t", "relevant": ["1"]} for i in range(10)]
        self.assertEqual([query.id for query in dataset(most=4, queries=queries).queries], ["0", "2", "5", "7"])

    def test_halves(self) -> None:
        queries = [{"id": str(i), "text": "t", "relevant": ["1"]} for i in range(20)]
        odd, even = ({query.id for query in dataset(f"s:{half}", queries=queries).queries} for half in ("odd", "even"))
        self.assertEqual(odd, {str(i) for i in range(20) if hashlib.sha256(str(i).encode()).digest()[-1] % 2 == 1})
        self.assertEqual((len(odd & even), len(odd | even)), (0, 20))

    def test_what_does_not_fit_is_an_error_with_its_place(self) -> None:
        def check(words: str, name: str = "s", tools: list[Line] = TOOLS, queries: list[Line] = QUERIES) -> None:
            with self.assertRaisesRegex(data.DataError, words):
                dataset(name, tools=tools, queries=queries)

        check("queries.jsonl, line 1: relevant tool '9' is not in tools.jsonl", queries=[{"id": "a", "text": "t", "relevant": ["9"]}])
        check("tools.jsonl: id '1' stands twice", tools=[TOOLS[0], TOOLS[0]])
        check("tools.jsonl, line 1: is no object with id, name", tools=[{"id": "1"}])
        check("no query that needs a tool", queries=[QUERIES[1]])
        check("other/tools.jsonl cannot be read", name="other")
        check("queries.test.jsonl cannot be read", name="s:test")

    def test_separators_inside_texts_end_no_line(self) -> None:
        one = dataset(queries=[{"id": "a", "text": "one\u2028two\x0cthree", "relevant": ["1"]}])
        self.assertEqual(one.queries[0].text, "one\u2028two\x0cthree")


class Text(unittest.TestCase):
    def test_identifiers_are_words(self) -> None:
        self.assertEqual(text.split("getHTTPResponse_v2/now"), "get HTTP Response v 2 now")
        self.assertEqual(text.terms("Lists the user_names of classes"), ["list", "user", "name", "classe"])
        self.assertEqual(text.terms("날씨예보"), ["날씨", "씨예", "예보"])

    def test_the_whole_text(self) -> None:
        self.assertEqual(
            [text.whole(tool) for tool in dataset().tools[:3]],
            ["mail send: Sends a letter.", "chat send: ", "get Weather: Rain or sun tomorrow."],
        )


class Fixed(Peer):
    """Gives the same list to every query; fails where told."""

    def __init__(self, ranked: list[str], fails_at: str = "", fails_to_build: bool = False) -> None:
        super().__init__(Surroundings(encoder=NoEncoder(), binary=Path(), root=Path()))  # type: ignore[arg-type]
        self.ranked, self.fails_at, self.fails_to_build, self.closed = ranked, fails_at, fails_to_build, False

    def build(self, tools: list[data.Tool]) -> None:
        if self.fails_to_build:
            raise ValueError("no room\nat all")

    def rank(self, query: str, k: int) -> list[str]:
        if self.fails_at and self.fails_at in query:
            raise KeyError(query)
        return self.ranked[:k]

    def close(self) -> None:
        self.closed = True


class NoEncoder:
    owed = 2.0

    def building(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def held(peers: Mapping[str, Peer], one: data.Dataset) -> list[contest.Outcome]:
    with contextlib.redirect_stderr(io.StringIO()):
        return contest.hold(one, list(peers), lambda name: (peers[name], NoEncoder()))  # type: ignore[arg-type,return-value]


class Contest(unittest.TestCase):
    def test_failures_are_told_and_stop_nobody(self) -> None:
        peers = {OURS: Fixed(["1", "3"]), "broken": Fixed([], fails_to_build=True), "shaky": Fixed(["1"], "rain"), "dead": Fixed([], " ")}
        outcomes = {
            outcome.peer: outcome for outcome in held(peers, dataset(queries=[q for q in QUERIES if " " in q["text"] or q["id"] == "d"]))
        }
        self.assertEqual([score["COMP@10"] for score in outcomes[OURS].scores], [1, 1])
        self.assertEqual((outcomes[OURS].failure, len(outcomes[OURS].latencies_s)), ("", 2))
        self.assertGreater(outcomes[OURS].build_s, 2.0, "embedding that another peer paid for is charged")
        self.assertEqual(outcomes["broken"].failure, "building: ValueError: no room at all")
        self.assertEqual((outcomes["shaky"].failed_queries, outcomes["shaky"].failure), (1, ""))
        self.assertEqual([score["recall@5"] for score in outcomes["shaky"].scores], [1, 0])
        self.assertEqual(len(outcomes["shaky"].latencies_s), 1)
        self.assertTrue(all(peer.closed for peer in peers.values()))

    def test_bm25_ranks_by_words_and_then_by_place(self) -> None:
        peer = Bm25(Surroundings(encoder=NoEncoder(), binary=Path(), root=Path()))  # type: ignore[arg-type]
        peer.build(dataset().tools)
        self.assertEqual(peer.rank("will there be rain", 10), ["3", "1", "2", "4"])
        self.assertEqual(peer.rank("send chat", 2), ["2", "4"])


class Table(unittest.TestCase):
    def report(self) -> Report:
        report = Report()
        one = dataset(queries=[{"id": str(i), "text": "t t", "relevant": ["1"]} for i in range(8)])
        for name in ("first", "second"):
            peers = {OURS: Fixed(["1"]), "late": Fixed(["2", "1"]), "same": Fixed(["1"]), "dead": Fixed([], "t t")}
            if name == "second":
                peers["same"] = Fixed([], fails_to_build=True)
            report.add(name, len(one.tools), held(peers, one))
        return report

    def test_leads(self) -> None:
        first = {row.peer: row for row in self.report().groups[0].rows}
        self.assertEqual(first[OURS].leads, {})
        lead = first["late"].leads["nDCG@10"]
        self.assertAlmostEqual(lead.value, 1 - 1 / math.log2(3))
        self.assertEqual((lead.sign, first["late"].leads["recall@5"].sign, first["same"].leads["nDCG@10"].sign), (1, 0, 0))
        self.assertIn("every query", first["dead"].failure)

    def test_macro_leaves_out_who_failed_somewhere(self) -> None:
        macro = {row.peer: row for row in self.report().all()[-1].rows}
        self.assertEqual(macro["same"].failure, "no figures on 1 of 2 sets")
        self.assertEqual(macro["dead"].failure, "no figures on 2 of 2 sets")
        self.assertAlmostEqual(macro["late"].means["nDCG@10"].value, 1 / math.log2(3))

    def test_text_and_markdown(self) -> None:
        groups = self.report().all()
        shown = table.text(groups)
        row = next(line for line in shown.splitlines() if line.startswith("late"))
        self.assertIn(".631 [.631, .631]", row)
        self.assertIn("+.369 [+.369, +.369] ▲", row)
        self.assertIn("late: of 6 leads (sets x measures), 2 ▲ and 0 ▼", shown)
        self.assertIn("FAILED: same on second: building: ValueError: no room at all", shown)
        lines = [line for line in table.markdown(groups).splitlines() if line.startswith("|")]
        self.assertEqual({line.count("|") for line in lines}, {len(table.header()) + 1})

    def test_numbers(self) -> None:
        signed = [table._signed(value) for value in (0.0, 1e-17, -0.0001, 0.25, -1.0)]
        self.assertEqual(signed, [".000", ".000", "-.000", "+.250", "-1.000"])
        self.assertEqual([table._share(value) for value in (0.0, 0.5, 0.9999, 1.0)], [".000", ".500", "1.000", "1.000"])


if __name__ == "__main__":
    unittest.main()
