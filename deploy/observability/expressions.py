"""Runs every expression of every dashboard and every rule against a Prometheus, and names those that return nothing.

A panel that says "No data" looks as a quiet day does, and so does an alert that asks for a series that nobody makes. So each expression
of a dashboard and each recording rule has to return something, and an alert has to be evaluated without an error and to rest on series that
exist.

Usage: expressions.py PROMETHEUS_URL [--dashboards FOLDER] [--since SECONDS] [--without SELECTOR REASON]
"""

import argparse
import json
import math
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import promql

HERE = pathlib.Path(__file__).resolve().parent
# What Grafana would put in place of its variables. The window is a few scrapes of the stage, as it is in Grafana.
VARIABLES = {"__rate_interval": "30s", "__interval": "5s", "__range": "5m", "job": "tool-router"}
# What a router on the stage of check_observability.sh cannot have, and why. A selector that is here excuses expressions that rest on it;
# one that is here and has series after all is told, so that this list does not outlive its reasons.
EXCUSED = {
    "toolrouter_reranks_total": "the stage has no reranker: none comes with the program",
    "toolrouter_index_recall_ratio": "the stage has no graph: that takes 50,000 tools",
    'db_client_operation_duration_seconds_count{error_type!=""}': "the stage's store does not fail",
    'ALERTS{alertname=~"ToolRouter.+", alertstate="firing"}': "alerts may all be quiet",
}
# Labels that every selector of a dashboard has, and that say nothing of what it rests on.
PLACE = ("job", "instance", "source", "tenant")


class Failed(Exception):
    """Prometheus could not be asked, or refused."""


class Prometheus:
    """Its HTTP API."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            try:
                raise Failed(json.load(error)["error"]) from error
            except (ValueError, KeyError):
                raise Failed(f"HTTP {error.code}") from error
        except OSError as error:
            raise Failed(f"{self.url} cannot be asked: {error}") from error

    def values(self, expression, start, end):
        """Every number that the expression has in this time."""
        data = self.ask("query_range", query=expression, start=start, end=end, step=max(1, (end - start) / 100))
        return [float(value) for series in data["result"] for _, value in series["values"]]

    def values_now(self, expression):
        data = self.ask("query", query=expression)
        if data["resultType"] == "scalar":
            return [float(data["result"][1])]
        return [float(series["value"][1]) for series in data["result"]]

    def has_series(self, selector, start, end):
        return bool(self.ask("series", **{"match[]": selector, "start": start, "end": end}))

    def label_values(self, label, selector, start, end):
        return self.ask(f"label/{label}/values", **{"match[]": selector, "start": start, "end": end})

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]


class Expression:
    """One expression: where it stands, its text, and whether it has to return something by itself."""

    def __init__(self, place, text, instant=False, may_be_quiet=False, values_of=None):
        self.place, self.text, self.instant, self.may_be_quiet, self.values_of = place, text, instant, may_be_quiet, values_of


def of_dashboard(name, dashboard):
    """Its expressions, variables filled in. Those for logs are not Prometheus'."""
    variables = dict(VARIABLES)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            variables.setdefault(variable["name"], variable.get("allValue", ".+"))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            inner = promql.filled(variable["definition"], variables)
            selector, _, label = inner.removeprefix("label_values(").removesuffix(")").rpartition(", ")
            yield Expression(f"{name}: variable {variable['name']}", selector, values_of=label)
    for note in dashboard["annotations"]["list"]:
        if "expr" in note:
            yield Expression(f"{name}: annotation {note['name']}", promql.filled(note["expr"], variables), may_be_quiet=True)
    for panel in panels(dashboard["panels"]):
        for target in panel.get("targets", []):
            if target["datasource"]["type"] == "prometheus":
                place = f"{name}: {panel['title']} ({target['refId']})"
                yield Expression(place, promql.filled(target["expr"], variables), instant=target.get("instant", False))


def panels(listed):
    """Panels, those inside folded rows too."""
    for panel in listed:
        yield panel
        yield from panels(panel.get("panels", []))


def of_rules(rules):
    for rule in rules:
        if rule["type"] == "recording":
            place = rule["name"] + "".join(f" {name}={value}" for name, value in sorted(rule.get("labels", {}).items()))
            yield Expression(f"rule {place}", rule["query"])
        else:
            what = "".join(f" {rule['labels'][name]}" for name in ("window", "what") if name in rule["labels"])
            yield Expression(f"alert {rule['name']}{what}", rule["query"], instant=True, may_be_quiet=True)


def bare(selector):
    """A selector without the labels that only say where."""
    kept = [f'{name}{operator}"{value}"' for name, (operator, value) in promql.labels(selector).items() if name not in PLACE]
    name = promql.metric(selector)
    return f"{name}{{{', '.join(kept)}}}" if kept else name


def excuse(selector):
    """Why a selector need not have series: it, or its metric, is excused."""
    name = promql.metric(selector)
    return EXCUSED.get(bare(selector)) or EXCUSED.get(name) or EXCUSED.get(name.removesuffix("_bucket").removesuffix("_count"))


class Report:
    """What was found."""

    def __init__(self):
        self.findings, self.excused, self.good = [], [], 0


def look(prometheus, expressions, start, end, report):
    known = {}

    def exists(selector):
        if selector not in known:
            known[selector] = prometheus.has_series(selector, start, end)
        return known[selector]

    for one in expressions:
        try:
            if one.values_of:
                if prometheus.label_values(one.values_of, one.text, start, end):
                    report.good += 1
                else:
                    report.findings.append(f"{one.place}: no {one.values_of} in {one.text}")
                continue
            values = prometheus.values_now(one.text) if one.instant else prometheus.values(one.text, start, end)
            missing = [selector for selector in promql.selectors(one.text) if not exists(selector)]
        except (Failed, promql.Unreadable) as error:
            report.findings.append(f"{one.place}: {error}: {one.text}")
            continue
        unexcused = [selector for selector in missing if not excuse(selector)]
        if any(not math.isnan(value) for value in values) and not (missing and one.may_be_quiet):
            report.good += 1
        elif unexcused or not missing and not one.may_be_quiet:
            why = f"no series {', '.join(unexcused)}" if unexcused else "nothing but NaN" if values else "no data"
            report.findings.append(f"{one.place}: {why}: {one.text}")
        elif missing:
            report.excused.append(f"{one.place}: {excuse(missing[0])}")
        else:
            report.good += 1


def unneeded(prometheus, start, end):
    """Excuses for series that exist. Alerts come and go."""
    for selector in EXCUSED:
        if promql.metric(selector) != "ALERTS" and prometheus.has_series(selector, start, end):
            yield f"{selector} exists and needs no excuse any more"


def listed_series():
    """(name, kind, labels) of series.txt. Labels by name: the values that they may have, or none where those are many."""
    for line in (HERE / "series.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, kind, *labels = line.split()
            yield name, kind, {label: values.split("|") if values else [] for label, _, values in (word.partition("=") for word in labels)}


def not_listed(prometheus, start, end):
    """Series and labels that a router has and series.txt does not, so that nobody draws or watches them; and the other way round."""
    said = {name: (kind, set(labels)) for name, kind, labels in listed_series()}
    told = set()
    for series in prometheus.ask("series", **{"match[]": f'{{job="{VARIABLES["job"]}"}}', "start": start, "end": end}):
        name = series["__name__"]
        if name.startswith("scrape_") or ":" in name or name.startswith("ALERTS"):
            continue
        for ending in ("_bucket", "_count", "_sum"):
            if said.get(name.removesuffix(ending), ("",))[0] == "histogram":
                name = name.removesuffix(ending)
        told.add(name)
        if name not in said:
            yield f"series.txt does not have {name}"
        elif more := set(series) - said[name][1] - {"__name__", "job", "instance", "le"}:
            yield f"series.txt does not have the labels {', '.join(sorted(more))} of {name}"
    for name in said:
        if name not in told and name not in ("ALERTS", "scrape_duration_seconds") and not excuse(name):
            yield f"the router has no {name}, which series.txt lists"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("prometheus", help="its address, such as http://127.0.0.1:9090")
    arguments.add_argument("--dashboards", type=pathlib.Path, default=HERE.parent / "grafana", help="folder with their JSON files")
    arguments.add_argument("--since", type=float, default=300, help="how far back series are looked for, in seconds [%(default)s]")
    arguments.add_argument("--without", nargs=2, action="append", default=[], metavar=("SELECTOR", "REASON"), help="excuse this as well")
    given = arguments.parse_args()
    EXCUSED.update(given.without)
    prometheus, end = Prometheus(given.prometheus), time.time()
    start, report = end - given.since, Report()
    try:
        for path in sorted(given.dashboards.glob("*.json")):
            look(prometheus, of_dashboard(path.name, json.loads(path.read_text())), start, end, report)
        rules = prometheus.rules()
        report.findings += [f"rule {rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]
        look(prometheus, of_rules(rules), start, end, report)
        report.findings += sorted(set(not_listed(prometheus, start, end)))
        report.findings += unneeded(prometheus, start, end)
    except Failed as error:
        report.findings.append(str(error))
    for line in report.excused:
        print(f"expressions: left out: {line}")
    for line in report.findings:
        print(f"expressions: {line}", file=sys.stderr)
    print(f"expressions: {report.good} return data, {len(report.excused)} were left out with a reason, {len(report.findings)} findings")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
