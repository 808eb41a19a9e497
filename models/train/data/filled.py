"""Requests with values or with slots: "show the tasks of project 4821", "… of <project_id>".

A value takes the place of the thing it names where the sentence names it ("the price of a ticker" → "the price of
TSLA"), and is added at the end where it doesn't ("… in Lisbon, between May 2 and May 9").
"""

import re
from dataclasses import replace

from .phrases import is_plural
from .roles import date_pair, role_of, sayable
from .values import Value, value_of
from .verbs import WRITE

_STOPS = r"(?=$|[,.]|\s+(?:of|for|in|on|from|to|at|by|with|and|or|within|between|during|using|over|as|near|into)\b)"
_PREPOSITIONS = ("of|for|in|on|from|about|to|at|by|with|within|into|against|over|during|around|through|per|and|between|"
                 "under|using")
_GROUPED = {"generic", "number", "amount", "ident"}
_LONG_NAMES = {"num": "number of", "n": "number of", "no": "number", "temp": "temperature", "desc": "description",
    "addr": "address", "qty": "quantity", "lat": "latitude", "lon": "longitude", "lng": "longitude",
               "long": "longitude", "min": "minimum", "max": "maximum", "avg": "average", "src": "source",
               "dest": "destination", "org": "organization", "env": "environment", "repo": "repo"}
_IN_PLACE = {"called", "number", "amount", "generic", "subject", "place", "title", "ident", "word", "user", "person",
    "thing", "repo", "year", "period", "since", "when", "about", "url", "file", "email", "on"}
_AFTER = {
    "place": (" in {}", " for {}", " in {}"), "from": (" from {}",), "to": (" to {}",), "when": (" on {}", " for {}"),
    "when_in": (" in {}", " for {}"), "at": (" at {}",), "period": (" for {}", " over {}"),
    "year": (" in {}", " for {}"), "since": (" from {}", " since {}", " starting {}"),
    "until": (" until {}", " up to {}"), "language": (" in {}",), "currency": (" in {}",),
    "about": (" about {}", " on {}", ' for "{}"'),
    "quoted": (': "{}"', " - {}", ": {}"), "named": (' called "{}"', " named {}", ' titled "{}"'),
    "thing": (" in {w} {}", " for {}", " in {}"), "repo": (" in {}", " for the {} repo"),
    "email": (" for {}", " to {}"), "user": (" for @{}", " for user {}", " for {}"),
    "person": (" for {}",), "subject": (" for {}",), "title": (' for "{}"', " for {}"), "on": (" on {}",),
    "by": (" by {}",), "with": (" with {}",), "for": (" for {}",), "url": (" for {}", " at {}", ": {}"),
    "file": (" in {}", " at {}", ": {}"), "word": (' for the word "{}"', " for '{}'"),
    "tag": (" tagged {}", " with the tag {}"), "numbers": (": {}", " for {}"), "called": (' for "{}"',),
    "limit": (", top {}", ", just {} of them", " - max {}", ", first {}"),
}
_NAMING = frozenset("rename set start open build new register edit modify change play find search".split())
_LEFT = re.compile(
    r"(?i),?\s+(?:and|over|for|within|during|in|at|around)(?:\s+(?:a|an|the))?\s+(?:time (?:period|frame|range|"
    r"interval)|period|timeframe|date range|date|range of dates|location|radius|number of days)$")
_ONCE = ("place", "when", "limit", "about", "quoted", "named", "period", "language", "currency", "year", "at", "from",
    "to", "since", "until", "url", "file", "email", "user", "numbers")


def properties(tool):
    """(name, schema, required) of a tool's parameters, the required ones first."""
    found = tool.schema.get("properties")
    found = found if isinstance(found, dict) else {}
    required = tool.schema.get("required")
    required = [name for name in required if name in found] if isinstance(required, list) else []
    return [(name, found[name], True) for name in required] + [(name, found[name],
        False) for name in found if name not in required]


def values(tool, deed, rng, most):
    """Values for up to `most` parameters: the required ones, and now and then an optional one."""
    chosen, roles = [], set()
    for name, schema, required in properties(tool)[:12]:
        if len(chosen) == most or not required and chosen and rng.random() < 0.55:
            continue
        value = value_of(name, schema, rng, f"{tool.name} {tool.description}")
        if value is not None and value.role == "named" and deed.verb not in WRITE | _NAMING:
            continue
        many = deed.is_lookup and (is_plural(deed.rest) or " list of " in f" {deed.rest}")
        if value is not None and value.role == "limit" and not many:
            continue
        if value is None or value.role in roles and value.role in _ONCE:
            continue
        roles.add(value.role)
        chosen.append(value)
    if {"since", "until"} <= roles:
        pair = dict(zip(("since", "until"), date_pair(rng)))
        chosen = [replace(value, text=pair[value.role]) if value.role in pair else value for value in chosen]
    return chosen


def slots(tool, rng, most):
    """The same, with slots for values: `<project_id>` and the other ways that people write them."""
    style = rng.choice(("<{}>", "<{}>", "<{}>", "{{{}}}", "[{}]", "${}"))
    chosen = []
    for name, schema, required in properties(tool)[:12]:
        words, role, _ = role_of(name, schema)
        told = f"{tool.description} {schema.get('description') if isinstance(schema, dict) else ''}"
        if role in {"silent", "limit"} or not sayable(words, role, told) or len(chosen) == most:
            continue
        if not required and chosen and rng.random() < 0.6:
            continue
        joined = rng.choice((words.replace(" ", "_"), words.replace(" ", "_"), words.replace(" ", "-"), words))
        joined = joined.upper().replace(" ", "_").replace("-", "_") if style.startswith("$") else joined
        chosen.append(Value(words, "generic" if role in {"unknown", "number", "quoted", "numbers", "amount"} else role,
            style.format(joined)))
    return chosen


def fill(deed, chosen, rng):
    """The deed with values in place, and what has to follow the finished request."""
    rest, after, named = deed.rest, [], deed.named
    for value in chosen:
        put = _in_place(rest, value, rng, deed) if value.role in _IN_PLACE else None
        if put:
            named = named or put.split(" ")[0].lower() != rest.split(" ")[0].lower()
            rest = put
        else:
            after.append(value)
    if len(_LEFT.sub("", rest).split()) > 1:
        rest = _LEFT.sub("", rest)
    return replace(deed, rest=rest, named=named), _after(after, deed, rng)


def _in_place(rest, value, rng, deed):
    noun = re.escape(_noun(value))
    if len(noun) < 3:
        return None
    if value.role == "period":
        noun = "(?:time )?(?:period|frame|range|interval|timeframe|duration|span)"
    start = r"^" if not deed.is_lookup or value.role in {"ident", "called"} else r"^(?!)"
    pattern = (rf"(?i)({start}|\b(?:{_PREPOSITIONS})\s+)((?:a|an|the|any|this|my|one)\s+)?((?:[a-z]+\s+)?{noun})(?:'s)?"
               rf"(?:\s+(?:name|id|symbol|code|number))?{_STOPS}")
    match = re.search(pattern, rest)
    if not match:
        return None
    thing = match.group(3).strip()
    if "'s" in match.group(0) or (not match.group(1) and thing.lower() != _noun(value) and not match.group(2)):
        return None
    text = value.text
    if value.role in _GROUPED - {"ident"}:
        if not match.group(1) or thing.endswith("s") or value.role == "generic" and not match.group(2):
            return None
        if text[0] in "<{[$":
            said = text
        else:
            said = rng.choice((f"{thing} {text}", f"the {thing} {text}",
                text)) if value.role == "generic" else f"{match.group(2) or 'a '}{thing} of {text}"
    elif value.role in {"ident", "thing", "user", "file", "url", "repo", "email"}:
        said = rng.choice((f"{thing} {text}", f"the {thing} {text}",
            f"{thing} {text}")) if value.role != "ident" else rng.choice((f"{thing} {text}",
                f"the {thing} with id {text}", f"{thing} #{text}" if text.isdigit() else f"{thing} {text}"))
    elif value.role == "called":
        said = rng.choice((f'the {thing} called "{text}"', f"the {thing} named {text}", f'the "{text}" {thing}',
            f"the {text} {thing}"))
    elif value.role == "word":
        said = rng.choice((f'the word "{text}"', f"'{text}'", f'"{text}"'))
    elif value.role == "title":
        said = rng.choice((text, f'"{text}"', f"{'the ' if thing else ''}{thing} {text}"))
    elif value.role in {"since", "when"}:
        if not re.search(r"(?i)date|day|time", thing):
            return None
        said = text
    else:
        said = text
    prefix = match.group(1)
    if value.role in {"when"} and prefix.strip().lower() in {"of", "for", "at"}:
        prefix = "for "
    return rest[: match.start()] + prefix + said + rest[match.end():]


def _noun(value):
    """The thing that a parameter names: `project` of "project id"."""
    words = value.words.split()
    while len(words) > 1 and words[-1] in {"id", "ids", "name", "names", "uuid", "slug", "key", "symbol", "code",
        "number", "url", "path", "title", "address", "identifier", "query", "uid"}:
        words.pop()
    return words[-1]


def _after(chosen, deed, rng):
    roles = {value.role for value in chosen}
    text = ""
    by_role = {value.role: value for value in chosen}
    if {"since", "until"} <= roles:
        text += rng.choice((" between {} and {}", " from {} to {}", ", {} - {}")).format(by_role["since"].text,
            by_role["until"].text)
        chosen = [value for value in chosen if value.role not in {"since", "until"}]
    if {"from", "to"} <= roles:
        text += f" from {by_role['from'].text} to {by_role['to'].text}"
        chosen = [value for value in chosen if value.role not in {"from", "to"}]
    last = [value for value in chosen if value.role in {"quoted", "numbers"}]
    grouped = [value for value in chosen if value.role in _GROUPED]
    for value in [value for value in chosen if value not in last and value not in grouped]:
        text += _alone(value, deed, rng)
    text += _together(grouped, rng)
    for value in last:
        text += _alone(value, deed, rng)
    return text


def _alone(value, deed, rng):
    form = rng.choice(_AFTER[value.role])
    if value.role == "email" and deed.verb in {"send", "share", "invite", "forward", "email"}:
        form = " to {}"
    if value.role == "user" and not value.text[0].isalnum():
        form = " for {}"
    if value.role == "about" and deed.verb in {"search for", "search", "find", "look up"}:
        form = rng.choice((" about {}", " on {}", " related to {}", ' matching "{}"'))
    if "{w}" in form and value.words.split()[-1] in value.text.lower():
        form = " in {}"
    return form.replace("{w}", _said_name(value)).replace("{}", value.text)


def _together(grouped, rng):
    """Several "name value" pairs read as one list: " with height 180 and weight 72"."""
    if not grouped:
        return ""
    style = rng.choice(("with", "with", "bracket", "comma", "equals"))
    pairs = [(_said_name(value), value.text) for value in grouped]
    if style == "bracket":
        return " (" + ", ".join(f"{name}: {text}" for name, text in pairs) + ")"
    if style == "equals" and not all(text[0].isdigit() or text[0] in "<{[$" for _, text in pairs):
        style = "comma"
    said = [f"{name} = {text}" if style == "equals" else f"{name} {text}" for name, text in pairs]
    joined = said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1]
    return (", " if style == "comma" else " with ") + joined


def _said_name(value):
    words = [_LONG_NAMES.get(word, word) for word in value.words.split()]
    return " ".join(words)
