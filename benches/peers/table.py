"""The one table, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from measures import MEASURES
from report import MACRO, NOISE, Figure, Group, Row

AHEAD, BEHIND = "▲", "▼"
NOTHING = "–"
LEGEND = (
    f"[low, high]: 95% bootstrap interval. lead: the router minus this peer, paired over queries; {AHEAD} the router is ahead, {BEHIND} it "
    "is behind, no mark: the interval has 0 in it. ms: one query, in turn with the others. build: seconds, embedding included."
)


def header() -> list[str]:
    return ["peer", *(column for measure in MEASURES for column in (measure, "lead")), "p50 ms", "p95 ms", "build s"]


def text(groups: list[Group]) -> str:
    """Aligned columns, a title line per set, then what failed and what must be known."""
    blocks = [(title(group), [cells(row) for row in group.rows]) for group in groups]
    lines = [header(), *(line for _, rows in blocks for line in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header()))]

    def aligned(line: list[str]) -> str:
        first, *rest = zip(line, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]).rstrip()

    out = [aligned(header())]
    for name, rows in blocks:
        out += ["", name, *(aligned(line) for line in rows)]
    return "\n".join([*out, "", *tally(groups), *remarks(groups), LEGEND])


def markdown(groups: list[Group]) -> str:
    """The same as one Markdown table, each set opened by a bold row."""
    columns = header()
    out = [_line(columns), _line(["---", *(["--:"] * (len(columns) - 1))])]
    for group in groups:
        out.append(_line([f"**{title(group)}**", *([""] * (len(columns) - 1))]))
        out += [_line(cells(row)) for row in group.rows]
    return "\n".join([*out, "", *(f"- {line}" for line in [*tally(groups), *remarks(groups)]), "", LEGEND])


def _line(line: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"


def title(group: Group) -> str:
    return f"{group.name} ({group.tools:,} tools, {group.queries:,} queries)"


def cells(row: Row) -> list[str]:
    if row.failure:
        return [row.peer, "failed", *([NOTHING] * (len(header()) - 2))]
    figures = [cell for measure in MEASURES for cell in (mean(row.means[measure]), lead(row.leads.get(measure)))]
    return [row.peer, *figures, _number(row.p50_ms, 1), _number(row.p95_ms, 1), _number(row.build_s, 1)]


def mean(figure: Figure) -> str:
    return f"{_share(figure.value)} [{_share(figure.low)}, {_share(figure.high)}]"


def lead(figure: Figure | None) -> str:
    if figure is None:
        return NOTHING
    mark = {1: AHEAD, -1: BEHIND, 0: " "}[figure.sign]
    return f"{_signed(figure.value)} [{_signed(figure.low)}, {_signed(figure.high)}] {mark}"


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _signed(value: float) -> str:
    # One that only rounds to nothing keeps its sign: an interval from +.000 on does not have 0 in it.
    return ".000" if abs(value) <= NOISE else f"{value:+.3f}".replace("0.", ".", 1)


def _number(value: float | None, places: int) -> str:
    return NOTHING if value is None else f"{value:,.{places}f}"


def tally(groups: list[Group]) -> Iterator[str]:
    """For each peer: on how many sets and measures the router is ahead, behind, or neither."""
    signs: dict[str, list[int]] = {}
    for group in (group for group in groups if group.name != MACRO):
        for row in group.rows:
            signs.setdefault(row.peer, []).extend(figure.sign for figure in row.leads.values())
    for peer, all_of_it in signs.items():
        if all_of_it:
            ahead, behind = all_of_it.count(1), all_of_it.count(-1)
            yield f"{peer}: of {len(all_of_it)} leads (sets x measures), {ahead} {AHEAD} and {behind} {BEHIND}"


def remarks(groups: list[Group]) -> Iterator[str]:
    """Everything that failed, and what a peer had to say."""
    for group in groups:
        for row in group.rows:
            where = f"{row.peer} on {group.name}"
            if group.name == MACRO:
                continue  # its sets have said so
            if row.failure:
                yield f"FAILED: {where}: {row.failure}"
            elif row.failed_queries:
                yield f"FAILED: {where}: {row.failed_queries} of {group.queries} queries, counted as having found nothing"
            if not row.failure:
                yield from (f"{where}: {note}" for note in row.notes)
