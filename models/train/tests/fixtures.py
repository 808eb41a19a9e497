"""A small world for the tests: tools, requests and evaluation sets, written for them and taken from no benchmark."""

import io
import json
import sys
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.build import run  # noqa: E402
from data.sets import NEVER, REPORTED, SOURCES  # noqa: E402


def tool(tool_id, name, description, server=None, properties=None, required=(), **more):
    schema = {"type": "object", "properties": properties or {}, "required": list(required)}
    return {"id": tool_id, "name": name, "description": description, "input_schema": schema, "server": server, **more}


TEXT = {"type": "string"}
BOARD = [
    tool("b/list_boards", "list_boards", "Lists all boards of a workspace.", "acme/board-mcp", {"workspace_id": TEXT},
        x_license="MIT", x_server_name="Corkboard MCP Server"),
    tool("b/get_board", "get_board", "Get details of a specific board by its ID", "acme/board-mcp", {"board_id": TEXT},
        ["board_id"], x_license="MIT", x_server_name="Corkboard MCP Server"),
    tool("b/create_card", "create_card", "Creates a new card on a board.\n\nArgs:\n    title: what it says",
        "acme/board-mcp", {"board_id": TEXT, "title": TEXT}, ["board_id", "title"], x_license="MIT",
        x_server_name="Corkboard MCP Server"),
    tool("b/delete_card", "delete_card", "This tool allows you to delete a card from a board.", "acme/board-mcp",
        {"card_id": TEXT}, ["card_id"], x_license="MIT", x_server_name="Corkboard MCP Server"),
    tool("b/move_card", "move_card", "Moves a card to another column of the board", "acme/board-mcp",
        {"card_id": TEXT, "column": TEXT}, ["card_id"], x_license="ISC", x_server_name="Corkboard MCP Server"),
    tool("w/tide_table", "tide_table", "Fetches the tide table of a given harbour using the RapidAPI service.",
        "sea/harbour", {"harbour": TEXT, "date": TEXT}, ["harbour"], x_license="MIT", x_server_name="Harbour Data"),
    tool("w/wave_height", "wave_height", "Calculates the expected wave height at a location.", "sea/harbour",
        {"location": TEXT, "hours": {"type": "integer"}}, ["location"], x_license="MIT", x_server_name="Harbour Data"),
    tool("w/leer", "leer", "Gibt die Uhrzeit für den Hafen und das Datum zurück", "sea/harbour", x_license="MIT"),
]
PLUGINS = [tool("Knots", "Knots", "Learn to tie sailing knots with drawings."),
    tool("Gulls", "Gulls", "Identify sea birds from a description of their call.")]
FIELDS = [
    tool("getSailPlan", "getSailPlan", "Retrieve the sail plan of a boat", "Sailing/Rigging", {"boat": TEXT}),
    tool("getHullSpeed", "getHullSpeed", "Calculate the hull speed of a boat", "Sailing/Hulls",
        {"length": {"type": "number"}}),
    tool("getBeeCount", "getBeeCount", "Retrieve the number of bees in a hive", "Beekeeping/Hives", {"hive_id": TEXT}),
    tool("getHoneyYield", "getHoneyYield", "Retrieve the honey yield of a season", "Beekeeping/Honey",
        {"year": {"type": "integer"}}),
]
FUNCTIONS = [tool("knots_to_kmh", "knots_to_kmh", "Convert a speed in knots to kilometres per hour.", None,
    {"speed": {"type": "number"}}, ["speed"])]


def query(query_id, text, *relevant):
    return {"id": query_id, "text": text, "relevant": list(relevant), "lang": "en"}


def write_lines(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")


def read_lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


class World:
    """A folder of public sets that a test may change before it builds."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        self.data = self.root / "public"
        self.files = {f"{source.name}/tools.jsonl": [] for source in SOURCES}
        self.files |= {f"{source.name}/{file}": [] for source in SOURCES for file in (*source.labelled,
            *REPORTED.get(source.name, ()))}
        self.files |= {f"{name}/{file}": [] for name in NEVER for file in ("tools.jsonl", "queries.jsonl")}
        self.files["mcp-pool/tools.jsonl"] = list(BOARD)
        self.files["metatool/tools.jsonl"] = list(PLUGINS)
        self.files["seal-tools/tools.jsonl"] = list(FIELDS)
        self.files["bfcl-nonlive/tools.jsonl"] = list(FUNCTIONS)
        self.files["metatool/queries.train.jsonl"] = [query(f"k{n}", f"How do I tie knot number {n} on my boat",
            "Knots") for n in range(150)]
        self.files["seal-tools/queries.dev.jsonl"] = [query(f"s{n}", f"Show the sail plan of boat {n}",
            "getSailPlan") for n in range(40)]

    def build(self, out="out", **options):
        """Builds and returns (card, tools, pairs, held back)."""
        for name, entries in self.files.items():
            write_lines(self.data / name, entries)
        folder = self.root / out
        options.setdefault("data", self.data)
        with redirect_stderr(io.StringIO()):
            card = run(folder, **options)
        return card, *(read_lines(folder / file) for file in ("tools.jsonl", "pairs.jsonl", "holdback.jsonl"))

    def close(self):
        self._folder.cleanup()
