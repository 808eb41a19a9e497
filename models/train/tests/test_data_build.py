"""The run as a whole: same bytes, what is kept out, caps, hold-back, share, the user's own catalogue."""

import subprocess
import sys
import unittest
from pathlib import Path

from fixtures import BOARD, World, query, read_lines, tool, write_lines

from data.negatives import LookAlikes
from data.pairs import LONG, LONG_KINDS, MOST_LABELLED, MOST_PER_KIND, SHORT
from data.sets import BadInput, read_tools
from data.words import fold, jaccard, name_key, tokens


class WithWorld(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)


class Build(WithWorld):
    def test_same_seed_gives_the_same_bytes_and_another_seed_other_words(self):
        self.world.build("one", seed=3)
        self.world.build("two", seed=3)
        self.world.build("other", seed=4)
        for file in ("tools.jsonl", "pairs.jsonl", "holdback.jsonl", "card.json", "card.md"):
            self.assertEqual((self.world.root / "one" / file).read_bytes(),
                (self.world.root / "two" / file).read_bytes(), file)
        self.assertNotEqual((self.world.root / "one/pairs.jsonl").read_bytes(),
            (self.world.root / "other/pairs.jsonl").read_bytes())
        self.assertEqual((self.world.root / "one/holdback.jsonl").read_bytes(),
            (self.world.root / "other/holdback.jsonl").read_bytes(), "the hold-back is that of every seed")

    def test_a_new_tool_leaves_the_simple_requests_of_others_as_they_were(self):
        simple = ("sentence", "question", "wanted", "filled", "placeholder", "wrapped")
        before = {pair["query"] for pair in self.world.build("before")[2] if pair["kind"] in simple}
        self.world.files["bfcl-nonlive/tools.jsonl"] += [tool("anchor_depth", "anchor_depth",
            "Estimate the anchor chain length for a depth of water.")]
        after = {pair["query"] for pair in self.world.build("after")[2] if pair["kind"] in simple}
        self.assertLessEqual(before, after)

    def test_pairs_refer_to_tools_and_are_of_a_sane_length(self):
        _, tools, pairs, held = self.world.build()
        ids = {entry["id"] for entry in tools}
        self.assertEqual(len(ids), len(tools))
        for pair in pairs + held:
            self.assertLessEqual({*pair["relevant"], *pair["negatives"]}, ids)
            if not pair["kind"].startswith(("labelled", "no_tool")):
                low, high = LONG if pair["kind"] in LONG_KINDS else SHORT
                self.assertTrue(low <= len(pair["query"].split()) <= high, pair)
            self.assertEqual(pair["query"], pair["query"].strip())
        self.assertEqual(len({fold(pair["query"]) for pair in pairs}), len(pairs), "no text twice")

    def test_many_kinds_are_made_and_some_requests_need_no_tool(self):
        _, _, pairs, _ = self.world.build()
        kinds = {pair["kind"] for pair in pairs}
        self.assertLessEqual({"sentence", "question", "wanted", "filled", "placeholder", "paraphrase", "keywords",
            "wrapped", "several", "several_long", "typo", "no_tool", "labelled"}, kinds)
        self.assertTrue(all(pair["relevant"] == [] for pair in pairs if pair["kind"] == "no_tool"))
        self.assertTrue(all(2 <= len(set(pair["relevant"])) <= 5 for pair in pairs
            if pair["kind"].startswith("several")))

    def test_text_in_another_language_is_a_tool_but_makes_no_requests(self):
        _, tools, pairs, _ = self.world.build()
        self.assertIn("mcp-pool/w/leer", {entry["id"] for entry in tools})
        self.assertFalse([pair for pair in pairs if "mcp-pool/w/leer" in pair["relevant"]])

    def test_caps(self):
        _, _, pairs, _ = self.world.build()
        labelled = [pair for pair in pairs if pair["kind"] == "labelled" and pair["relevant"] == ["metatool/Knots"]]
        self.assertEqual(len(labelled), MOST_LABELLED)
        count = {}
        for pair in pairs:
            if len(pair["relevant"]) == 1 and not pair["kind"].startswith("labelled"):
                key = (pair["relevant"][0], pair["kind"])
                count[key] = count.get(key, 0) + 1
        self.assertLessEqual(max(count.values()), MOST_PER_KIND)

    def test_held_back_texts_are_in_no_pair(self):
        self.world.files["metatool/queries.train.jsonl"] += [query("again", "how do I tie knot number 7, on my boat?!",
            "Knots")]
        _, _, pairs, held = self.world.build()
        self.assertTrue(2 <= sum(pair["set"] == "metatool" for pair in held) <= 20)
        self.assertTrue(1 <= sum(pair["set"] == "seal-tools" for pair in held) <= 12)
        self.assertFalse({fold(pair["query"]) for pair in pairs} & {fold(pair["query"]) for pair in held})

    def test_negatives_are_of_the_source_and_never_positives_or_copies(self):
        self.world.files["mcp-pool/tools.jsonl"] += [
            {**BOARD[2], "id": "b/createCard", "name": "createCard"},
            tool("b/new_card", "new_card", "Creates a new card on the board", "acme/board-mcp", x_license="MIT"),
        ]
        _, tools, pairs, _ = self.world.build()
        by_id = {entry["id"]: entry for entry in tools}
        self.assertTrue(any(pair["negatives"] for pair in pairs))
        for pair in pairs:
            self.assertLessEqual(len(pair["negatives"]), 4)
            self.assertFalse(set(pair["negatives"]) & set(pair["relevant"]))
            for one in pair["relevant"]:
                for other in pair["negatives"]:
                    self.assertNotEqual(name_key(by_id[one]["name"]), name_key(by_id[other]["name"]))
                    self.assertLess(jaccard(tokens(by_id[one]["description"]), tokens(by_id[other]["description"])),
                        0.7)
        self.assertIn("mcp-pool/b/new_card", by_id["mcp-pool/b/create_card"]["copies"])

    def test_look_alikes_of_several_positives_are_copies_of_none(self):
        write_lines(self.world.root / "t.jsonl", BOARD)
        alike = LookAlikes(read_tools(self.world.root / "t.jsonl", "t", None))
        self.assertIn("t/b/delete_card", alike.of("t/b/create_card"))
        self.assertNotIn("t/b/create_card", alike.of("t/b/create_card"))

    def test_card_counts_what_is_written(self):
        card, tools, pairs, held = self.world.build()
        self.assertEqual((card["tools"], card["pairs"], card["held_back"]), (len(tools), len(pairs), len(held)))
        self.assertEqual(sum(row["tools"] for row in card["tools_by_set_and_license"]), len(tools))
        self.assertEqual(sum(row["pairs"] for row in card["pairs_by_set_and_kind"]), len(pairs))
        self.assertIn({"set": "mcp-pool", "license": "ISC", "tools": 1}, card["tools_by_set_and_license"])
        text = (self.world.root / "out/card.md").read_text("utf-8")
        self.assertIn("| mcp-pool | ISC | 1 |", text)
        self.assertIn("Seed 1, share 1.0", text)

    def test_weights_are_fitted_on_requests_that_training_does_not_see(self):
        self.world.files["livemcpbench/tools.jsonl"] = [tool("winch", "winch", "Turns the winch of a boat.")]
        self.world.files["livemcpbench/queries.jsonl"] = [query(f"w{n}", f"Turn winch {n}", "winch") for n in range(99)]
        folder = self.world.root / "out/fitting"
        write_lines(folder / "of-an-earlier-run/queries.jsonl", [])
        _, _, pairs, _ = self.world.build()
        seen = {fold(pair["query"]) for pair in pairs}
        # Of forty requests of seal-tools a tenth is held back: too few.
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["livemcpbench", "metatool"])
        for name in ("livemcpbench", "metatool"):
            queries, tools = (read_lines(folder / name / file) for file in ("queries.jsonl", "tools.jsonl"))
            self.assertGreaterEqual(len(queries), 20)
            self.assertFalse({fold(one["text"]) for one in queries} & seen)
            self.assertLessEqual({tool_id for one in queries for tool_id in one["relevant"]}, {one["id"] for one in tools})
        self.assertTrue(20 <= len(read_lines(folder / "livemcpbench/queries.jsonl")) <= 79, "a half of it")


class Exclusions(WithWorld):
    """One planted leak per rule."""

    def left_out(self, entry, *evaluation, why, into="livemcpbench"):
        self.world.files["mcp-pool/tools.jsonl"] = [*BOARD, {"x_license": "MIT", **entry}]
        self.world.files[f"{into}/tools.jsonl"] = list(evaluation)
        card, tools, pairs, _ = self.world.build()
        bad = f"mcp-pool/{entry['id']}"
        self.assertNotIn(bad, {one["id"] for one in tools})
        self.assertFalse([pair for pair in pairs if bad in pair["relevant"] or bad in pair["negatives"]])
        self.assertIn({"what": "tools", "of": "mcp-pool", "why": why, "count": 1}, card["left_out"])

    def test_name_and_description(self):
        self.left_out(tool("x/1", "readLog", "Read a log", "some/fork"), tool("e", "read_log", "read a log.", "origin"),
            why="name and description of an evaluation tool")

    def test_name_and_source(self):
        self.left_out(tool("x/1", "read_log", "Something quite different", "someone/logbook-mcp-server"),
            tool("e", "readLog", "Opens the book", "LogBook"), why="name and source of an evaluation tool")
        self.left_out(tool("x/1", "read_log", "Something quite different", "someone/repo",
            x_server_name="Log Book Server"), tool("e", "readLog", "Opens the book", "logbook"),
            why="name and source of an evaluation tool")

    def test_near_description_under_the_same_name(self):
        self.left_out(tool("x/1", "read_log", "Read all the log lines of one ship on a voyage", "some/fork"),
            tool("e", "read_log", "Read the log lines of one ship on a voyage", "origin"),
                      why="name and near description of an evaluation tool")

    def test_description_under_another_name(self):
        self.left_out(tool("x/1", "log_reader", "Read the log lines of a ship", "some/fork"),
            tool("e", "read_log", "Read the log lines of a ship!", "origin"), why="description of an evaluation tool",
            into="restbench")

    def test_a_licence_that_does_not_allow_it(self):
        self.left_out(tool("x/1", "read_log", "Read the log of a ship", "some/fork", x_license="GPL-3.0-only"),
            why="licence GPL-3.0-only")

    def test_tools_of_unseen_requests_and_fields_that_only_those_ask_for(self):
        self.world.files["seal-tools/queries.test_out_domain.jsonl"] = [query("o1", "How many bees are in hive 4?",
            "getBeeCount"), query("o2", "Hull speed for ten metres", "getHullSpeed")]
        self.world.files["seal-tools/queries.dev.jsonl"] += [query("d", "Bees in hive 3 and the sail plan",
            "getSailPlan"), query("h", "Hull speed please", "getHullSpeed")]
        card, tools, pairs, held = self.world.build()
        ids = {entry["raw"] for entry in ({"raw": entry["id"].removeprefix("seal-tools/")} for entry in tools)}
        self.assertIn("getSailPlan", ids)
        self.assertNotIn("getBeeCount", ids, "asked for by the unseen test")
        self.assertNotIn("getHullSpeed", ids, "asked for by the unseen test, though by others too")
        self.assertNotIn("getHoneyYield", ids, "its field is asked for by the unseen test alone")
        self.assertFalse([pair for pair in pairs + held if pair["query"] == "Hull speed please"])
        self.assertIn({"what": "labelled", "of": "seal-tools", "why": "needs a tool that may not train", "count": 1},
            card["left_out"])

    def test_requests_of_evaluation_sets(self):
        leak = "Lists all boards of the workspace, please!"
        self.world.files["metatool/queries.train.jsonl"] += [query("leak", leak, "Knots")]
        self.world.files["mcp-bench/queries.jsonl"] = [query("e", "lists ALL boards of the workspace please", "x")]
        made = self.world.build("before")[2]
        victim = next(pair["query"] for pair in made if pair["kind"] == "question")
        self.world.files["azure-mcp/queries.jsonl"] = [query("v", victim.upper(), "x")]
        _, _, pairs, held = self.world.build("after")
        texts = {fold(pair["query"]) for pair in pairs + held}
        self.assertNotIn(fold(leak), texts)
        self.assertNotIn(fold(victim), texts)


class Share(WithWorld):
    def test_pairs_are_thinned_evenly_and_tools_stay(self):
        _, tools, pairs, held = self.world.build("all")
        _, tools_half, pairs_half, held_half = self.world.build("half", share=0.5)
        self.assertEqual(tools, tools_half)
        self.assertEqual(held, held_half)
        texts = {pair["query"] for pair in pairs}
        self.assertTrue(all(pair["query"] in texts for pair in pairs_half))
        for kind in {pair["kind"] for pair in pairs}:
            count, count_half = (sum(pair["kind"] == kind for pair in some) for some in (pairs, pairs_half))
            self.assertLessEqual(abs(count_half - count / 2), 6, kind)

    def test_under_a_twentieth_tools_are_thinned_and_positives_stay(self):
        _, tools, _, _ = self.world.build("all")
        card, few, pairs, held = self.world.build("few", share=0.02)
        ids = {entry["id"] for entry in few}
        self.assertLess(len(few), len(tools))
        self.assertTrue(all({*pair["relevant"], *pair["negatives"]} <= ids for pair in pairs + held))
        self.assertEqual(card["tools"], len(few))

    def test_a_share_out_of_range_is_refused(self):
        for share in (0, 1.5, -1):
            with self.assertRaisesRegex(BadInput, "--share"):
                self.world.build(share=share)


class OwnCatalogue(WithWorld):
    def setUp(self):
        super().setUp()
        self.catalog, self.pairs = self.world.root / "tools.jsonl", self.world.root / "pairs.jsonl"
        write_lines(self.catalog, [{**entry, "id": entry["name"]} for entry in BOARD])
        write_lines(self.pairs,
            [{"query": f"what is on board {n} today",
                "relevant": ["get_board"]} for n in range(40)] + [{"text": "thanks for all your help", "relevant": []}])

    def test_alone(self):
        card, tools, pairs, held = self.world.build(data=None, catalog=self.catalog, own_pairs=self.pairs)
        self.assertEqual(len(tools), len(BOARD))
        self.assertEqual({entry["license"] for entry in tools}, {"own"})
        self.assertTrue(any(pair["kind"] == "labelled" and pair["relevant"] == ["catalog/get_board"] for pair in pairs))
        self.assertTrue(0 < len(held) < 12)
        self.assertIn({"query": "thanks for all your help", "relevant": [], "set": "catalog", "kind": "no_tool",
            "negatives": []}, pairs + held)
        self.assertGreater(card["pairs"], 60)

    def test_without_requests_and_together_with_the_public_sets(self):
        _, _, pairs, held = self.world.build("alone", data=None, catalog=self.catalog)
        self.assertEqual(held, [])
        self.assertTrue(pairs)
        _, tools, _, _ = self.world.build("both", catalog=self.catalog, own_pairs=self.pairs)
        self.assertLessEqual({"catalog", "mcp-pool", "metatool"}, {entry["set"] for entry in tools})

    def test_ids_may_be_left_out(self):
        write_lines(self.catalog, [{key: value for key, value in entry.items() if key != "id"} for entry in BOARD])
        _, tools, _, _ = self.world.build(data=None, catalog=self.catalog)
        self.assertIn("catalog/acme/board-mcp/get_board", {entry["id"] for entry in tools})

    def refused(self, catalog, pairs, pattern):
        if catalog is not None:
            self.catalog.write_text(catalog, "utf-8")
        if pairs is not None:
            self.pairs.write_text(pairs, "utf-8")
        with self.assertRaisesRegex(BadInput, pattern):
            self.world.build(data=None, catalog=self.catalog, own_pairs=self.pairs)

    def test_bad_input_is_named_by_file_line_and_field(self):
        good = '{"id": "a", "name": "a", "description": "Get the a of b"}\n'
        self.refused(good + "{oops\n", None, r"tools\.jsonl:2: not JSON")
        self.refused(good + "[1]\n", None, r"tools\.jsonl:2: is a list, not an object")
        self.refused(good + '{"id": "b"}\n', None, r"tools\.jsonl:2: field `name` is missing")
        self.refused(good + good, None, r"tools\.jsonl:2: field `id` 'a' is also that of line 1")
        self.refused('{"id": "a", "name": " "}\n', None, r"tools\.jsonl:1: field `name` is blank")
        self.refused('{"id": "a", "name": "a", "description": 4}\n', None, r"field `description` is int")
        self.refused('{"id": "a", "name": "a", "server": 4}\n', None, r"field `server` is int")
        self.refused('{"id": "a", "name": "a", "input_schema": "x"}\n', None, r"field `input_schema` is str")
        self.refused(good, '{"query": "x y z", "relevant": "a"}\n', r"pairs\.jsonl:1: field `relevant` is str")
        self.refused(good, '{"query": "x y z", "relevant": [1]}\n', r"pairs\.jsonl:1: field `relevant` holds 1")
        self.refused(good, '{"relevant": ["a"]}\n', r"pairs\.jsonl:1: field `query` is missing")
        self.refused(good, '{"query": " ", "relevant": ["a"]}\n', r"pairs\.jsonl:1: field `query` is blank")
        self.refused(good, '{"query": "x y z", "relevant": ["nope"]}\n', r"pairs\.jsonl.*'nope', which is no tool")

    def test_the_command_says_what_is_wrong_in_one_line(self):
        command = [sys.executable, str(Path(__file__).resolve().parent.parent / "build_data.py"), "--out",
            str(self.world.root / "cli")]
        for arguments, pattern in ((["--catalog", "nowhere.jsonl"], "^build_data: nowhere.jsonl: no such file"),
            (["--pairs", "p.jsonl"], "--pairs needs --catalog"), ([], "nothing to read")):
            done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, pattern)
        done = subprocess.run([*command, "--catalog", str(self.catalog), "--pairs", str(self.pairs)],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("wrote", done.stderr)
        self.assertTrue(read_lines(self.world.root / "cli/pairs.jsonl"))

    def test_missing_files_are_named(self):
        self.world.build("first")
        (self.world.data / "mcp-bench/tools.jsonl").unlink()
        del self.world.files["mcp-bench/tools.jsonl"]
        with self.assertRaisesRegex(BadInput, "mcp-bench/tools.jsonl.*--allow-missing"):
            self.world.build()
        self.world.build(allow_missing=True)
        with self.assertRaisesRegex(BadInput, "nothing to read"):
            self.world.build(data=None)
        with self.assertRaisesRegex(BadInput, "no such file"):
            self.world.build(data=None, catalog=self.world.root / "nowhere.jsonl")


if __name__ == "__main__":
    unittest.main()
