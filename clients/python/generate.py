"""Writes the protobuf modules of the package from the contract in `proto/`.

They are committed, so that installing the client needs no compiler. protoc writes imports for a top-level `toolrouter` package; here they
are rewritten to stand inside `tool_router_client`, so that the client puts one name on its user's path, not two.

`python generate.py` writes them; `python generate.py --check` exits with 1 when the committed ones are not what the contract gives.
"""

from __future__ import annotations

import argparse
import filecmp
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTRACT = HERE.parent.parent / "proto"
INSIDE = "tool_router_client._proto."
GENERATED = HERE / "tool_router_client" / "_proto" / "toolrouter"


def pinned_version() -> str:
    """The version that requirements-dev.txt names: another one writes other files."""
    pins = (HERE / "requirements-dev.txt").read_text(encoding="utf-8")
    found = re.search(r"^grpcio-tools==(\S+)", pins, re.MULTILINE)
    if not found:
        sys.exit("generate.py: requirements-dev.txt pins no grpcio-tools")
    return found.group(1)


def generate(folder: Path) -> None:
    """Writes everything below `folder`/toolrouter."""
    import grpc_tools
    from grpc_tools import protoc

    protos = sorted(path.relative_to(CONTRACT).as_posix() for path in CONTRACT.glob("toolrouter/v1/*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{CONTRACT}", f"-I{well_known}", f"--python_out={folder}", f"--pyi_out={folder}", *protos]
    if protoc.main(arguments) != 0:
        sys.exit("generate.py: protoc failed, see above")
    for path in folder.rglob("*_pb2.py*"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"^from toolrouter\.", f"from {INSIDE}toolrouter.", text, flags=re.MULTILINE)
        # Without this, a pickled message would look for its class in a module that does not exist.
        text = text.replace("'toolrouter.v1.", f"'{INSIDE}toolrouter.v1.")
        path.write_text(text, encoding="utf-8")
    for package in (folder / "toolrouter", folder / "toolrouter" / "v1"):
        (package / "__init__.py").write_text("", encoding="utf-8")


def differences(fresh: Path, committed: Path) -> list[str]:
    """Files that are missing, superfluous or other than `fresh`, relative to the package."""
    ours = {path.relative_to(fresh) for path in fresh.rglob("*.py*") if path.suffix != ".pyc"}
    theirs = {path.relative_to(committed) for path in committed.rglob("*.py*") if path.suffix != ".pyc"}
    other = {path for path in ours & theirs if not filecmp.cmp(fresh / path, committed / path, shallow=False)}
    return sorted(path.as_posix() for path in (ours ^ theirs) | other)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the protobuf modules from the contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when they are out of date")
    arguments = parser.parse_args()
    installed, pinned = metadata.version("grpcio-tools"), pinned_version()
    if installed != pinned:
        sys.exit(f"generate.py: grpcio-tools is {installed}, requirements-dev.txt pins {pinned}: install that one")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder)
        changed = differences(folder / "toolrouter", GENERATED)
        if not changed:
            print("the protobuf modules are up to date")
        elif arguments.check:
            sys.exit("out of date, run clients/python/generate.py:\n" + "\n".join(f"  {path}" for path in changed))
        else:
            shutil.rmtree(GENERATED, ignore_errors=True)
            shutil.copytree(folder / "toolrouter", GENERATED)
            print("written:\n" + "\n".join(f"  {path}" for path in changed))


if __name__ == "__main__":
    main()
