"""Makes the requests of all tools: each kind for each tool, with a generator of its own."""

import re
from collections import Counter, defaultdict

from . import several, wrap
from .deed import deeds
from .kinds import SIMPLE, Subject, plain_forms, telling
from .noise import careless, typo
from .pairs import TALK, Pair
from .product import product
from .seeds import fraction, generator
from .talk import talk
from .verbs import RETRIEVE, WRITE
from .words import core

# Sources with more tools than this get one request of each kind: their house style should not become the model's.
_LARGE = 60
# metatool describes plugins in advertisements and has real labels; only the plain kinds read well there.
_KINDS_OF = {"metatool": ("sentence", "question", "wanted")}
_UNFIT = re.compile(
    r"(?i)\b(porn\w*|nsfw|hentai|xxx|escorts?|onlyfans|adult (?:content|video|film)s?|sex(?:ual)? (?:video|content|"
    r"position)s?|hookup)\b")
# What a person keeps a finding in, or passes it on with.
_KEPT_IN = re.compile(
    r"\b(?:message|email|note|document|file|page|task|event|post|card|draft|report|reminder|spreadsheet|list|tweet|"
    r"memo|presentation|slide|diagram|chart|issue|ticket|comment|bookmark)s?\b")
# Share of requests written without capitals and full stop.
_CARELESS = 0.15
# Requests without a tool, per made request, and how many at most: enough to learn abstaining, few enough for a small
# catalogue.
_TALK_SHARE, _TALK_MOST = 0.02, 3000


# Tools among which partners of a joined request are sought.
_AROUND = 400
# A single telling word is enough when few tools bear it: "get wine info" is clear, "get company info" is not.
_RARE = 0.003


def subjects_of(tools):
    """(subjects, reason → how many tools have none)."""
    found, skipped = [], defaultdict(int)
    bearing = Counter(word for tool in tools for word in core(f"{tool.name} {tool.description[:300]}"))
    rare = max(3, _RARE * len(tools))
    for tool in tools:
        if _UNFIT.search(f"{tool.server or ''} {tool.name} {tool.description}"):
            skipped[tool.set, "adult content"] += 1
            continue
        told, name = deeds(tool), product(tool)
        clear = [deed for deed in told if len(telling(deed)) > 1
            or any(bearing[word] <= rare for word in telling(deed))]
        if clear or told and name:
            words = frozenset(core(f"{tool.name} {(clear or told)[0].rest}"))
            found.append(Subject(tool, tuple(clear or told), name, not clear, words))
        else:
            skipped[tool.set,
                "says too little to be asked for" if told else "nothing says what it does, or not in English"] += 1
    return found, skipped


def made(subjects, seed, tell, share=1.0):
    """All made pairs, in the order of the tools; of a share of them, drawn by hash, where not all are wanted."""
    siblings = defaultdict(list)
    for subject in subjects:
        siblings[subject.tool.group].append(subject)
    sets = defaultdict(list)
    for subject in subjects:
        sets[subject.tool.set].append(subject)
    writers = [subject for subject in subjects if subject.best.verb in WRITE and _KEPT_IN.search(str(subject.best))
        and len(str(subject.best).split()) <= 6]
    asked = [subject for subject in subjects if share >= 1 or fraction("made", subject.tool.id) < share]
    for number, subject in enumerate(asked):
        if number % 1000 == 0:
            tell(f"made the requests of {number} of {len(asked)} tools")
        own = list(_simple(subject, len(siblings[subject.tool.group]), seed))
        yield from own
        if subject.tool.set not in _KINDS_OF:
            yield from _slips(subject, own, seed)
        yield from _longer(subject, siblings[subject.tool.group], sets[subject.tool.set], subjects, writers, seed)


def _simple(subject, group_size, seed):
    tool = subject.tool
    for kind, (make, times) in SIMPLE.items():
        if kind not in _KINDS_OF.get(tool.set, SIMPLE):
            continue
        for time in range(1 if group_size > _LARGE and tool.server is not None or tool.set in _KINDS_OF else times):
            rng = generator(seed, tool.set, tool.id, kind, time)
            text = make(subject, rng)
            if text:
                yield Pair(careless(text, rng) if rng.random() < _CARELESS else text, (tool.id,), tool.set, kind)
    for time in range(2 if tool.set not in _KINDS_OF else 1):
        rng = generator(seed, tool.set, tool.id, "wrapped", time)
        yield Pair(wrap.wrapped(subject, rng, plain_forms), (tool.id,), tool.set, "wrapped")


def _slips(subject, own, seed):
    tool = subject.tool
    rng = generator(seed, tool.set, tool.id, "typo")
    if own:
        yield Pair(typo(rng.choice(own).query, rng), (tool.id,), tool.set, "typo")


def _longer(subject, siblings, same_set, everyone, writers, seed):
    tool = subject.tool
    rng = generator(seed, tool.set, tool.id, "several")
    pool = siblings if tool.server is not None and len(siblings) > 1 else same_set
    others = pool if rng.random() < 0.75 else everyone
    others = rng.sample(others, min(len(others), _AROUND))
    chosen = several.partners(subject, others, rng, rng.choice((1, 1, 2, 2, 3)))
    if len(chosen) > 1:
        text = several.steps(chosen, rng)
        if text:
            yield Pair(text, tuple(one.tool.id for one in chosen), tool.set, "several")
    rng = generator(seed, tool.set, tool.id, "several_long")
    if rng.random() < 0.6:
        others = pool if rng.random() < 0.8 else everyone
        chosen = several.partners(subject, rng.sample(others, min(len(others), _AROUND)), rng,
            rng.choice((1, 2, 2, 3, 3, 4)))
        text = several.story(chosen, rng) if len(chosen) > 1 else None
        if text:
            yield Pair(text, tuple(one.tool.id for one in chosen), tool.set, "several_long")
    rng = generator(seed, tool.set, tool.id, "daily")
    if subject.best.verb in RETRIEVE and writers and rng.random() < 0.25:
        kept = rng.choice(writers)
        text = several.daily(subject, kept, rng) if kept.tool.id != tool.id else None
        if text:
            yield Pair(text, (tool.id, kept.tool.id), tool.set, "several")
    rng = generator(seed, tool.set, tool.id, "hop")
    if tool.server is not None:
        hopped = several.hop(subject, siblings, rng)
        if hopped:
            text, finder = hopped
            yield Pair(text, (tool.id, finder.tool.id), tool.set, "hop")


def without_tool(seed, made_count):
    """Requests that need no tool, as many as fit the rest."""
    for number in range(min(_TALK_MOST, int(made_count * _TALK_SHARE))):
        text = talk(number, seed)
        rng = generator(seed, TALK, number, "typo")
        if rng.random() < 0.15:
            text = careless(text, rng) if rng.random() < 0.5 else typo(text, rng)
        yield Pair(text, (), TALK, "no_tool")


def around_labelled(pair, seed, conversational):
    """A labelled request once more with slips, or in a conversation, for a modest share of them."""
    rng = generator(seed, pair.set, pair.query, "labelled again")
    draw = rng.random()
    if draw < 0.12:
        return Pair(typo(pair.query, rng), pair.relevant, pair.set, "labelled_typo")
    if draw < 0.24 and not conversational and len(pair.query.split()) < 40:
        front, back = rng.choice(((1, 0), (0, 1), (1, 1)))
        return Pair(wrap.around(pair.query, None, front, back, rng), pair.relevant, pair.set, "labelled_wrapped")
    return None
