"""Tests of draw.py and render.py, against a Prometheus that is made up."""

import json
import math
import re
import unittest
import xml.etree.ElementTree

import draw
import expressions
import render

NAN = math.nan
DASHBOARDS = sorted((expressions.HERE.parent / "grafana").glob("*.json"))


class MadeUp:
    """Has the same series for every expression."""

    def __init__(self, *series):
        self.series = series

    def ask(self, path, **parameters):
        points = [[i * 10, str(value)] for i, value in enumerate([1, 2, "NaN", 0.5])]
        if path == "query_range":
            return {"resultType": "matrix", "result": [{"metric": metric, "values": points} for metric in self.series]}
        return {"resultType": "vector", "result": [{"metric": metric, "value": [40, "0.5"]} for metric in self.series]}


class Drawing(unittest.TestCase):
    def test_numbers_as_a_person_writes_them(self):
        for value, unit, wanted in [
            (0.00099, "s", "990 µs"),
            (0.1, "s", "100 ms"),
            (0, "s", "0 s"),
            (5400, "s", "1.5 h"),
            (0.0144, "percentunit", "1.44 %"),
            (3 << 29, "bytes", "1.5 GiB"),
            (12345.6, "reqps", "12.3 k req/s"),
            (0, "none", "0"),
            (3, "none", "3"),
            (NAN, "s", "–"),
        ]:
            self.assertEqual(draw.number(value, unit), wanted)
        self.assertEqual(draw.number(0.5, "percentunit", 2), "50 %")

    def test_colours_of_thresholds(self):
        steps = {"steps": [{"color": "green", "value": None}, {"color": "yellow", "value": 0.5}, {"color": "red", "value": 1}]}
        found = [draw.colour(value, steps) for value in (0, 0.5, 2, NAN)]
        self.assertEqual(found, [draw.NAMED[name] for name in ("green", "yellow", "red", "green")])

    def test_ticks_are_round_and_few(self):
        self.assertEqual(draw.Scale(0, 1, 0, 100).ticks(), [0, 0.25, 0.5, 0.75, 1])
        self.assertEqual(draw.Scale(0.001, 1, 0, 100, log=True).ticks(), [0.001, 0.01, 0.1, 1])
        self.assertEqual(draw.Scale(0, 3000, 0, 100).ticks("s"), [0, 1800])
        for high in (1e-9, 0.3, 7, 1e12):
            self.assertIn(len(draw.Scale(0, high, 0, 100).ticks()), range(3, 7))

    def test_lines_end_at_holes(self):
        points = [(0, 1), (10, 2), (20, NAN), (30, 3), (200, 4)]
        self.assertEqual(list(draw.runs(points, 50)), [[(0, 1), (10, 2)], [(30, 3)], [(200, 4)]])

    def test_buckets_are_taken_apart(self):
        series = [("+Inf", [(0, 5)]), ("1", [(0, 5)]), ("0.5", [(0, 2)])]
        opacities = re.findall(r'opacity="([\d.]+)"', draw.heat(series, 300, 200, 0, 10, "none", str))
        # Two up to 0.5, three more up to 1, none above.
        self.assertEqual(opacities, ["0.70", "1.00"])


class Rendering(unittest.TestCase):
    def page(self, path, prometheus):
        return render.Page(prometheus, json.loads(path.read_text()), 0, 40, 1500)

    def test_every_panel_of_every_dashboard(self):
        metric = {"instance": "a<b", "le": "0.5", "source": "s", "tool": "t", "tenant": "x", "state": "synced"}
        for path in DASHBOARDS:
            page = self.page(path, MadeUp(metric, {**metric, "le": "+Inf"}))
            text = page.html()
            self.assertEqual(page.empty, [], path.name)
            self.assertNotIn("a<b", text)
            for picture in re.findall(r"<svg.*?</svg>", text):
                xml.etree.ElementTree.fromstring(picture)

    def test_panels_without_data_say_so(self):
        for path in DASHBOARDS:
            page = self.page(path, MadeUp())
            text = page.html()
            self.assertEqual(text.count("No data"), len(page.empty), path.name)
            self.assertGreater(len(page.empty), 5)

    def test_rows_of_several_queries_are_one(self):
        class Sources(MadeUp):
            def ask(self, path, **parameters):
                state = {"state": "synced"} if "source_state" in parameters["query"] else {}
                return {"resultType": "vector", "result": [{"metric": {"source": "tickets", **state}, "value": [40, "7"]}]}

        page = self.page(expressions.HERE.parent / "grafana/overview.json", Sources())
        panel = next(panel for panel in page.dashboard["panels"] if panel["title"] == "Sources")
        rows = re.findall(r"<tr>(.*?)</tr>", page.table(panel, 400, 200))
        cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]
        self.assertEqual(cells, [["source", "state", "last list", "tools"], ["tickets", "synced", "7 s", "7"]])


if __name__ == "__main__":
    unittest.main()
