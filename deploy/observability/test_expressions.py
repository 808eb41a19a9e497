"""Tests of promql.py and expressions.py, against a Prometheus that is made up."""

import json
import unittest

import expressions
import promql
from expressions import Expression, Failed, Report

NAN = float("nan")


class MadeUp:
    """Knows series by selector and values by expression. What it does not know it has not."""

    def __init__(self, series=(), values=None, rules=()):
        self.series, self.known, self.listed = series, values or {}, rules

    def values(self, expression, start, end):
        return self.values_now(expression)

    def values_now(self, expression):
        found = self.known.get(expression, [])
        if isinstance(found, Failed):
            raise found
        return found

    def has_series(self, selector, start, end):
        return selector in self.series

    def label_values(self, label, selector, start, end):
        return [label] if selector in self.series else []

    def ask(self, path, **parameters):
        return self.listed


class Selectors(unittest.TestCase):
    def check(self, expression, *wanted):
        self.assertEqual(promql.selectors(expression), list(wanted))

    def test_names_functions_and_aggregations(self):
        self.check("a + rate(b[5m]) / sum by (c, d) (e) unless on (f) group_left (g) h{}", "a", "b", "e", "h{}")
        self.check("sum(x) by (y) or vector(0) > bool 1e3 and -Inf", "x")
        self.check("slo:sli_error:ratio_rate5m offset 1d", "slo:sli_error:ratio_rate5m")

    def test_labels_whatever_stands_in_them(self):
        self.check('a{b="}",c=~"d|e{",}[5m:1m] # f{', 'a{b="}", c=~"d|e{"}')
        self.check("""{__name__="a"} * `b`""", '{__name__="a"}')
        self.assertEqual(promql.metric('{__name__="a"}'), "a")
        self.assertEqual(promql.labels('a{b="x y", c!~"d|e", f!=""}'), {"b": ("=", "x y"), "c": ("!~", "d|e"), "f": ("!=", "")})

    def test_each_once(self):
        self.check("a / (a + b)", "a", "b")

    def test_brackets_that_do_not_match(self):
        with self.assertRaises(promql.Unreadable):
            promql.selectors('a{b="c"')

    def test_variables(self):
        filled = promql.filled("rate(a{b=~\"$c\"}[$__range]) + ${d} + ${e:regex} + $f", {"c": "x", "__range": "1h", "d": "y", "e": "z"})
        self.assertEqual(filled, 'rate(a{b=~"x"}[1h]) + y + z + $f')


class Looking(unittest.TestCase):
    def look(self, prometheus, *listed):
        report = Report()
        expressions.look(prometheus, listed, 0, 100, report)
        return report

    def test_data_is_good_and_nothing_is_a_finding(self):
        report = self.look(MadeUp(["a", "b"], {"a": [NAN, 0]}), Expression("p", "a"), Expression("q", "b"))
        self.assertEqual((report.good, report.findings), (1, ["q: no data: b"]))

    def test_nothing_but_nan_is_a_finding(self):
        report = self.look(MadeUp(["a"], {"a / a": [NAN]}), Expression("p", "a / a"))
        self.assertEqual(report.findings, ["p: nothing but NaN: a / a"])

    def test_series_that_are_missing_are_named(self):
        report = self.look(MadeUp(["a"]), Expression("p", 'a / b{c="d"}'))
        self.assertEqual(report.findings, ['p: no series b{c="d"}: a / b{c="d"}'])

    def test_what_prometheus_refuses(self):
        report = self.look(MadeUp([], {"a)": Failed("parse error")}), Expression("p", "a)"))
        self.assertEqual(report.findings, ["p: parse error: a)"])

    def test_an_alert_may_be_quiet_but_rests_on_series(self):
        quiet = Expression("alert A", "a > 1", instant=True, may_be_quiet=True)
        self.assertEqual(self.look(MadeUp(["a"]), quiet).findings, [])
        self.assertEqual(self.look(MadeUp(), quiet).findings, ["alert A: no series a: a > 1"])
        # Even where the rest of it makes it fire.
        both = Expression("alert A", "a or b", instant=True, may_be_quiet=True)
        self.assertEqual(self.look(MadeUp(["a"], {"a or b": [1]}), both).findings, ["alert A: no series b: a or b"])

    def test_excuses_name_a_reason_and_excuse_nothing_else(self):
        report = self.look(MadeUp(["b"]), Expression("p", 'rate(toolrouter_reranks_total{job="x", instance=~".+"}[1m])'))
        self.assertEqual((report.findings, len(report.excused)), ([], 1))
        self.assertIn("no reranker", report.excused[0])
        report = self.look(MadeUp(), Expression("p", "toolrouter_reranks_total / c"))
        self.assertEqual(report.findings, ["p: no series c: toolrouter_reranks_total / c"])
        name = "db_client_operation_duration_seconds_count"
        report = self.look(MadeUp(), Expression("p", f'{name}{{job="x", error_type!=""}}'), Expression("q", name))
        self.assertEqual(report.findings, [f"q: no series {name}: {name}"])

    def test_an_excuse_that_is_not_needed_is_told(self):
        told = list(expressions.unneeded(MadeUp(["toolrouter_reranks_total"]), 0, 100))
        self.assertEqual(told, ["toolrouter_reranks_total exists and needs no excuse any more"])

    def test_a_variable_has_to_have_values(self):
        report = self.look(MadeUp(["a"]), Expression("v", "a", values_of="job"), Expression("w", "b", values_of="job"))
        self.assertEqual((report.good, report.findings), (1, ["w: no job in b"]))

    def test_series_that_nobody_listed(self):
        given = [
            {"__name__": "toolrouter_store_up", "job": "j", "instance": "i"},
            {"__name__": "toolrouter_selections_total", "job": "j", "instance": "i", "mode": "m", "who": "w"},
            {"__name__": "toolrouter_select_tools_bucket", "job": "j", "instance": "i", "le": "1"},
            {"__name__": "toolrouter_new", "job": "j", "instance": "i"},
        ]
        told = "\n".join(expressions.not_listed(MadeUp(rules=given), 0, 100))
        self.assertIn("does not have toolrouter_new", told)
        self.assertIn("the labels who of toolrouter_selections_total", told)
        self.assertIn("the router has no toolrouter_sheds_total", told)
        self.assertNotIn("toolrouter_store_up", told)
        self.assertNotIn("toolrouter_select_tools", told)
        self.assertNotIn("toolrouter_reranks_total", told)


class Dashboards(unittest.TestCase):
    def test_variables_annotations_panels_and_folded_rows(self):
        target = {"refId": "A", "datasource": {"type": "prometheus"}, "expr": 'a{job="$job", b=~"$b"}', "instant": True}
        log = {"refId": "A", "datasource": {"type": "loki"}, "expr": "{}"}
        made = {
            "templating": {"list": [{"type": "query", "name": "b", "definition": 'label_values(a{job="$job"}, b)', "allValue": ".+"}]},
            "annotations": {"list": [{"name": "n", "expr": "ALERTS"}, {"name": "built in"}]},
            "panels": [{"title": "row", "panels": [{"title": "p", "targets": [target]}]}, {"title": "l", "targets": [log]}],
        }
        found = [(one.place, one.text, one.instant, one.may_be_quiet, one.values_of) for one in expressions.of_dashboard("d", made)]
        self.assertEqual(
            found,
            [
                ("d: variable b", 'a{job="tool-router"}', False, False, "b"),
                ("d: annotation n", "ALERTS", False, True, None),
                ("d: p (A)", 'a{job="tool-router", b=~".+"}', True, False, None),
            ],
        )

    def test_every_dashboard_is_read(self):
        for path in (expressions.HERE.parent / "grafana").glob("*.json"):
            found = list(expressions.of_dashboard(path.name, json.loads(path.read_text())))
            self.assertGreater(len(found), 10, path.name)
            self.assertFalse([one.text for one in found if "$" in one.text])

    def test_rules(self):
        rules = [
            {"type": "recording", "name": "r", "query": "a", "labels": {"slo": "x"}},
            {"type": "alerting", "name": "A", "query": "b > 1", "labels": {"severity": "page", "window": "1h"}},
        ]
        found = [(one.place, one.text, one.may_be_quiet) for one in expressions.of_rules(rules)]
        self.assertEqual(found, [("rule r slo=x", "a", False), ("alert A 1h", "b > 1", True)])


if __name__ == "__main__":
    unittest.main()
