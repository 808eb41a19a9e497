"""Draws panels as SVG: lines, areas, bars of time, heat, with axes, units and legends. A plain picture of what Grafana would show, in
its colours."""

import html
import math

PALETTE = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9"]
PALETTE += ["#37872d", "#fade2a", "#3274d9", "#e0752d", "#8ab8ff", "#ca95e5"]
NAMED = {"green": "#73bf69", "yellow": "#fade2a", "orange": "#ff9830", "red": "#f2495c", "blue": "#5794f2"}
INK, FAINT = "#ccccdc", "#3a3f4b"
# Left of the picture for the numbers of its axis, below it for the times.
LEFT, BELOW, ABOVE = 62, 18, 8


def number(value, unit="none", decimals=None):
    """A number as a person writes it, with its unit."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    if unit == "percentunit":
        return f"{plain(value * 100, decimals)} %"
    if unit == "s":
        for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if abs(value) >= size or name == "µs":
                return f"{plain(value / size, decimals)} {name}" if value else "0 s"
    if unit == "bytes":
        for size, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")):
            if abs(value) >= size or name == "B":
                return f"{plain(value / size, decimals)} {name}"
    suffix = {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")
    for size, name in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            size = 1e3 if name == " k" else size
            return f"{plain(value / size, decimals)}{name}{suffix}"
    return f"{plain(value, decimals)}{suffix}"


def plain(value, decimals=None):
    if decimals is None:
        decimals = 0 if value == round(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def colour(value, thresholds):
    """The colour of the last step that the value has reached."""
    found = "green"
    for step in thresholds.get("steps", []):
        if step["value"] is None or (value is not None and not math.isnan(value) and value >= step["value"]):
            found = step["color"]
    return NAMED.get(found, found)


class Scale:
    """From values to places: `low` to `high` on `begin` to `end`, evenly or by powers."""

    def __init__(self, low, high, begin, end, log=False):
        self.log = log and low > 0
        self.low, self.high, self.begin, self.end = low, high if high > low else low + 1, begin, end

    def __call__(self, value):
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + min(max(share, -0.02), 1.02) * (self.end - self.begin)

    def ticks(self, unit="none"):
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1) if self.low <= 10.0**power <= self.high * 1.001]
        rough = (self.high - self.low) / 4
        if unit == "bytes":
            step = 2.0 ** math.ceil(math.log2(rough))
        elif unit == "s" and rough > 10:
            step = next((part for part in (15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400) if part >= rough), rough)
        else:
            size = 10 ** math.floor(math.log10(rough))
            step = next(size * part for part in (1, 2, 2.5, 5, 10) if size * part >= rough)
        first = math.ceil(self.low / step)
        return [step * i for i in range(first, first + 12) if step * i <= self.high * 1.0001]


def extent(numbers, least, most, thresholds, log):
    """The lowest and the highest value that an axis shows."""
    finite = [value for value in numbers if math.isfinite(value) and (value > 0 or not log)]
    if not finite:
        return (1e-3, 1) if log else (0, 1)
    low, high = min(finite), max(finite)
    if log:
        return 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high) + 1e-9)
    low = least if least is not None else min(low, 0)
    # A threshold that is near is worth seeing.
    near = [step["value"] for step in thresholds if step["value"] is not None and step["value"] <= 3 * high]
    return low, most if most is not None else max([high * 1.08, *near]) or 1


def frame(width, height, x, y, unit, clock):
    """The axes of a picture."""
    out = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">']
    for tick in y.ticks(unit):
        place = y(tick)
        out.append(f'<line x1="{LEFT}" y1="{place:.1f}" x2="{width}" y2="{place:.1f}" stroke="{FAINT}" stroke-width=".6"/>')
        out.append(f'<text x="{LEFT - 6}" y="{place + 3.5:.1f}" text-anchor="end">{number(tick, unit)}</text>')
    out.append(times(width, height, x, clock))
    return out


def times(width, height, x, clock):
    out = []
    for i in range(1, 5):
        moment = x.low + (x.high - x.low) * i / 5
        out.append(f'<text x="{x(moment):.1f}" y="{height - 4}" text-anchor="middle">{clock(moment)}</text>')
    return "".join(out)


def lines(series, width, height, start, end, unit, clock, least=None, most=None, thresholds=None, stack=False, log=False):
    """`series`: (name, [(time, value)]), in the order of their colours."""
    steps = (thresholds or {}).get("steps", [])
    if stack:
        series = stacked(series)
    low, high = extent([value for _, points in series for _, value in points], least, most, steps, log)
    x, y = Scale(start, end, LEFT, width - 4), Scale(low, high, height - BELOW, ABOVE, log)
    out = frame(width, height, x, y, unit, clock)
    for step in steps[1:]:
        if y.low <= step["value"] <= y.high:
            place, shade = y(step["value"]), NAMED.get(step["color"], step["color"])
            dash = f'stroke="{shade}" stroke-dasharray="6 5" stroke-width="1.2"'
            out.append(f'<line x1="{LEFT}" y1="{place:.1f}" x2="{width}" y2="{place:.1f}" {dash}/>')
    for i in reversed(range(len(series))):
        shade = PALETTE[i % len(PALETTE)]
        for run in runs(series[i][1], (end - start) / 12):
            path = " ".join(f"{x(moment):.1f},{y(value):.1f}" for moment, value in run)
            if len(run) == 1:
                moment, value = run[0]
                out.append(f'<circle cx="{x(moment):.1f}" cy="{y(value):.1f}" r="1.5" fill="{shade}"/>')
            if stack:
                foot, first, final = y(max(low, 0)), x(run[0][0]), x(run[-1][0])
                area = f"{first:.1f},{foot:.1f} {path} {final:.1f},{foot:.1f}"
                out.append(f'<polygon points="{area}" fill="{shade}" opacity=".75"/>')
            out.append(f'<polyline points="{path}" fill="none" stroke="{shade}" stroke-width="1.5"/>')
    return "".join([*out, "</svg>"])


def stacked(series):
    """Each on top of those before it."""
    total, out = {}, []
    for name, points in series:
        for moment, value in points:
            total[moment] = total.get(moment, 0) + (0 if math.isnan(value) else value)
        out.append((name, [(moment, total[moment]) for moment, _ in points]))
    return out


def runs(points, gap):
    """Pieces without a hole in them."""
    run = []
    for moment, value in points:
        if math.isnan(value) or run and moment - run[-1][0] > gap:
            if run:
                yield run
            run = []
        if not math.isnan(value):
            run.append((moment, value))
    if run:
        yield run


def spark(points, width, height, shade):
    values = [value for _, value in points if math.isfinite(value)]
    if len(values) < 2:
        return ""
    x, y = Scale(points[0][0], points[-1][0], 0, width), Scale(min(values), max(values), height - 2, 2)
    path = " ".join(f"{x(moment):.1f},{y(value):.1f}" for moment, value in points if math.isfinite(value))
    line = f'<polyline points="{path}" fill="none" stroke="{shade}" stroke-width="1.2" opacity=".7"/>'
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" preserveAspectRatio="none">{line}</svg>'


def timeline(series, width, height, start, end, clock, paint):
    """A bar for each series, in the colour that `paint` has for its value."""
    x = Scale(start, end, LEFT + 60, width - 4)
    out = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">', times(width, height, x, clock)]
    room = (height - BELOW - 4) / max(1, len(series))
    for i, (name, points) in enumerate(series):
        top, thick = 2 + i * room, min(room * 0.8, 26)
        out.append(f'<text x="{LEFT + 54}" y="{top + thick / 2 + 4:.1f}" text-anchor="end">{html.escape(name)}</text>')
        # Where it becomes another: neighbours of one colour are one bar, without seams.
        turns = [point for before, point in zip([None, *points], points, strict=False) if before is None or before[1] != point[1]]
        for (moment, value), (until, _) in zip(turns, [*turns[1:], (end, 0)], strict=True):
            span = max(0.5, x(until) - x(moment))
            out.append(f'<rect x="{x(moment):.1f}" y="{top:.1f}" width="{span:.1f}" height="{thick:.1f}" fill="{paint(value)}"/>')
    return "".join([*out, "</svg>"])


def heat(series, width, height, start, end, unit, clock):
    """`series`: (bound, [(time, count up to the bound)]): buckets of a histogram, as Prometheus has them."""
    bounds = sorted(((math.inf if name == "+Inf" else float(name), points) for name, points in series), key=lambda bucket: bucket[0])
    moments = sorted({moment for _, points in bounds for moment, _ in points})
    if not moments:
        return ""
    rows, below = [], dict.fromkeys(moments, 0.0)
    for bound, points in bounds:
        counts = dict(points)
        rows.append((bound, {moment: max(0.0, counts.get(moment, 0) - below[moment]) for moment in moments}))
        below = {moment: counts.get(moment, below[moment]) for moment in moments}
    most = max((count for _, counts in rows for count in counts.values()), default=0) or 1
    x, room = Scale(start, end, LEFT, width - 4), (height - BELOW - ABOVE) / len(rows)
    out = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">', times(width, height, x, clock)]
    wide = (width - LEFT) / max(2, len(moments))
    for i, (bound, counts) in enumerate(rows):
        top = height - BELOW - (i + 1) * room
        out.append(f'<text x="{LEFT - 6}" y="{top + room / 2 + 4:.1f}" text-anchor="end">{number(bound, unit)}</text>')
        for moment, count in counts.items():
            if count:
                place = f'x="{x(moment):.1f}" y="{top:.1f}" width="{wide:.1f}" height="{room:.1f}"'
                out.append(f'<rect {place} fill="#ff9830" opacity="{0.1 + 0.9 * count / most:.2f}"/>')
    return "".join([*out, "</svg>"])


def bar(share, shade, width, height):
    """One bar of several below each other."""
    long = max(0.0, min(1.0, share)) * width
    back = f'<rect width="{width}" height="{height}" fill="{FAINT}"/>'
    return f'<svg width="{width}" height="{height}">{back}<rect width="{long:.1f}" height="{height}" fill="{shade}"/></svg>'
