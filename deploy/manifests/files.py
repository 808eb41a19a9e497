"""Reads YAML strictly, walks through it, and holds it against the published schemas of Compose and Kubernetes."""

import functools
import importlib.util
import json
import pathlib

import jsonschema
import referencing
import yaml


class Refused(Exception):
    """A file that cannot be looked into at all."""


class Loader(yaml.SafeLoader):
    """YAML in which a key stands once: the last one would win without a word."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse(text, what):
    """The documents of a YAML text."""
    try:
        return [document for document in yaml.load_all(text, Loader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "-"
        raise Refused(f"{what}: {place}: {getattr(error, 'problem', error)}") from error


def walk(value, path=""):
    """Every (path, key, value) of a document, parents first."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        here = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}".lstrip(".")
        yield here, key, inner
        yield from walk(inner, here)


def at(document, path, default=None):
    """What stands at `a.b.0.c`."""
    for key in path.split("."):
        if isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        elif isinstance(document, dict) and key in document:
            document = document[key]
        else:
            return default
    return document


def schema_file(package, *path):
    """A file inside an installed package. Nothing of the package is run."""
    found = importlib.util.find_spec(package)
    if found is None:
        raise Refused(f"manifests/requirements.txt: -: {package} is not installed, run check_manifests.sh")
    return json.loads(pathlib.Path(found.submodule_search_locations[0], *path).read_text())


@functools.cache
def compose_schema():
    return jsonschema.Draft202012Validator(schema_file("check_jsonschema", "builtin_schemas", "vendor", "compose-spec.json"))


@functools.cache
def kubernetes_schema(version, kind, api_version):
    """None where this version has no such kind."""
    folder = ("kubernetes_validate", "kubernetes-json-schema", f"v{version}.0-local-strict")
    group, _, number = api_version.rpartition("/")
    name = "-".join(part for part in (kind.lower(), group.split(".")[0], number) if part)
    try:
        schema = schema_file(*folder, f"{name}.json")
    except FileNotFoundError:
        return None
    return jsonschema.Draft202012Validator(schema, registry=definitions(folder))


@functools.cache
def definitions(folder):
    return referencing.Resource.from_contents(schema_file(*folder, "_definitions.json")) @ referencing.Registry()


def misfits(validator, document):
    """(path, reason) for all that does not fit. Of alternatives, the nearest is told."""
    for error in validator.iter_errors(document):
        best = jsonschema.exceptions.best_match([error])
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in best.absolute_path).lstrip(".")
        yield path or "-", best.message if len(best.message) <= 300 else best.message[:300] + " ..."
