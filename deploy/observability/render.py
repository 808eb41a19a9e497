"""Draws a dashboard of deploy/grafana from a Prometheus, as one HTML page without scripts: to look at its panels where there is no Grafana.

Usage: render.py PROMETHEUS_URL PAGE [--dashboard FILE] [--since SECONDS] [--width PIXELS]
A picture of the page: chromium --headless --no-sandbox --hide-scrollbars --window-size=1600,2400 --screenshot=page.png PAGE
"""

import argparse
import html
import json
import math
import pathlib
import re
import sys
import time

import draw
import expressions
import promql

HERE = pathlib.Path(__file__).resolve().parent
# Of Grafana's grid: 24 columns, rows of 30 pixels.
COLUMNS, ROW = 24, 30
STYLE = """
body { margin: 0; padding: 12px; background: #111217; color: #ccccdc; font: 12px/1.35 "DejaVu Sans", Arial, sans-serif }
h1 { font-size: 18px; margin: 0 0 2px } p { margin: 0 0 10px; color: #9fa7b3 }
.grid { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 30px; gap: 0 }
.row { font-size: 14px; padding: 6px 4px; font-weight: bold }
.panel { background: #181b1f; border: 1px solid #25282e; margin: 3px; padding: 6px 8px; overflow: hidden; position: relative }
.panel h2 { font-size: 12px; margin: 0 0 4px; font-weight: bold; white-space: nowrap }
.value { font-size: 26px; font-weight: bold; line-height: 44px }
svg { display: block } svg text { fill: #9fa7b3; font-size: 10px }
.legend { color: #9fa7b3; font-size: 10px; border-collapse: collapse; width: 100% }
.legend td { padding: 0 6px 0 0; white-space: nowrap }
.legend td:first-child { overflow: hidden; max-width: 0; width: 99%; text-overflow: ellipsis }
.legend i { display: inline-block; width: 10px; height: 3px; margin-right: 5px; vertical-align: middle }
.none { color: #7b8087; padding: 20px; text-align: center }
.cells { border-collapse: collapse; width: 100% }
.cells td, .cells th { text-align: left; padding: 2px 6px; border-bottom: 1px solid #25282e }
"""


class Page:
    """A dashboard and the time that is drawn."""

    def __init__(self, prometheus, dashboard, start, end, width):
        self.prometheus, self.dashboard, self.start, self.end, self.width = prometheus, dashboard, start, end, width
        self.step = max(1, (end - start) / 180)
        self.variables = dict(expressions.VARIABLES)
        self.variables["__range"] = f"{int(end - start)}s"
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                self.variables.setdefault(variable["name"], variable.get("allValue", ".+"))
        # Panels without data, for whoever has to know.
        self.empty = []

    def html(self):
        panels = "".join(self.place(panel) for panel in self.dashboard["panels"])
        title, when = html.escape(self.dashboard["title"]), time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.end))
        head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head>'
        about = f"{html.escape(self.dashboard['description'])} {int(self.end - self.start)} s until {when} UTC."
        return f'{head}<body><h1>{title}</h1><p>{about}</p><div class="grid">{panels}</div></body></html>'

    def place(self, panel):
        grid = panel["gridPos"]
        where = f"grid-column: {grid['x'] + 1} / span {grid['w']}; grid-row: {grid['y'] + 1} / span {grid['h']}"
        if panel["type"] == "row":
            return f'<div class="row" style="{where}">{html.escape(panel["title"])}</div>'
        width, height = int(self.width * grid["w"] / COLUMNS) - 26, grid["h"] * ROW - 44
        drawn = getattr(self, panel["type"].replace("-", "_"), self.other)(panel, width, height)
        if not drawn:
            self.empty.append(panel["title"])
            drawn = '<div class="none">No data</div>'
        return f'<div class="panel" style="{where}"><h2>{html.escape(panel["title"])}</h2>{drawn}</div>'

    # What Prometheus has

    def over_time(self, panel):
        """(name, [(time, value)]) of all targets."""
        out = []
        for target in panel["targets"]:
            text = promql.filled(target["expr"], self.variables)
            data = self.prometheus.ask("query_range", query=text, start=self.start, end=self.end, step=self.step)
            for series in data["result"]:
                points = [(float(moment), float(value)) for moment, value in series["values"]]
                out.append((legend(target, series["metric"]), points))
        return out

    def now(self, target):
        """(labels, value) of one target."""
        data = self.prometheus.ask("query", query=promql.filled(target["expr"], self.variables), time=self.end)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    def clock(self, moment):
        return time.strftime("%H:%M:%S", time.gmtime(moment))

    # Kinds of panels

    def timeseries(self, panel, width, height):
        series = self.over_time(panel)
        if not any(math.isfinite(value) for _, points in series for _, value in points):
            return ""
        defaults = panel["fieldConfig"]["defaults"]
        custom, unit = defaults["custom"], defaults["unit"]
        shown = sorted(series, key=lambda one: -last(one[1]))[: len(draw.PALETTE)]
        room = 13 * min(len(shown), 5)
        rows = "".join(
            f'<tr><td><i style="background: {draw.PALETTE[i]}"></i>{html.escape(name)}</td><td>{draw.number(last(points), unit)}</td>'
            f"<td>max {draw.number(max((v for _, v in points if math.isfinite(v)), default=math.nan), unit)}</td></tr>"
            for i, (name, points) in enumerate(shown[:5])
        )
        more = f"<tr><td>and {len(series) - 5} more</td></tr>" if len(series) > 5 else ""
        picture = draw.lines(
            shown, width, height - room - (13 if more else 0), self.start, self.end, unit, self.clock,
            least=defaults.get("min"), most=defaults.get("max"),
            thresholds=defaults["thresholds"] if "thresholdsStyle" in custom else None,
            stack="stacking" in custom, log="scaleDistribution" in custom,
        )
        return f'{picture}<table class="legend">{rows}{more}</table>'

    def stat(self, panel, width, height):
        series = self.over_time(panel)
        if not series or math.isnan(last(series[0][1])):
            return ""
        defaults, points = panel["fieldConfig"]["defaults"], series[0][1]
        shade = draw.colour(last(points), defaults["thresholds"])
        line = draw.spark(points, width, height - 36, shade) if panel["options"]["graphMode"] == "area" else ""
        text = draw.number(last(points), defaults["unit"], defaults.get("decimals"))
        return f'<div class="value" style="color: {shade}">{text}</div>{line}'

    def state_timeline(self, panel, width, height):
        defaults = panel["fieldConfig"]["defaults"]
        words = {float(value): word for mapping in defaults["mappings"] for value, word in mapping["options"].items()}
        series = self.over_time(panel)

        def paint(value):
            word = words.get(value)
            return draw.NAMED.get(word["color"], word["color"]) if word else draw.colour(value, defaults["thresholds"])

        return draw.timeline(series, width, height, self.start, self.end, self.clock, paint) if series else ""

    def heatmap(self, panel, width, height):
        unit = panel["fieldConfig"]["defaults"]["unit"]
        return draw.heat(self.over_time(panel), width, height, self.start, self.end, unit, self.clock)

    def bargauge(self, panel, width, height):
        defaults = panel["fieldConfig"]["defaults"]
        found = [(legend(target, labels), value) for target in panel["targets"] for labels, value in self.now(target)]
        most = defaults.get("max") or max((value for _, value in found), default=0) or 1
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{draw.bar(value / most, draw.colour(value, defaults['thresholds']), width // 2, 12)}</td>"
            f"<td>{draw.number(value, defaults['unit'])}</td></tr>"
            for name, value in sorted(found, key=lambda one: bound_of(one[0]))[: height // 20]
        )
        return f'<table class="cells">{rows}</table>' if found else ""

    def table(self, panel, width, height):
        """Rows of several queries that have the same labels are one row, as Grafana's transformation `merge` makes them."""
        rows, one = {}, len(panel["targets"]) == 1
        for target in panel["targets"]:
            for labels, value in self.now(target):
                rows.setdefault(tuple(sorted(labels.items())), {})["Value" if one else f"Value #{target['refId']}"] = value
        merged = []
        for key, values in rows.items():
            # Those that say more belong to the row that says less.
            home = next((row for row in merged if all(row.get(name, value) == value for name, value in key)), None)
            merged.append({**dict(key), **values}) if home is None else home.update({**dict(key), **values})
        organize = next(step["options"] for step in panel["transformations"] if step["id"] == "organize")
        names, hidden = organize["renameByName"], organize["excludeByName"]
        columns = [name for name in sorted(organize["indexByName"], key=organize["indexByName"].get) if not hidden.get(name)]
        units = {
            entry["matcher"]["options"]: step["value"]
            for entry in panel["fieldConfig"]["overrides"] for step in entry["properties"] if step["id"] == "unit"
        }
        sort = (panel["options"].get("sortBy") or [{}])[0].get("displayName")
        by = next((name for name in columns if names.get(name, name) == sort), columns[0])
        merged.sort(key=lambda row: -row[by] if isinstance(row.get(by), float) and not math.isnan(row[by]) else math.inf)

        def cell(name, value):
            unit = units.get(names.get(name, name), panel["fieldConfig"]["defaults"]["unit"])
            return draw.number(value, unit) if isinstance(value, float) else html.escape(str(value if value is not None else ""))

        head = "".join(f"<th>{html.escape(names.get(name, name))}</th>" for name in columns)
        lines = ("".join(f"<td>{cell(name, row.get(name))}</td>" for name in columns) for row in merged[: height // 20])
        return f'<table class="cells"><tr>{head}</tr>{"".join(f"<tr>{line}</tr>" for line in lines)}</table>' if merged else ""

    def logs(self, panel, width, height):
        return f'<div class="none">Of Loki, not of Prometheus: {html.escape(panel["targets"][0]["expr"])}</div>'

    def other(self, panel, width, height):
        return f'<div class="none">This is not drawn here: {html.escape(panel["type"])}</div>'


def legend(target, labels):
    given = target.get("legendFormat")
    if not given:
        return ", ".join(f"{name}={value}" for name, value in labels.items() if name != "__name__")
    return re.sub(r"\{\{ *(\w+) *\}\}", lambda found: labels.get(found[1], ""), given)


def last(points):
    return next((value for _, value in reversed(points) if not math.isnan(value)), math.nan) if points else math.nan


def bound_of(name):
    """Bars of bounds in their order, others as they come."""
    found = re.search(r"[\d.]+$", name)
    return float(found[0]) if found else math.inf


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("prometheus", help="its address, such as http://127.0.0.1:9090")
    arguments.add_argument("page", type=pathlib.Path, help="file to write")
    arguments.add_argument("--dashboard", type=pathlib.Path, default=HERE.parent / "grafana/overview.json", help="its JSON file")
    arguments.add_argument("--since", type=float, default=600, help="how far back, in seconds [%(default)s]")
    arguments.add_argument("--width", type=int, default=1560, help="of the page, in pixels [%(default)s]")
    given = arguments.parse_args()
    end = time.time()
    dashboard = json.loads(given.dashboard.read_text())
    page = Page(expressions.Prometheus(given.prometheus), dashboard, end - given.since, end, given.width)
    try:
        text = page.html()
    except expressions.Failed as error:
        sys.exit(f"render: {given.dashboard.name}: {error}")
    given.page.write_text(text)
    print(f"render: {given.page}" + (f", without data: {', '.join(page.empty)}" if page.empty else ""))


if __name__ == "__main__":
    main()
