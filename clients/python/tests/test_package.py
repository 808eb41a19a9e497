"""What a user gets by installing the package."""

from __future__ import annotations

import importlib.resources
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from program import ROOT, RunningRouter

README = ROOT / "clients" / "python" / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_types_come_along() -> None:
    package = importlib.resources.files("tool_router_client")
    assert package.joinpath("py.typed").is_file()
    assert package.joinpath("_proto/toolrouter/v1/router_pb2.pyi").is_file()


def test_only_one_name_is_taken() -> None:
    assert importlib.util.find_spec("toolrouter") is None


def test_the_extras_are_not_needed() -> None:
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['opentelemetry', 'langchain_core', 'mcp']))\n"
        "from tool_router_client import Router, Unavailable\n"
        "try: Router('127.0.0.1:1', retries=0).select('x')\n"
        "except Unavailable: print('as expected')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "as expected\n", done.stderr


@pytest.mark.parametrize("block", BLOCKS, ids=[str(i) for i in range(len(BLOCKS))])
def test_the_readme_is_true(bundled: RunningRouter, tmp_path: Path, block: str) -> None:
    # Whatever else a router is made with.
    code = re.sub(r"\bRouter\((?=\)|[a-z])", f"Router({bundled.address!r}, ", block)
    if "watch(" in block:
        # It follows for ever: here it stops at the first event.
        code = re.sub(r"^( *)(for event in .*:)$", r"\1\2\n\1    break", code, flags=re.MULTILINE)
    script = tmp_path / "block.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
