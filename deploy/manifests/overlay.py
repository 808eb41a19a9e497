"""The rules for what an overlay renders to."""

import re

from files import at, kubernetes_schema, misfits, walk
from settings import CLOSING_S

# The oldest cluster that these are for, and the newest whose schema is at hand.
KUBERNETES = ("1.30", "1.37")
# What an overlay is to have one of.
KINDS = ("Namespace", "Deployment", "Service", "ServiceAccount", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy")
GRPC, HTTP = 7431, 7432
USER = 65532
# Words that a cluster refuses although the schema takes any.
WORDS = {
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "nodeTaintsPolicy": {"Honor", "Ignore"},
    "unhealthyPodEvictionPolicy": {"AlwaysAllow", "IfHealthyBudget"},
    "policyTypes": {"Ingress", "Egress"},
    "protocol": {"TCP", "UDP"},
    "drop": {"ALL"},
}


def secrets_in(document):
    """(path, name) for every secret that a document refers to. Of patches by path, too."""
    for path, key, value in walk(document):
        if key == "secretName":
            yield path, value
        elif key in ("secretKeyRef", "secretRef", "secret") and isinstance(value, dict) and "name" in value:
            yield f"{path}.name", value["name"]
        elif key == "imagePullSecrets" and isinstance(value, list):
            yield from ((f"{path}[{i}].name", entry.get("name")) for i, entry in enumerate(value))
        elif isinstance(value, dict) and re.search(r"/(secretName|secretKeyRef/name|secretRef/name)$", str(value.get("path"))):
            yield path, value.get("value")


class Overlay:
    """What one overlay renders to."""

    def __init__(self, name, objects, settings, named):
        self.name, self.objects, self.settings, self.named = name, objects, settings, named

    def findings(self):
        fits = True
        for i, document in enumerate(self.objects):
            title = f"{document.get('kind', f'object {i}')}/{at(document, 'metadata.name', '?')}"
            for place, reason in self.misfits(document):
                fits = False
                yield f"{title} {place}", reason
        # Rules rest on fields that are where they belong.
        if not fits:
            return
        yield from self.place()
        yield from self.secrets()
        yield from self.workload()
        yield from self.pod()
        yield from self.container()
        yield from self.probes()
        yield from self.grace()
        yield from self.numbers()
        yield from self.network()

    def misfits(self, document):
        told = set()
        for version in KUBERNETES:
            validator = kubernetes_schema(version, str(document.get("kind")), str(document.get("apiVersion")))
            if validator is None:
                yield "-", f"Kubernetes {version} has no {document.get('kind')} of {document.get('apiVersion')}"
                continue
            for place, reason in misfits(validator, document):
                if (place, reason) not in told:
                    told.add((place, reason))
                    yield place, f"{reason} (Kubernetes {version})"
        for place, key, value in walk(document):
            words = WORDS.get(key)
            for word in (value if isinstance(value, list) else [value]) if words else ():
                if word not in words:
                    yield place, f"{word!r} is none of {', '.join(sorted(words))}"
            if value is None:
                yield place, "is empty"

    def one(self, kind):
        """The object of a kind of which there is to be one; else an empty one, which the rule `place` tells of."""
        return next((document for document in self.objects if document["kind"] == kind), {})

    @property
    def deployment(self):
        return self.one("Deployment")

    @property
    def spec(self):
        return at(self.deployment, "spec.template.spec", {})

    @property
    def router(self):
        return at(self.spec, "containers.0", {})

    @property
    def variables(self):
        return {entry["name"]: entry.get("value") for entry in self.router.get("env", [])}

    def own(self):
        """What no other overlay may have: (kind, name)."""
        for document in self.objects:
            if document["kind"] == "Namespace":
                yield "Namespace", at(document, "metadata.name")
            for _, name in secrets_in(document):
                yield "Secret", name
        for _, key, value in walk(self.one("NetworkPolicy")):
            if key == "tool-router/clients-of":
                yield "clients' label", value

    def place(self):
        kinds = [document["kind"] for document in self.objects]
        for kind in KINDS:
            if kinds.count(kind) != 1:
                yield kind, f"{kinds.count(kind)} found, there is to be one"
        namespace = f"tool-router-{self.name}"
        for document in self.objects:
            title = f"{document['kind']}/{at(document, 'metadata.name')}"
            key = "metadata.name" if document["kind"] == "Namespace" else "metadata.namespace"
            if at(document, key) != namespace:
                yield f"{title} {key}", f"is {at(document, key)} and not {namespace}"
            if document["kind"] == "Secret":
                yield title, "is rendered: secrets are made in the cluster, never here"

    def secrets(self):
        for document in self.objects:
            for place, name in secrets_in(document):
                title = f"{document['kind']}/{at(document, 'metadata.name')} {place}"
                if name not in self.named:
                    yield title, f"{name} is a secret that this overlay does not name itself"
                elif self.name not in str(name).split("-"):
                    yield title, f"{name} does not say that it is {self.name}'s"

    def workload(self):
        title, labels = "Deployment/tool-router", at(self.deployment, "spec.template.metadata.labels", {})
        strategy = at(self.deployment, "spec.strategy.rollingUpdate", {})
        if strategy.get("maxUnavailable") != 0 or strategy.get("maxSurge") != 1:
            yield f"{title} spec.strategy", "is not one more first, none less (maxUnavailable 0, maxSurge 1)"
        for kind, path in {
            "Deployment": "spec.selector.matchLabels",
            "Service": "spec.selector",
            "PodDisruptionBudget": "spec.selector.matchLabels",
            "NetworkPolicy": "spec.podSelector.matchLabels",
        }.items():
            selector = at(self.one(kind), path, {})
            if not selector or not selector.items() <= labels.items():
                yield f"{kind}/tool-router {path}", f"{selector} does not choose the pods, which have {labels}"
        if at(self.one("Service"), "spec.clusterIP") != "None":
            yield "Service/tool-router spec.clusterIP", "is not None: one address would tie each client to one pod"
        target = at(self.one("HorizontalPodAutoscaler"), "spec.scaleTargetRef", {})
        if (target.get("kind"), target.get("name")) != ("Deployment", at(self.deployment, "metadata.name")):
            yield "HorizontalPodAutoscaler/tool-router spec.scaleTargetRef", "is not the Deployment"
        if at(self.deployment, "spec.replicas") is not None:
            yield f"{title} spec.replicas", "is the autoscaler's: written here, every apply would undo its work"

    def pod(self):
        title = "Deployment/tool-router spec.template.spec"
        for key, value in {
            "securityContext.runAsNonRoot": True,
            "securityContext.runAsUser": USER,
            "securityContext.seccompProfile.type": "RuntimeDefault",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "serviceAccountName": at(self.one("ServiceAccount"), "metadata.name"),
            "containers.0.securityContext.allowPrivilegeEscalation": False,
            "containers.0.securityContext.readOnlyRootFilesystem": True,
            "containers.0.securityContext.capabilities.drop": ["ALL"],
        }.items():
            if at(self.spec, key) != value:
                yield f"{title}.{key}", f"is {at(self.spec, key)!r} and not {value!r}"
        if self.one("ServiceAccount").get("automountServiceAccountToken") is not False:
            yield "ServiceAccount/tool-router automountServiceAccountToken", "is not false"
        if len(self.spec.get("containers", [])) != 1 or self.spec.get("initContainers"):
            yield f"{title}.containers", "these rules know one container"
        labels = at(self.deployment, "spec.template.metadata.labels", {})
        spread = {entry["topologyKey"]: entry for entry in self.spec.get("topologySpreadConstraints", [])}
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname"):
            if at(spread.get(key, {}), "labelSelector.matchLabels") != labels:
                yield f"{title}.topologySpreadConstraints", f"does not spread these pods over {key}"

    def container(self):
        title = "Deployment/tool-router spec.template.spec.containers[0]"
        image = self.router.get("image", "")
        if not re.search(r"(@sha256:[0-9a-f]{64}|:[\w.-]+)$", image) or image.endswith(":latest"):
            yield f"{title}.image", f"{image!r} does not say which version"
        for key in ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory"):
            if at(self.router, f"resources.{key}") is None:
                yield f"{title}.resources.{key}", "is not set"
        files = self.mounted()
        for i, entry in enumerate(self.router.get("env", [])):
            place, value = f"{title}.env[{i}]", entry.get("value")
            if complaint := self.settings.complaint(entry["name"], value):
                yield place, complaint
            if entry["name"].endswith("_SNAPSHOT_FILE"):
                if not any(value.startswith(f"{folder}/") for folder in self.writable()):
                    yield place, f"{entry['name']} is {value}, where nothing can be written"
            elif entry["name"].endswith("_FILE") and value not in files:
                yield place, f"{entry['name']} is {value}, which no secret is mounted as"
            if value is None:
                yield place, f"{entry['name']} has no value of its own"
        if complaint := self.settings.guard(self.variables):
            yield f"{title}.env", complaint
        if "TOOL_ROUTER__STORE__POSTGRES__URL_FILE" not in self.variables:
            yield f"{title}.env", "store.postgres.url_file is not set: each pod would have a catalogue of its own, and lose it"

    def mounted(self):
        """The files that secrets are mounted as."""
        items = {volume["name"]: at(volume, "secret.items", []) for volume in self.spec.get("volumes", [])}
        mounts = self.router.get("volumeMounts", [])
        return {f"{mount['mountPath']}/{item['path']}" for mount in mounts for item in items.get(mount["name"], [])}

    def writable(self):
        """Folders that the router may write to."""
        empty = {volume["name"] for volume in self.spec.get("volumes", []) if "emptyDir" in volume}
        return [mount["mountPath"] for mount in self.router.get("volumeMounts", []) if mount["name"] in empty]

    def probes(self):
        title = "Deployment/tool-router spec.template.spec.containers[0]"
        ports = {entry.get("name"): entry["containerPort"] for entry in self.router.get("ports", [])}
        for name, key in (("grpc", "server.grpc_address"), ("http", "server.http_address")):
            listens = str(self.settings.value(self.variables, key)).rpartition(":")[2]
            if str(ports.get(name)) != listens:
                yield f"{title}.ports", f"{name} is {ports.get(name)}, {key} is {listens}"
        port = at(self.one("Service"), "spec.ports.0", {})
        if port.get("port") != GRPC or ports.get(port.get("targetPort"), port.get("targetPort")) != GRPC:
            yield "Service/tool-router spec.ports[0]", f"does not lead to {GRPC}"
        tls = "TOOL_ROUTER__SERVER__TLS__CERTIFICATE_FILE" in self.variables
        for probe, http in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
            found = self.router.get(probe)
            if found is None:
                yield f"{title}.{probe}", "is missing"
                continue
            if "grpc" in found:
                if found["grpc"].get("port") != ports.get("grpc"):
                    yield f"{title}.{probe}.grpc.port", f"is {found['grpc'].get('port')}, gRPC listens on {ports.get('grpc')}"
                if tls:
                    yield f"{title}.{probe}.grpc", "gRPC probes speak no TLS, and the port speaks nothing else"
                if probe == "livenessProbe":
                    yield f"{title}.{probe}.grpc", "says no while the router drains: ask /livez"
            elif (at(found, "httpGet.path"), at(found, "httpGet.port")) != (http, ports.get("http")):
                yield f"{title}.{probe}", f"does not ask {http} on {ports.get('http')}"

    def grace(self):
        title = "Deployment/tool-router spec.template.spec"
        grace, needed = self.spec.get("terminationGracePeriodSeconds", 30), self.settings.grace(self.variables)
        if grace < needed:
            reason = f"is {grace}, drain delay, drain timeout and {CLOSING_S} s to close up are {needed:g} s"
            yield f"{title}.terminationGracePeriodSeconds", reason
        ready = self.router.get("readinessProbe", {})
        noticed = ready.get("periodSeconds", 10) * ready.get("failureThreshold", 3)
        delay = self.settings.number(self.variables, "server.drain_delay_ms")
        if delay < noticed * 1000:
            yield f"{title}.containers[0].env", f"server.drain_delay_ms is {delay}, the readiness probe needs {noticed} s to notice"

    def numbers(self):
        least, most = (at(self.one("HorizontalPodAutoscaler"), f"spec.{key}") for key in ("minReplicas", "maxReplicas"))
        stays = at(self.one("PodDisruptionBudget"), "spec.minAvailable")
        if least is None or least < 2:
            yield "HorizontalPodAutoscaler/tool-router spec.minReplicas", f"is {least}, one pod is none while it restarts"
        elif not isinstance(stays, int) or least < stays + 1:
            place = "PodDisruptionBudget/tool-router spec.minAvailable"
            yield place, f"is {stays}, of {least} pods at least one must be allowed to go, or no machine can be emptied"
        elif most is None or most <= least:
            yield "HorizontalPodAutoscaler/tool-router spec.maxReplicas", f"is {most}, which leaves no room above {least}"

    def network(self):
        title, policy = "NetworkPolicy/tool-router", self.one("NetworkPolicy")
        if set(at(policy, "spec.policyTypes", [])) != {"Ingress", "Egress"}:
            yield f"{title} spec.policyTypes", "does not close both directions"
        allowed = {"ingress": {GRPC, HTTP}, "egress": {53, 5432}}
        for way, ports in allowed.items():
            for i, rule in enumerate(at(policy, f"spec.{way}", [])):
                found = {port.get("port") for port in rule.get("ports", [])}
                if not found or not found <= ports:
                    yield f"{title} spec.{way}[{i}].ports", f"{sorted(map(str, found)) or 'all'} where only {sorted(ports)} are meant"
                if way == "ingress":
                    yield from self.callers(f"{title} spec.ingress[{i}]", rule, found)

    def callers(self, title, rule, ports):
        for j, peer in enumerate(rule.get("from") or [{}]):
            namespaces = at(peer, "namespaceSelector.matchLabels", {})
            if GRPC in ports and (namespaces.get("tool-router/clients-of") != self.name or not at(peer, "podSelector.matchLabels")):
                yield f"{title}.from[{j}]", f"lets in others than labelled pods of namespaces that are clients of {self.name}"
            elif not namespaces:
                yield f"{title}.from[{j}]", "lets everyone in"
