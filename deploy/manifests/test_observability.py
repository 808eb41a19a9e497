"""Breaks copies of what watches the routers, one thing at a time, and sees each refused with its file, its place and the reason."""

import json
import unittest

import files
from check import check_compose
from copies import Copied
from observability import check_observability
from settings import Settings

RULES, RULE_TESTS = "prometheus/rules.yaml", "prometheus/rules_test.yaml"
OVERVIEW, TOKENS = "grafana/overview.json", "grafana/tokens.json"
OVERLAY = "compose.observability.yaml"


class Broken(Copied):
    def findings(self):
        found = []
        for check in (check_observability(self.root), check_compose(self.root, Settings(self.root))):
            try:
                found += [f"{file}: {place}: {reason}" for file, place, reason in check]
            except files.Refused as refused:
                found.append(str(refused))
        return found

    def dashboard(self, change, file=OVERVIEW):
        """Changes a dashboard as an object."""
        path = self.deploy / file
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    def panel(self, title, change, file=OVERVIEW):
        self.dashboard(lambda document: change(next(panel for panel in document["panels"] if panel["title"] == title)), file)

    def test_as_they_are_nothing_is_found(self):
        self.assertEqual(self.findings(), [])

    # Rules

    def test_a_rule_on_a_series_that_nobody_makes(self):
        self.edit(RULES, "expr: toolrouter_store_up == 0", "expr: toolrouter_store_is_up == 0")
        self.refuses(RULES, "ToolRouterStoreDown", "toolrouter_store_is_up is no series")

    def test_a_rule_on_a_label_that_the_series_has_not(self):
        selections = "increase(toolrouter_selections_total"
        self.edit(RULES, selections + '{mode="lexical"}', selections + '{kind="lexical"}')
        self.refuses(RULES, "ToolRouterLexical", "toolrouter_selections_total has no label kind")

    def test_a_rule_on_a_value_that_the_label_never_has(self):
        self.edit(RULES, 'outcome=~"dropped|failed"}[15m])) > 10', 'outcome=~"droped|failed"}[15m])) > 10')
        self.refuses(RULES, "ToolRouterTelemetryDropped", "has no outcome 'droped'")

    def test_a_rule_whose_brackets_do_not_match(self):
        self.edit(RULES, 'toolrouter_source_state{state="failing"}', 'toolrouter_source_state{state="failing"')
        self.refuses(RULES, "ToolRouterSourceDown", "'{' is not closed")

    def test_an_alert_that_says_nothing(self):
        summary = "          summary: '{{ $labels.instance }} does not reach its store'\n"
        self.edit(RULES, summary, "")
        self.refuses(RULES, "ToolRouterStoreDown.annotations.summary", "is not set")

    def test_an_alert_of_no_severity(self):
        self.edit(RULES, "for: 1m\n        labels: { severity: page }", "for: 1m\n        labels: { severity: loud }")
        self.refuses(RULES, "ToolRouterStoreDown.labels.severity", "is loud and neither page nor ticket")

    def test_an_alert_after_one_look(self):
        self.edit(RULES, "toolrouter_store_up == 0\n        for: 1m\n", "toolrouter_store_up == 0\n")
        self.refuses(RULES, "ToolRouterStoreDown.for", "one look decides")

    def test_an_alert_that_leads_nowhere(self):
        self.edit("RUNBOOK.md", "### ToolRouterLexical", "### Words alone")
        self.refuses(RULES, "ToolRouterLexical.annotations.runbook_url", "RUNBOOK.md has no section toolrouterlexical")

    def test_a_section_of_no_alert(self):
        self.edit("RUNBOOK.md", "### ToolRouterLexical", "### ToolRouterLexical\n\n### ToolRouterGone")
        self.refuses("RUNBOOK.md", "toolroutergone", "is the section of no alert")

    def test_an_alert_without_a_test_in_which_it_fires(self):
        self.edit(RULE_TESTS, "what: outcomes", "what: others")
        self.refuses(RULE_TESTS, "ToolRouterTelemetryDropped outcomes", "no test has it fire")

    def test_an_alert_without_a_test_in_which_it_is_quiet(self):
        self.edit(RULE_TESTS, "{ alertname: ToolRouterStoreDown, eval_time: 2m", "{ alertname: Other, eval_time: 2m")
        self.refuses(RULE_TESTS, "ToolRouterStoreDown", "no test has it quiet")

    # Prometheus, Alertmanager, Grafana's sources, Fluent Bit

    def test_a_job_of_another_name(self):
        self.edit("prometheus/prometheus.yaml", "job_name: tool-router", "job_name: router")
        self.refuses("prometheus/prometheus.yaml: scrape_configs", "rules.yaml asks for the job 'tool-router'")

    def test_a_target_that_is_no_service(self):
        self.edit("prometheus/prometheus.yaml", '"router-b:7432"', '"router-c:7432"')
        self.refuses("prometheus/prometheus.yaml", "scrape_configs[0].static_configs[0].targets[1]", "router-c:7432 is no service")

    def test_a_secret_in_the_routes(self):
        self.edit("alertmanager.yaml", "routing_key_file: /run/secrets/pagerduty_key", "routing_key: abc")
        self.refuses("alertmanager.yaml", "routing_key", "holds a secret itself")

    def test_a_secret_that_alertmanager_does_not_get(self):
        self.edit(OVERLAY, "secrets: [slack_url, pagerduty_key]", "secrets: [slack_url]")
        self.refuses("alertmanager.yaml", "routing_key_file", "/run/secrets/pagerduty_key is not among")

    def test_a_route_for_an_alert_that_does_not_exist(self):
        self.edit("alertmanager.yaml", 'source_matchers: [alertname="ToolRouterStoreDown"]', 'source_matchers: [alertname="StoreDown"]')
        self.refuses("alertmanager.yaml", "inhibit_rules[5].source_matchers", "fits no alert")

    def test_a_severity_that_reaches_nobody(self):
        self.edit("alertmanager.yaml", "- name: ticket", "- name: tickets")
        self.refuses("alertmanager.yaml: receivers", "there is none for ticket")

    def test_a_link_to_a_source_of_data_that_is_not_there(self):
        file = "grafana/provisioning/datasources/datasources.yaml"
        self.edit(file, "datasourceUid: toolrouter-loki", "datasourceUid: loki")
        self.refuses(file, "tracesToLogsV2.datasourceUid", "loki is none of")

    def test_logs_that_go_nowhere(self):
        self.edit("fluent-bit.yaml", "host: loki", "host: loki-0")
        self.refuses("fluent-bit.yaml: pipeline.outputs[0].host", "loki-0 is no service")

    def test_a_port_on_which_nobody_listens(self):
        self.edit("loki.yaml", "http_listen_port: 3100", "http_listen_port: 3101")
        self.refuses("fluent-bit.yaml: loki:3100: loki listens on 3101")
        self.refuses("grafana/provisioning/datasources/datasources.yaml: http://loki:3100: loki listens on 3101")

    # Dashboards

    def test_a_dashboard_that_cannot_be_read(self):
        self.edit(TOKENS, '"schemaVersion": 39,', '"schemaVersion": 39,,')
        self.refuses(TOKENS, "line ")

    def test_two_dashboards_of_one_uid(self):
        self.dashboard(lambda document: document.update(uid="toolrouter-overview"), TOKENS)
        self.refuses(TOKENS, "uid: is that of grafana/overview.json")

    def test_a_panel_without_title_description_or_unit(self):
        for key, reason in (("title", "has no title"), ("description", "has no description")):
            with self.subTest(key):
                self.setUp()
                self.panel("Calls by method", lambda panel, key=key: panel.update({key: ""}))
                self.refuses(OVERVIEW, reason)
        self.setUp()
        self.panel("Calls by method", lambda panel: panel["fieldConfig"]["defaults"].pop("unit"))
        self.refuses(OVERVIEW, "panel 'Calls by method': has no unit")

    def test_a_panel_without_thresholds(self):
        self.panel("Failing", lambda panel: panel["fieldConfig"]["defaults"].pop("thresholds"))
        self.refuses(OVERVIEW, "panel 'Failing': has no thresholds")

    def test_a_source_of_data_by_its_name(self):
        self.panel("Failing", lambda panel: panel["datasource"].update(uid="PBFA97CFB590B2093"))
        self.refuses(OVERVIEW, "names the source of data 'PBFA97CFB590B2093'")

    def test_a_variable_that_is_not_there(self):
        self.edit(OVERVIEW, '"name": "loki", "label"', '"name": "logs", "label"')
        self.refuses(OVERVIEW, "$loki is no variable of this dashboard")

    def test_a_panel_that_draws_what_nobody_makes(self):
        self.edit(OVERVIEW, "toolrouter_catalog_lag", "toolrouter_catalogue_lag")
        self.refuses(OVERVIEW, "panel 'Changes behind the store': A: toolrouter_catalogue_lag is no series")

    def test_a_fixed_window(self):
        def fix(panel):
            panel["targets"][0]["expr"] = panel["targets"][0]["expr"].replace("$__rate_interval", "5m")

        self.panel("Calls by method", fix)
        self.refuses(OVERVIEW, "panel 'Calls by method': A: looks at [5m]")

    def test_a_panel_of_all_installations(self):
        self.panel("Routers up", lambda panel: panel["targets"][0].update(expr="sum(up)"))
        self.refuses(OVERVIEW, "panel 'Routers up': A: shows all installations at once")

    def test_durations_without_exemplars(self):
        self.panel("Duration of selections", lambda panel: [target.pop("exemplar", None) for target in panel["targets"]])
        self.refuses(OVERVIEW, "panel 'Duration of selections': draws the duration of calls without their exemplars")

    def test_panels_that_lie_on_each_other(self):
        self.panel("Calls by method", lambda panel: panel["gridPos"].update(w=9))
        self.refuses(OVERVIEW, "lies on panel 'Calls by method'")

    def test_alerts_that_are_not_marked(self):
        self.dashboard(lambda document: document["annotations"]["list"].pop(0))
        self.refuses(OVERVIEW, "annotations: alerts are not marked")

    # Compose

    def test_a_dashboard_that_grafana_does_not_get(self):
        self.edit(OVERLAY, "      - ./grafana/tokens.json:/var/lib/grafana-dashboards/tokens.json:ro\n", "")
        self.refuses(OVERLAY, "tokens.json is not mounted")

    def test_a_file_that_is_not_there(self):
        (self.deploy / "loki.yaml").unlink()
        self.refuses(OVERLAY, "services.loki.volumes", "there is no ./loki.yaml")

    def test_an_image_of_no_version(self):
        self.edit(OVERLAY, "prom/prometheus:v3.5.0", "prom/prometheus:latest")
        self.refuses(OVERLAY, "services.prometheus.image", "does not say which version")

    def test_a_service_that_nobody_sees_stop(self):
        self.edit("prometheus/prometheus.yaml", '["fluent-bit:2020"]', '["loki:2020"]')
        self.refuses(OVERLAY, "services.fluent-bit.healthcheck", "nobody sees it stop")

    def test_a_collector_that_is_not_there(self):
        self.edit(OVERLAY, "http://jaeger:4317", "http://collector:4317")
        self.refuses(OVERLAY, "services.router-a.environment", "http://collector:4317 is no service")

    def test_a_key_of_the_router_that_is_not_there(self):
        self.edit(OVERLAY, "TELEMETRY__OTLP__ENDPOINT", "TELEMETRY__OTLP__ADDRESS")
        self.refuses(OVERLAY, "services.router-a.environment", "the key telemetry.otlp.address")

    def test_logs_for_a_port_that_is_closed(self):
        self.edit(OVERLAY, '"127.0.0.1:24224:24224"', '"127.0.0.1:24225:24224"')
        self.refuses(OVERLAY, "services.router-a.logging", "127.0.0.1:24224 is no port of fluent-bit")

    def test_a_password_for_grafana_in_the_file(self):
        self.edit(OVERLAY, "GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/grafana_password", "GF_SECURITY_ADMIN_PASSWORD: abc")
        self.refuses(OVERLAY, "services.grafana.environment.GF_SECURITY_ADMIN_PASSWORD", "holds a secret itself")


if __name__ == "__main__":
    unittest.main()
