"""The kinds of request made from one tool. Each is a small function of a `Subject` and a generator, and may say `None`.

Together they cover how the same need is put: as an order, a question, a wish, key words, with values, with slots, in
other words, and in the middle of a conversation. Conversations and slips of the pen are in `wrap.py` and `noise.py`.
"""

import re
from dataclasses import dataclass, replace

from . import filled as values
from . import phrases
from .deed import Deed
from .product import mentions
from .sets import Tool
from .synonyms import swap_nouns
from .verbs import RETRIEVE
from .words import STOP, core, split

_DULL = STOP | frozenset(
    "using via based given specific specified information details data provided various including endpoint api "
    "return returns "
                         "get gets retrieve fetch fetches retrieves tool function service services rapidapi new also "
                         "use used user".split())

_SAY_LITTLE = frozenset(
    "get create update delete information check item object value result response name id type list one run perform "
    "send "
                        "start stop query request endpoint api call collect browse load give".split())


@dataclass(frozen=True)
class Subject:
    """A tool with what is known of it: deeds, best first, and the product's name, if people name it."""

    tool: Tool
    deeds: tuple[Deed, ...]
    product: str | None
    # The deed alone says next to nothing ("get the items"): only with the product does it ask for this tool.
    needs_product: bool = False
    # What the tool is about, for finding others about the same.
    words: frozenset = frozenset()

    @property
    def best(self):
        """The deed to speak of."""
        return self.deeds[0]

    @property
    def is_vague(self):
        """Whether the best deed fits tools of many products ("create a new project")."""
        return self.needs_product or len(telling(self.best)) <= 2


def telling(deed):
    """The words of a deed that tell it from others."""
    return core(f"{deed.verb} {deed.rest}") - _SAY_LITTLE


def placed(text, subject, rng, likely=0.25):
    """The text with the product's name at the end, more often where the deed alone fits many tools."""
    name = subject.product
    if not name or mentions(text, name):
        return text
    if not subject.needs_product and rng.random() >= (0.75 if subject.is_vague else likely
        if subject.tool.set != "toolbench-stable" else likely / 2):
        return text
    return text + rng.choice((" in {}", " on {}", " in {}", " with {}", " using {}", " ({})")).format(name)


def sentence(subject, rng):
    """The description's first sentence as an order."""
    deed = subject.best
    text = phrases.order(deed if rng.random() < 0.7 else replace(deed, rest=deed.full), rng)
    if len(text.split()) > 40:
        text = phrases.order(deed, rng)
    return phrases.sentence(_polite(placed(text, subject, rng), rng), rng.choice((".", ".", "")))


def named(subject, rng):
    """The tool's name as a terse order, the way developers type: "list logstores"."""
    deed = subject.deeds[-1] if len(subject.deeds) > 1 else None
    if deed is None:
        return None
    text = f"{deed.verb} {deed.rest}" if rng.random() < 0.5 else phrases.order(deed, rng, swapped=rng.random() < 0.4)
    text = placed(text, subject, rng, likely=0.4)
    return text if rng.random() < 0.5 else phrases.sentence(text, rng.choice(("", ".")))


def question(subject, rng):
    """A question."""
    return phrases.sentence(placed(phrases.question(_some(subject, rng), rng), subject, rng), "?")


def wanted(subject, rng):
    """A need told as a statement."""
    return phrases.sentence(placed(phrases.wish(_some(subject, rng), rng), subject, rng), rng.choice((".", ".", "")))


def filled(subject, rng):
    """Any of these forms with values of the parameters."""
    deed = subject.best
    chosen = values.values(subject.tool, deed, rng, rng.choice((1, 2, 2, 3)))
    if not chosen:
        return None
    deed, after = values.fill(deed, chosen, rng)
    return _formed(deed, after, subject, rng)


def placeholder(subject, rng):
    """A developer's order with slots instead of values."""
    chosen = values.slots(subject.tool, rng, rng.choice((1, 1, 2)))
    if not chosen:
        return None
    deed = subject.deeds[-1] if rng.random() < 0.3 else subject.best
    deed, after = values.fill(deed, chosen, rng)
    if rng.random() < 0.25:
        return phrases.sentence(placed(phrases.question(deed, rng), subject, rng) + after, "?")
    text = phrases.order(deed, rng, swapped=rng.random() < 0.35) + after
    return phrases.sentence(text, "") if rng.random() < 0.8 else text


def paraphrase(subject, rng):
    """The deed in other words: another verb, other nouns, some words left out."""
    deed = _some(subject, rng)
    deed = replace(deed, rest=swap_nouns(deed.rest, rng, 0.8))
    form = rng.random()
    if form < 0.5:
        text, mark = phrases.order(deed, rng, swapped=True), rng.choice((".", ""))
    elif form < 0.75:
        text, mark = phrases.wish(deed, rng), "."
    else:
        text, mark = phrases.question(deed, rng), "?"
    changed = _shorter(text, rng)
    return phrases.sentence(placed(changed, subject, rng), mark)


def keywords(subject, rng):
    """Three to six words that say most, as typed into a search box."""
    name = [word.lower() for word in split(subject.tool.name).split()]
    told = [word.lower() for word in split(f"{subject.best.rest} {subject.best.full}").split()]
    words = list(dict.fromkeys(word for word in told + name if word not in _DULL and len(word) > 2
        and not word.isdigit()))
    if subject.best.verb not in RETRIEVE and rng.random() < 0.7:
        words.insert(0, subject.best.verb.split()[0])
    if subject.product and rng.random() < (0.7 if subject.is_vague else 0.3):
        words.insert(0, subject.product.lower())
    words = list(dict.fromkeys(words))[: rng.choice((3, 4, 4, 5, 6))]
    return " ".join(words) if len(words) >= 3 else None


def plain_forms(subject, rng):
    """One order, question or wish without values where there are none to give: the core of a longer request."""
    deed = subject.best
    chosen = values.values(subject.tool, deed, rng, 2) if rng.random() < 0.6 else []
    deed, after = values.fill(deed, chosen, rng)
    return deed, after


SIMPLE = {
    "sentence": (sentence, 1), "named": (named, 1), "question": (question, 2), "wanted": (wanted, 2),
    "filled": (filled, 2),
    "placeholder": (placeholder, 1), "paraphrase": (paraphrase, 2), "keywords": (keywords, 1),
}


def _some(subject, rng):
    """The best deed, now and then the name's."""
    return subject.deeds[-1] if len(subject.deeds) > 1 and rng.random() < 0.2 else subject.best


def _polite(text, rng):
    if rng.random() < 0.2:
        return rng.choice(("please {}", "{}, please", "{} please", "kindly {}", "hey, {}", "{}, thanks")).format(text)
    return text


def _formed(deed, after, subject, rng):
    form = rng.random()
    if form < 0.5:
        text, mark = phrases.order(deed, rng, swapped=rng.random() < 0.4), rng.choice((".", ".", ""))
    elif form < 0.75:
        text, mark = phrases.question(deed, rng), "?"
    else:
        text, mark = phrases.wish(deed, rng), rng.choice((".", ""))
    if " for me" in text[-8:] and after:
        text = text[:-7]
    text = placed(text, subject, rng, likely=0.15) + after
    return phrases.sentence(text, "" if after.startswith(":") else mark)


def _shorter(text, rng):
    """Without one or two words that carry little."""
    words = text.split()
    if len(words) < 6:
        return text
    light = [at for at,
        word in enumerate(words[1:], 1) if word.lower() in {"the", "a", "an", "specific", "current", "all", "available",
            "my", "detailed", "new", "please", "some"}]
    for at in sorted(rng.sample(light, min(len(light), rng.choice((0, 1, 1, 2)))), reverse=True):
        del words[at]
    return re.sub(r"\s+", " ", " ".join(words))
