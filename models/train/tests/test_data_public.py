"""The public sets themselves, where they are at hand: nothing that is reported as unseen is in the output."""

import io
import os
import tempfile
import unittest
from contextlib import redirect_stderr
from pathlib import Path

from fixtures import read_lines

from data.build import run
from data.sets import NEVER, PERMISSIVE, REPORTED
from data.words import fold, name_key

DATA = os.environ.get("TOOL_ROUTER_DATA")


@unittest.skipUnless(DATA, "TOOL_ROUTER_DATA is not set: it names the folder with the public sets")
class PublicSets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        out = Path(cls.folder.name)
        with redirect_stderr(io.StringIO()):
            cls.card = run(out, data=DATA)
        cls.tools, cls.pairs, cls.held = (read_lines(out / file) for file in ("tools.jsonl", "pairs.jsonl",
            "holdback.jsonl"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_no_request_of_an_evaluation_set(self):
        files = [Path(DATA) / name / "queries.jsonl" for name in NEVER]
        files += [Path(DATA) / "functionchat-ko" / "queries.irrelevance.jsonl"]
        files += [Path(DATA) / name / file for name, more in REPORTED.items() for file in more]
        texts = {fold(entry["text"]) for file in files for entry in read_lines(file)}
        self.assertGreater(len(texts), 5000)
        self.assertFalse(texts & {fold(pair["query"]) for pair in self.pairs + self.held})

    def test_no_tool_of_an_evaluation_set(self):
        evaluation = {(name_key(entry["name"]),
            fold(entry["description"])) for name in NEVER for entry in read_lines(Path(DATA) / name / "tools.jsonl")}
        self.assertFalse([entry["id"] for entry in self.tools if (name_key(entry["name"]),
            fold(entry["description"])) in evaluation])
        unseen = {raw for entry in read_lines(Path(DATA) / "seal-tools/queries.test_out_domain.jsonl")
            for raw in entry["relevant"]}
        self.assertFalse([entry["id"] for entry in self.tools if entry["set"] == "seal-tools"
            and entry["id"].removeprefix("seal-tools/") in unseen])

    def test_enough_tools_all_under_a_permissive_licence(self):
        self.assertGreaterEqual(len(self.tools), 10_000)
        self.assertLessEqual({entry["license"] for entry in self.tools}, PERMISSIVE)
        self.assertGreater(len(self.pairs), 100_000)

    def test_hold_back_is_apart(self):
        self.assertFalse({fold(pair["query"]) for pair in self.pairs} & {fold(pair["query"]) for pair in self.held})
        metatool = sum(pair["set"] == "metatool" for pair in self.held)
        self.assertTrue(0.03 * 16_468 < metatool < 0.07 * 16_468, metatool)


if __name__ == "__main__":
    unittest.main()
