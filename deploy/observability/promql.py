"""What stands in a PromQL expression: the selectors in it, and their metrics. No more than that is understood, and nothing is evaluated.

Prometheus itself says whether an expression is right. This is for two questions that it does not answer: which series an expression
rests on, and whether such a series exists, of which an expression that returns nothing says little.
"""

import re

# Operators, modifiers and literals that look like metrics.
WORDS = {
    "and", "or", "unless", "bool", "offset", "atan2", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan",
    "start", "end",
}
TOKEN = re.compile(
    r"""
    (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
  | (?P<comment>\#[^\n]*)
  | (?P<window>\[[^\]]*\])
  | (?P<number>\d[\w.]*)
  | (?P<name>[A-Za-z_:][\w:]*)
  | (?P<mark>[^\s])
    """,
    re.VERBOSE,
)
# Their brackets hold labels, not expressions.
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}


class Unreadable(Exception):
    """An expression whose brackets do not match."""


def tokens(expression):
    for found in TOKEN.finditer(expression):
        if found.lastgroup != "comment":
            yield found.lastgroup, found[0]


def selectors(expression):
    """The selectors, as `name{label="value", ...}` without windows, in the order in which they stand; each once."""
    found = []
    stream = list(tokens(expression))
    place = 0
    while place < len(stream):
        kind, word = stream[place]
        place += 1
        following = stream[place][1] if place < len(stream) else ""
        if kind == "name" and word.lower() in GROUPING and following == "(":
            place = past(stream, place, "(", ")")
        # What is followed by a bracket is a function, and by `by (…)` an aggregation.
        elif kind == "name" and (word.lower() in WORDS or following == "(" or following.lower() in ("by", "without")):
            continue
        elif kind == "name" or word == "{":
            begin, name = (place, word) if kind == "name" else (place - 1, "")
            if kind == "name" and following != "{":
                selector = name
            else:
                place = past(stream, begin, "{", "}")
                inner = "".join(", " if text == "," else text for _, text in stream[begin + 1 : place - 1])
                selector = f"{name}{{{inner.removesuffix(', ')}}}"
            if selector not in found:
                found.append(selector)
    return found


def past(stream, place, opening, closing):
    """The place after the bracket that closes the one at `place`."""
    depth = 0
    for place in range(place, len(stream)):
        depth += {opening: 1, closing: -1}.get(stream[place][1], 0)
        if depth == 0:
            return place + 1
    raise Unreadable(f"{opening!r} is not closed by {closing!r}")


def metric(selector):
    """The name in a selector; of one without a name, what it says `__name__` is."""
    name = selector.partition("{")[0]
    return name or next(iter(re.findall(r'__name__=~?"([^"]*)"', selector)), "")


def labels(selector):
    """The labels that a selector asks for, by name: (operator, value)."""
    inner = selector.partition("{")[2].removesuffix("}")
    found = re.findall(r"([A-Za-z_]\w*)(=~|!~|!=|=)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", inner)
    return {name: (operator, value[1:-1]) for name, operator, value in found}


def filled(expression, variables):
    """An expression with Grafana's variables replaced: `$name`, `${name}` and `${name:format}`."""
    return re.sub(
        r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))",
        lambda found: variables.get(found[1] or found[2], found[0]),
        expression,
    )
