"""The rules for what watches the routers: Prometheus' and Alertmanager's files, dashboards, and the Compose file that brings them.

Prometheus' own programs say whether their files can be read, and check_observability.sh has them do so. Here it is asked whether the files
fit each other: an alert leads to a section of the runbook, a panel draws a series that a router has, an address is that of a service.
"""

import json
import re
import sys

from files import Refused, at, parse, walk

SERIES = {"histogram": ("_bucket", "_count", "_sum")}
SEVERITIES = ("page", "ticket")
# What a dashboard may take a rate over: as long as the picture needs, or the whole time that is shown.
WINDOWS = ("$__rate_interval", "$__range")
# Of these panels a person expects an axis or a number with a unit.
WITHOUT_UNIT = ("row", "text")
OVERLAY = "compose.observability.yaml"


def promql(deploy):
    """The reader of expressions, which the check against a running router has, too."""
    folder = str(deploy / "observability")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import promql as module

    return module


class Observability:
    def __init__(self, root):
        self.deploy = root / "deploy"
        self.promql = promql(self.deploy)
        self.series = {}
        for line in (self.deploy / "observability/series.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                name, kind, *labels = line.split()
                known = {label: set(values.split("|")) if values else None for label, _, values in (word.partition("=") for word in labels)}
                for ending in SERIES.get(kind, ("",)):
                    self.series[name + ending] = known
        self.rules = [rule for group in self.one("prometheus/rules.yaml")["groups"] for rule in group["rules"]]
        self.alerts = [rule for rule in self.rules if "alert" in rule]
        # A recorded series has the labels of what it is made of, by rule; values are not known.
        self.recorded = {rule["record"] for rule in self.rules if "record" in rule}
        self.compose = [self.one("compose.yaml"), self.one(OVERLAY)]
        self.services = {name for document in self.compose for name in document["services"]}

    def one(self, file):
        """The only document of a YAML file."""
        if not (self.deploy / file).exists():
            raise Refused(f"{file}: -: is not there")
        documents = parse((self.deploy / file).read_text(), file)
        if len(documents) != 1:
            raise Refused(f"{file}: -: {len(documents)} documents, there is to be one")
        return documents[0]

    def findings(self):
        yield from self.rule_files()
        yield from self.rule_tests()
        yield from self.routes()
        yield from self.scrapes()
        yield from self.sources()
        yield from self.dashboards()
        yield from self.overlay()
        yield from self.ports()

    def selectors(self, text):
        """None of an expression that cannot be read, which `expression` tells of."""
        try:
            return self.promql.selectors(text)
        except self.promql.Unreadable:
            return []

    def expression(self, text):
        """What is wrong with the series that an expression rests on."""
        try:
            selectors = self.promql.selectors(text)
        except self.promql.Unreadable as error:
            yield str(error)
            return
        for selector in selectors:
            name = self.promql.metric(selector)
            if name in self.recorded:
                continue
            if name not in self.series:
                yield f"{name or selector} is no series of observability/series.txt and no recorded one"
                continue
            for label, (operator, value) in self.promql.labels(selector).items():
                if label in ("job", "instance", "le"):
                    continue
                if label not in self.series[name]:
                    yield f"{name} has no label {label}"
                    continue
                values = self.series[name][label]
                for word in (value.split("|") if "~" in operator else [value]) if values else ():
                    if word and word not in values:
                        yield f"{name} has no {label} {word!r}"

    # Prometheus

    def rule_files(self):
        file = "prometheus/rules.yaml"
        runbook = (self.deploy / "RUNBOOK.md").read_text()
        sections = {title.lower() for title in re.findall(r"^### (ToolRouter\w+)$", runbook, re.MULTILINE)}
        for rule in self.rules:
            for reason in self.expression(rule["expr"]):
                yield file, rule.get("alert") or rule["record"], reason
        for rule in self.alerts:
            name, notes = rule["alert"], rule.get("annotations", {})
            if at(rule, "labels.severity") not in SEVERITIES:
                yield file, f"{name}.labels.severity", f"is {at(rule, 'labels.severity')} and neither {' nor '.join(SEVERITIES)}"
            if "for" not in rule:
                yield file, f"{name}.for", "is not set: one look decides"
            for note in ("summary", "description", "runbook_url"):
                if not notes.get(note):
                    yield file, f"{name}.annotations.{note}", "is not set"
            path, _, anchor = notes.get("runbook_url", "").partition("#")
            if not path.endswith("deploy/RUNBOOK.md") or anchor not in sections:
                yield file, f"{name}.annotations.runbook_url", f"RUNBOOK.md has no section {anchor or '?'}"
        for anchor in sections - {rule["alert"].lower() for rule in self.alerts}:
            yield "RUNBOOK.md", anchor, "is the section of no alert"

    def rule_tests(self):
        file = "prometheus/rules_test.yaml"
        fires, quiet = set(), set()
        for test in self.one(file)["tests"]:
            for case in test.get("alert_rule_test", []):
                if not case.get("exp_alerts"):
                    quiet.add(case["alertname"])
                for alert in case.get("exp_alerts") or []:
                    fires.add((case["alertname"], at(alert, "exp_labels.window"), at(alert, "exp_labels.what")))
        for rule in self.alerts:
            name, window, what = rule["alert"], at(rule, "labels.window"), at(rule, "labels.what")
            title = " ".join(word for word in (name, window, what) if word)
            if (name, window, what) not in fires:
                yield file, title, "no test has it fire"
            if name not in quiet:
                yield file, title, "no test has it quiet"

    def scrapes(self):
        file = "prometheus/prometheus.yaml"
        document = self.one(file)
        jobs = {entry["job_name"] for entry in document["scrape_configs"]}
        for rule in self.rules:
            for selector in self.selectors(rule["expr"]):
                operator, job = self.promql.labels(selector).get("job", ("=", None))
                if job and operator == "=" and job not in jobs:
                    yield file, "scrape_configs", f"rules.yaml asks for the job {job!r}, which is none of {sorted(jobs)}"
        for place, key, value in walk(document):
            if key == "targets":
                for i, target in enumerate(value):
                    if self.is_no_service(target):
                        yield file, f"{place}[{i}]", f"{target} is no service of the Compose files"

    def is_no_service(self, address):
        """Whether an address leads to no service; those by number lead to the one who asks."""
        host = re.sub(r"^\w+://", "", str(address)).partition("/")[0].partition(":")[0]
        return host not in self.services and not re.fullmatch(r"[\d.]+", host)

    # Alertmanager

    def routes(self):
        file = "alertmanager.yaml"
        document = self.one(file)
        names = {rule["alert"] for rule in self.alerts}
        secrets = {f"/run/secrets/{name}" for name in at(self.compose[1], "services.alertmanager.secrets", [])}
        for place, key, value in walk(document):
            if key in ("api_url", "routing_key", "service_key", "slack_api_url"):
                yield file, place, "holds a secret itself: give a file"
            if key in ("api_url_file", "routing_key_file") and value not in secrets:
                yield file, place, f"{value} is not among the service's secrets"
            for matcher in value if str(key).endswith("matchers") else ():
                label, operator, wanted = re.fullmatch(r"(\w+)(=~|!=|=)\"(.*)\"", matcher).groups()
                known = names if label == "alertname" else {at(rule, f"labels.{label}") for rule in self.alerts} - {None}
                if not any(re.fullmatch(wanted, word) if operator == "=~" else word == wanted for word in known):
                    yield file, place, f"{matcher} fits no alert of rules.yaml"
        for severity in SEVERITIES:
            if severity not in {entry["name"] for entry in document["receivers"]}:
                yield file, "receivers", f"there is none for {severity}"

    # Grafana

    def sources(self):
        file = "grafana/provisioning/datasources/datasources.yaml"
        listed = self.one(file)["datasources"]
        uids = {entry["uid"] for entry in listed}
        for i, entry in enumerate(listed):
            if self.is_no_service(entry["url"]):
                yield file, f"datasources[{i}].url", f"{entry['url']} is no service of the Compose files"
        for place, key, value in walk(listed):
            if key == "datasourceUid" and value not in uids:
                yield file, place, f"{value} is none of {sorted(uids)}"

    def dashboards(self):
        uids = {}
        for path in sorted((self.deploy / "grafana").glob("*.json")):
            file = f"grafana/{path.name}"
            try:
                document = json.loads(path.read_text())
            except json.JSONDecodeError as error:
                raise Refused(f"{file}: line {error.lineno}: {error.msg}") from error
            other = uids.setdefault(document.get("uid"), file)
            if other != file:
                yield file, "uid", f"is that of {other}"
            for place, reason in self.dashboard(document):
                yield file, place, reason

    def dashboard(self, document):
        for key in ("uid", "title", "description", "schemaVersion"):
            if not document.get(key):
                yield key, "is not set"
        variables = {entry["name"]: entry for entry in at(document, "templating.list", [])}
        kinds = {entry["query"] for entry in variables.values() if entry["type"] == "datasource"}
        if not {"prometheus", "loki"} <= kinds:
            yield "templating", "metrics and logs have no variable that chooses where they come from"
        if not any("ALERTS" in note.get("expr", "") for note in at(document, "annotations.list", [])):
            yield "annotations", "alerts are not marked"
        texts = [(f"templating.{name}", entry["definition"]) for name, entry in variables.items() if "definition" in entry]
        texts += [(f"annotations.{note['name']}", note["expr"]) for note in at(document, "annotations.list", []) if "expr" in note]
        for place, text in texts:
            inner = re.sub(r"^label_values\((.*), \w+\)$", r"\1", text)
            for reason in self.expression(inner):
                yield place, reason
        for place, key, value in walk(document):
            if key == "datasource" and not re.fullmatch(r"\$\{(\w+)\}", str(at(value, "uid"))):
                yield place, f"names the source of data {at(value, 'uid')!r}: let a variable choose"
            for name in re.findall(r"\$\{?(\w+)", value) if isinstance(value, str) else ():
                if name not in variables and not name.startswith("__"):
                    yield place, f"${name} is no variable of this dashboard"
        yield from self.panels(document.get("panels", []))

    def panels(self, panels):
        ids, titles, taken = set(), set(), {}
        for panel in panels:
            place = f"panel {panel.get('title') or panel.get('id')!r}"
            if panel.get("id") in ids:
                yield place, f"its id {panel['id']} is another's, too"
            ids.add(panel.get("id"))
            if not panel.get("title"):
                yield place, "has no title"
            if panel["type"] not in WITHOUT_UNIT:
                if panel.get("title") in titles:
                    yield place, "another panel has this title"
                titles.add(panel.get("title"))
                yield from ((place, reason) for reason in self.panel(panel))
            grid = panel["gridPos"]
            for x in range(grid["x"], grid["x"] + grid["w"]):
                for y in range(grid["y"], grid["y"] + grid["h"]):
                    other = taken.setdefault((x, y), place)
                    if other != place:
                        yield place, f"lies on {other}"
                        break
                else:
                    continue
                break
            if grid["x"] + grid["w"] > 24:
                yield place, "is wider than the page"
            yield from self.panels(panel.get("panels", []))

    def panel(self, panel):
        if len(panel.get("description", "")) < 10:
            yield "has no description"
        defaults = at(panel, "fieldConfig.defaults", {})
        if not defaults.get("unit"):
            yield "has no unit"
        if panel["type"] in ("stat", "timeseries") and not defaults.get("thresholds"):
            yield "has no thresholds"
        if not at(panel, "datasource.uid"):
            yield "has no source of data"
        marks = False
        for target in panel.get("targets", []):
            if at(target, "datasource.type") != "prometheus":
                continue
            text = target["expr"]
            marks = marks or target.get("exemplar", False)
            for reason in self.expression(text):
                yield f"{target['refId']}: {reason}"
            for window in re.findall(r"\[([^\]]*)\]", text):
                if window not in WINDOWS:
                    yield f"{target['refId']}: looks at [{window}]: that is right for one zoom only, {' and '.join(WINDOWS)} are for all"
            if panel["type"] in ("timeseries", "bargauge") and not target.get("legendFormat"):
                yield f"{target['refId']}: has no legend"
            if not re.search(r'job="\$job"|ALERTS', text):
                yield f"{target['refId']}: shows all installations at once"
        if "rpc_server_call_duration_seconds_bucket" in json.dumps(panel.get("targets")) and panel["type"] == "timeseries" and not marks:
            yield "draws the duration of calls without their exemplars"

    # Compose

    def overlay(self):
        services = self.compose[1]["services"]
        mounted = {str(volume).split(":")[0]: str(volume).split(":")[1] for volume in at(services, "grafana.volumes", [])}
        folder = at(self.one("grafana/provisioning/dashboards/dashboards.yaml"), "providers.0.options.path")
        for path in sorted((self.deploy / "grafana").glob("*.json")):
            if mounted.get(f"./grafana/{path.name}") != f"{folder}/{path.name}":
                yield OVERLAY, "services.grafana.volumes", f"{path.name} is not mounted in {folder}, where Grafana looks"
        targets = [value for _, key, value in walk(self.one("prometheus/prometheus.yaml")) if key == "targets"]
        scraped = {str(target).split(":")[0] for listed in targets for target in listed}
        for name, service in services.items():
            if at(service, "healthcheck.disable") and name not in scraped:
                yield OVERLAY, f"services.{name}.healthcheck", "is disabled, and Prometheus does not scrape it either: nobody sees it stop"
        endpoint = at(services, "router-a.environment.TOOL_ROUTER__TELEMETRY__OTLP__ENDPOINT")
        if endpoint and self.is_no_service(endpoint):
            yield OVERLAY, "services.router-a.environment", f"{endpoint} is no service"
        for i, output in enumerate(at(self.one("fluent-bit.yaml"), "pipeline.outputs", [])):
            if self.is_no_service(output.get("host")):
                yield "fluent-bit.yaml", f"pipeline.outputs[{i}].host", f"{output.get('host')} is no service of the Compose files"
        address = at(services, "router-a.logging.options.fluentd-address")
        if not any(str(port).startswith(f"{address}:") for port in at(services, "fluent-bit.ports", [])):
            yield OVERLAY, "services.router-a.logging", f"{address} is no port of fluent-bit"

    def ports(self):
        """Where one is called is where it listens."""
        loki, fluent = self.one("loki.yaml"), self.one("fluent-bit.yaml")
        listens = {
            "loki": {at(loki, "server.http_listen_port")},
            "fluent-bit": {at(fluent, "service.http_port"), at(fluent, "pipeline.inputs.0.port")},
        }
        files = ("prometheus/prometheus.yaml", "grafana/provisioning/datasources/datasources.yaml")
        called = [(file, value) for file in files for _, _, value in walk(self.one(file)) if isinstance(value, str)]
        called += [("fluent-bit.yaml", f"{output.get('host')}:{output.get('port')}") for output in at(fluent, "pipeline.outputs", [])]
        called += [(OVERLAY, f"fluent-bit:{str(port).rpartition(':')[2]}") for port in at(self.compose[1], "services.fluent-bit.ports", [])]
        for file, value in called:
            found = re.fullmatch(r"(?:\w+://)?([\w-]+):(\d+)/?", value)
            if found and found[1] in listens and int(found[2]) not in listens[found[1]]:
                yield file, value, f"{found[1]} listens on {', '.join(map(str, listens[found[1]]))}"


def check_observability(root):
    yield from Observability(root).findings()
