"""Compares the router with its peers on labelled sets and prints one table. `README.md` says how to read it; `run.sh` installs peers."""

from __future__ import annotations

import os

# Before anything that reads them is loaded: no telemetry, no downloads, one thread each.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    LANGSMITH_TRACING="false",
    OTEL_SDK_DISABLED="true",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
)

import argparse
import json
import logging
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import contest
import data
import table
from peers import OURS, PEERS, Peer, Surroundings, load
from report import Report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compares the router with its peers on labelled sets.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with one folder per set")
    parser.add_argument("--set", nargs="+", required=True, metavar="NAME[:SPLIT]", help="sets; the splits odd and even need no file")
    parser.add_argument(
        "--max-queries", type=int, default=200, metavar="N", help="most queries of a set, spread over it; 0: all (default: 200)"
    )
    parser.add_argument("--peer", nargs="+", choices=list(PEERS), metavar="NAME", help=f"only these, and the router: {', '.join(PEERS)}")
    parser.add_argument(
        "--model", type=Path, default=ROOT / "models" / "tool-minilm-l6-int8", metavar="DIR", help="model directory of the peers"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure and every query's scores")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table as Markdown")
    parsed = parser.parse_args(given)
    if parsed.max_queries < 0:
        parser.error(f"--max-queries is {parsed.max_queries}; give 0 for all, or more")
    return parsed


def router_binary() -> Path:
    """`TOOL_ROUTER_BIN`, else the release build."""
    binary = Path(os.environ.get("TOOL_ROUTER_BIN") or ROOT / "target" / "release" / "tool-router")
    if not os.access(binary, os.X_OK):
        sys.exit(f"run.py: {binary} is no program: cargo build --release, or set TOOL_ROUTER_BIN")
    return binary.resolve()


def main() -> None:
    wanted = arguments()
    binary = router_binary()
    # Read before anything is built: a misspelt set must not show after an hour.
    try:
        sets = [data.read(wanted.data, name, wanted.max_queries) for name in dict.fromkeys(wanted.set)]
    except data.DataError as e:
        sys.exit(f"run.py: {e}")
    # Peers log every request at info.
    logging.disable(logging.INFO)
    from encoder import Encoder, Kept, Model

    kept = Kept(Model(wanted.model))
    names = [name for name in PEERS if wanted.peer is None or name in wanted.peer or name == OURS]

    def make(name: str) -> tuple[Peer, Encoder]:
        encoder = Encoder(kept)
        return load(name, Surroundings(encoder, binary, ROOT)), encoder

    started = time.monotonic()
    report, facts = Report(), circumstances(binary, wanted.model)
    for one in sets:
        report.add(one.name, len(one.tools), contest.hold(one, names, make))
        kept.known.clear()
        # After every set, since all of them together take long.
        save(wanted, facts, report)
    contest.say(f"took {time.monotonic() - started:,.0f} s")
    print(table.text(report.all()), told(facts), sep="\n")
    if any(row.failure for group in report.groups for row in group.rows if row.peer == OURS):
        sys.exit(f"run.py: {OURS} failed, see above: nothing was compared there")


def save(wanted: argparse.Namespace, facts: dict[str, str], report: Report) -> None:
    if wanted.markdown:
        wanted.markdown.write_text(f"{table.markdown(report.all())}\n\n{told(facts)}\n", encoding="utf-8")
    if wanted.json:
        wanted.json.write_text(json.dumps(everything(facts, report), indent=1) + "\n", encoding="utf-8")


def told(facts: dict[str, str]) -> str:
    return "; ".join(f"{key} {value}" for key, value in facts.items())


def circumstances(binary: Path, model: Path) -> dict[str, str]:
    """What a reader needs to know to compare with another run."""
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    pins = (HERE / "requirements.txt").read_text(encoding="utf-8")
    peers, _, _ = pins.partition("# The encoder")
    return {
        "router": version,
        "model": model.name,
        "peers": ", ".join(re.findall(r"^\S+==\S+$", peers, re.MULTILINE)),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def everything(facts: dict[str, str], report: Report) -> dict[str, Any]:
    return {
        "circumstances": facts,
        "groups": [asdict(group) for group in report.all()],
        "queries": {
            group.name: {outcome.peer: outcome.scores for outcome in outcomes}
            for group, outcomes in zip(report.groups, report.outcomes, strict=True)
        },
    }


if __name__ == "__main__":
    main()
