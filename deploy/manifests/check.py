"""Checks the Compose files and the Kubernetes overlays, without an engine and without a cluster.

Two things are asked. Would it be taken: every Compose file, and every object that an overlay renders to, fits the published schema, and
a field that the schema does not know is refused, for a cluster may drop it without a word. And would it be right: the rules are for what
would break in production only, such as a grace period shorter than the drain, a secret that two environments share, a variable that no key
answers to. Those for Compose are here, those for Kubernetes in overlay.py, those for what watches the routers in observability.py.

Each finding is one line: file, place in it, what is wrong. Run by check_manifests.sh, which brings the packages; test_check.py and
test_observability.py break copies of these files and see each refused.
"""

import argparse
import pathlib
import re
import subprocess
import sys

from files import Refused, at, compose_schema, misfits, parse
from observability import check_observability
from overlay import Overlay, secrets_in
from settings import CLOSING_S, Settings

# Two looks of haproxy.cfg, half a second apart, each of which may come late and take a second.
LOOKS_MS = 3000
# Files that stand on another, which they say themselves otherwise: compose.tls.yaml on compose.yaml.
STANDS_ON = {"compose.observability.yaml": "compose.yaml"}


def seconds(text):
    """A duration such as 1m30s, in seconds."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", str(text)))


def merged(base, over):
    """One Compose file on top of another: maps merge, lists grow, the rest is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merged(base[key], value) if key in base else value for key, value in over.items()}
    return base + over if isinstance(base, list) and isinstance(over, list) else over


def check_compose(root, settings):
    deploy = root / "deploy"
    for path in sorted(deploy.glob("compose*.yaml")):
        name = path.name
        (document,) = parse(path.read_text(), name)
        fits = True
        for place, reason in misfits(compose_schema(), document):
            fits = False
            yield name, place, reason
        if not fits:
            continue
        below = STANDS_ON.get(name) or (name.replace(".tls.", ".") if name.endswith(".tls.yaml") else None)
        if below:
            (base,) = parse((deploy / below).read_text(), below)
            document = merged(base, document)
        for service in document["services"]:
            for place, reason in check_service(document, service, settings):
                yield name, f"services.{service}.{place}", reason
            for volume in document["services"][service].get("volumes", []):
                source = str(volume).split(":")[0]
                if source.startswith(".") and not (deploy / source).exists():
                    yield name, f"services.{service}.volumes", f"there is no {source}: the engine would make an empty folder in its place"
        for secret, source in document.get("secrets", {}).items():
            if not str(source.get("file", "")).startswith("./secrets/"):
                yield name, f"secrets.{secret}", "is not a file of ./secrets, which git and the image leave out"


def check_service(document, name, settings):
    service = document["services"][name]
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "restart": "unless-stopped"}
    for key, value in wanted.items():
        if service.get(key) != value:
            yield key, f"is {service.get(key)!r} and not {value!r}"
    image = service.get("image", "")
    if not image.startswith("tool-router:") and not re.search(r"(@sha256:[0-9a-f]{64}|:v?\d[\w.-]*)$", image):
        yield "image", f"{image!r} does not say which version"
    for key in ("cpus", "memory", "pids"):
        if at(service, f"deploy.resources.limits.{key}") is None:
            yield f"deploy.resources.limits.{key}", "is not set"
    if "healthcheck" not in service:
        yield "healthcheck", "is not set"
    for port in service.get("ports", []):
        if not str(port).startswith("127.0.0.1:"):
            yield "ports", f"{port} is open beyond loopback"
    secrets = {entry if isinstance(entry, str) else entry.get("target", entry["source"]): entry for entry in service.get("secrets", [])}
    for entry in secrets.values():
        source = entry if isinstance(entry, str) else entry["source"]
        if source not in document.get("secrets", {}):
            yield "secrets", f"{source} is declared nowhere"
    variables = service.get("environment", {})
    if isinstance(variables, list):
        yield "environment", "is a list, on top of which no second file can set a variable anew: write `NAME: value`"
        return
    for variable, value in variables.items():
        place = f"environment.{variable}"
        if complaint := settings.complaint(variable, value):
            yield place, complaint
        if re.search(r"(PASSWORD|TOKEN|SECRET|POSTGRES__URL)$", variable):
            yield place, "holds a secret itself: give a file"
        if str(value).startswith("/run/secrets/") and str(value).removeprefix("/run/secrets/") not in secrets:
            yield place, f"{value} is not among the service's secrets"
    if not service.get("image", "").startswith("tool-router"):
        return
    if complaint := settings.guard(variables):
        yield "environment", complaint
    grace, needed = seconds(service.get("stop_grace_period", "10s")), settings.grace(variables)
    if grace < needed:
        yield "stop_grace_period", f"is {grace} s, drain delay, drain timeout and {CLOSING_S} s to close up are {needed:g} s"
    delay = settings.number(variables, "server.drain_delay_ms")
    balanced = any(other.get("image", "").startswith("haproxy") for other in document["services"].values())
    if balanced and delay < LOOKS_MS:
        yield "environment", f"server.drain_delay_ms is {delay}, the balancer needs {LOOKS_MS} to see that this router leaves"


# Kubernetes


def render(kubectl, folder, what):
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"{what}: -: does not render: {' '.join(done.stderr.split())}")
    if done.stderr.strip():
        raise Refused(f"{what}: -: renders with a warning: {' '.join(done.stderr.split())}")
    return parse(done.stdout, what)


def named_by(folder):
    """The secrets that an overlay's own files name, patches inside its kustomization among them."""
    names = set()
    for path in folder.glob("*.yaml"):
        for document in parse(path.read_text(), path.name):
            names.update(name for _, name in secrets_in(document))
            for patch in document.get("patches", []):
                for inner in parse(patch.get("patch", ""), path.name):
                    names.update(name for _, name in secrets_in(inner))
    return names


def check_sources(kubernetes):
    """No secret in the repository, no file that nothing refers to and so nobody looks at."""
    for path in sorted(path for path in kubernetes.rglob("*") if path.is_file()):
        name = f"kubernetes/{path.relative_to(kubernetes)}"
        if path.suffix != ".yaml":
            yield name, "-", "is no .yaml file, so nothing here looks into it"
            continue
        for document in parse(path.read_text(), name):
            if document.get("kind") == "Secret" or "secretGenerator" in document:
                yield name, "-", "holds a secret: those are made in the cluster, never here"
        used = (path.parent / "kustomization.yaml").read_text() if (path.parent / "kustomization.yaml").exists() else ""
        if path.name != "kustomization.yaml" and path.name not in used:
            yield name, "-", "no kustomization.yaml beside it refers to it"


def check_kubernetes(root, settings, kubectl):
    kubernetes = root / "deploy/kubernetes"
    yield from check_sources(kubernetes)
    owners = {}
    overlays = sorted(path.parent for path in kubernetes.glob("overlays/*/kustomization.yaml"))
    if len(overlays) < 2:
        yield "kubernetes/overlays", "-", f"{len(overlays)} found, staging and production are two"
    for folder in overlays:
        what = f"kubernetes/overlays/{folder.name}"
        objects = render(kubectl, folder, what)
        overlay = Overlay(folder.name, objects, settings, named_by(folder))
        for place, reason in overlay.findings():
            yield what, place, reason
        for kind, name in overlay.own():
            other = owners.setdefault((kind, name), folder.name)
            if other != folder.name:
                yield what, "-", f"shares the {kind} {name} with {other}"


def findings(root, kubectl):
    """All of them, as lines."""
    lines = []
    settings = Settings(root)
    for check in (check_compose(root, settings), check_observability(root), check_kubernetes(root, settings, kubectl)):
        try:
            lines += [f"{file}: {place}: {reason}" for file, place, reason in check]
        except Refused as refused:
            lines.append(str(refused))
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    top = pathlib.Path(__file__).resolve().parents[2]
    arguments.add_argument("--root", type=pathlib.Path, default=top, help="top of the repository")
    arguments.add_argument("--kubectl", default="kubectl", help="what renders the overlays")
    given = arguments.parse_args()
    lines = findings(given.root, given.kubectl)
    for line in lines:
        print(f"check_manifests: deploy/{line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
