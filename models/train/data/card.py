"""The data card: what went in, under which licence, what was left out and why."""

import json
from collections import Counter

from .pairs import IMPLIED
from .sets import OWN


def card(tools, pairs, held, notes, seed, share, talk):
    """The figures of a run."""
    licenses = Counter((tool.set, tool.license) for tool in tools)
    kinds = Counter((pair.set, pair.kind) for pair in pairs)
    return {
        "seed": seed, "share": share,
        "tools": len(tools), "pairs": len(pairs), "held_back": len(held),
        "with_look_alikes": sum(bool(pair.negatives) for pair in pairs),
        "tools_by_set_and_license": [{"set": name, "license": license_name, "tools": count} for (name, license_name),
            count in sorted(licenses.items())],
        "pairs_by_set_and_kind": [{"set": name, "kind": kind, "pairs": count} for (name, kind),
            count in sorted(kinds.items())],
        "held_back_by_set": dict(sorted(Counter(pair.set for pair in held).items())),
        "left_out": [{"what": key[0], "of": key[1], "why": key[2], "count": count} for key,
            count in sorted(notes.items())],
        "notes": {
            IMPLIED: "made requests that take a tool for granted; under the tools' licences",
            talk: "made requests that need no tool; written for this repository, under its licence",
            "made": "every kind but `labelled*` is made by templates from the tools' own documents, without a "
            "language model, and is under the tool's licence",
            OWN: "the user's own catalogue, under whatever terms it has",
        },
    }


def write(out, figures):
    """`card.json` and the same as `card.md`."""
    (out / "card.json").write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / "card.md").write_text(_markdown(figures), "utf-8")


def _markdown(figures):
    sets = sorted({row["set"] for row in figures["pairs_by_set_and_kind"]})
    kinds = sorted({row["kind"] for row in figures["pairs_by_set_and_kind"]})
    count = {(row["kind"], row["set"]): row["pairs"] for row in figures["pairs_by_set_and_kind"]}
    lines = ["# Training data", "",
        f"{figures['tools']} tools, {figures['pairs']} pairs ({figures['with_look_alikes']} with look-alikes), "
        f"{figures['held_back']} held back for model selection. "
             f"Seed {figures['seed']}, share {figures['share']}.", "", "## Tools", ""]
    lines += _table(["set", "licence", "tools"],
        [[row["set"], row["license"], row["tools"]] for row in figures["tools_by_set_and_license"]])
    lines += ["", "## Pairs", ""]
    rows = [[kind, *[count.get((kind, name), 0) for name in sets],
        sum(count.get((kind, name), 0) for name in sets)] for kind in kinds]
    rows.append(["all", *[sum(count.get((kind, name), 0) for kind in kinds) for name in sets], figures["pairs"]])
    lines += _table(["kind", *sets, "all"], rows)
    lines += ["", "## Held back", ""]
    lines += _table(["set", "pairs"], [[name, number] for name, number in figures["held_back_by_set"].items()])
    lines += ["", "## Left out", ""]
    lines += _table(["what", "of", "why", "count"],
        [[row["what"], row["of"], row["why"], row["count"]] for row in figures["left_out"]])
    lines += ["", "## Notes", ""]
    lines += [f"- {name}: {text}." for name, text in figures["notes"].items()]
    return "\n".join(lines) + "\n"


def _table(head, rows):
    return ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |",
        *["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]]
