"""A deed in the forms that requests take: order, noun phrase, question, wish."""

import re

from .synonyms import SPOKEN, VERBS
from .verbs import RETRIEVE, gerund

_DETERMINED = re.compile(
    r"^(?:a|an|the|all|any|some|every|each|my|our|its|their|his|her|this|these|those|one|two|three|several|multiple|"
    r"many|"
                         r"various|more|most|other|both|only|\d\S*|[\"'<{\[$].*)\b", re.I)
MASS = frozenset(
    "information info data weather news content metadata documentation traffic music text feedback access advice "
    "research "
                  "code history support help media progress health inventory liquidity audio software equipment "
                  "tracking availability "
                  "knowledge analytics usage pricing coverage performance".split())
_HEAD_END = re.compile(
    r"\b(?:of|for|from|in|on|at|about|with|by|to|that|which|within|between|using|related|on|around|near|over|into|"
    r"under|and|or|as|via|per|based|associated|available|including|regarding|sent|given)\b|,")
_LIST_OF = re.compile(
    r"^(?:(?:the|a|an|my)\s+)?(?:(?:full|complete|comprehensive|detailed|paginated|curated|"
    r"sorted)\s+)?list of\s+(?:all\s+)?(?:the\s+)?", re.I)
_INFO = re.compile(
    r"^(?:(?:the|some|more|all|any)\s+)?(?:(?:detailed|comprehensive|complete|general|basic|full|additional|"
    r"specific)\s+)?"
                   r"(?:information|info|details?|data)\s+(?:about|on|of|for|regarding|related to)\s+", re.I)
_PLAIN_LEADS = ("detailed ", "comprehensive ", "complete ", "structured ", "paginated ", "human-readable ")


_PEOPLE = frozenset(
    "player judge president author winner scorer champion director ceo leader owner king queen actor artist coach "
    "founder inventor driver "
                    "monarch composer captain manager contributor assignee".split())


def plain(text):
    """An order in the form that fits after "to": without "me"."""
    for pattern, by in ((r"^tell me about ", "find out about "), (r"^tell me where to find ", "find "),
        (r"^tell me ", "find out "), (r"^show me ", "see "),
                        (r"^give me ", "get "), (r"^(get|find|make|bring) me ", r"\1 ")):
        text = re.sub(pattern, by, text)
    return text


def head(phrase):
    """The last word of a noun phrase before its first preposition: `prices` of "the prices of a stock"."""
    words = _HEAD_END.split(phrase, maxsplit=1)[0].split()
    return words[-1].lower().strip("\"',.") if words else ""


def is_plural(phrase):
    word = head(phrase)
    return word.endswith("s") and not word.endswith(("ss", "us", "is", "news", "analytics",
        "physics")) or word in {"people", "data", "children", "media"}


def noun_phrase(rest, rng, named=False):
    """The object as something one can need: with a determiner, and without the document's "a list of"."""
    phrase = rest
    if named:
        return phrase
    if _LIST_OF.match(phrase) and rng.random() < 0.7:
        bare = _LIST_OF.sub("", phrase)
        if len(bare.split()) >= 1:
            phrase = rng.choice(("all ", "the ", "the ", "")) + bare if not _DETERMINED.match(bare) else bare
    for lead in _PLAIN_LEADS:
        if phrase.lower().startswith(lead) and rng.random() < 0.6:
            phrase = phrase[len(lead):]
    if _DETERMINED.match(phrase):
        return phrase
    if head(phrase) in MASS or is_plural(phrase):
        return ("the " if rng.random() < 0.6 else "") + phrase
    return "the " + phrase


def topic(rest, rng):
    """What "information about X" is about, or `None`."""
    found = _INFO.sub("", rest)
    return noun_phrase(found, rng) if found != rest and found else None


def objected(deed, rng):
    """The object after a verb: as it is, with an article where one is missing in speech."""
    rest = deed.rest
    if deed.named or not deed.has_object or _DETERMINED.match(rest) or is_plural(rest) or head(
        rest) in MASS or "," in rest.split(" ")[0]:
        return rest
    if deed.verb in RETRIEVE or rng.random() < 0.7:
        return ("the " if deed.verb in RETRIEVE or rng.random() < 0.5
            else ("an " if rest[0] in "aeioAEIO" else "a ")) + rest
    return rest


def order(deed, rng, swapped=False):
    """ "get the price of a stock", in words that people use; `swapped`: with another verb of the same sense."""
    verb = deed.verb
    spoken = SPOKEN.get(verb, verb) if rng.random() < 0.75 else verb
    if swapped:
        key = verb if verb in VERBS else (spoken if spoken in VERBS else "get" if deed.is_lookup else None)
        if key and deed.has_object:
            spoken = rng.choice(VERBS[key])
    rest = objected(deed, rng)
    if spoken == "tell me" and not re.match(r"(?:the|my|a|an)\b", rest):
        spoken = "tell me about" if deed.is_lookup else "work out"
    if spoken == "tell me about":
        rest = topic(deed.rest, rng) or rest
    if spoken == "put into another language":
        spoken = "translate"
    if spoken.endswith(" me") and rest.startswith("me "):
        spoken = spoken[:-3]
    if spoken == "guess" or spoken == "put side by side":
        return f"{'estimate' if spoken == 'guess' else 'compare'} {rest}"
    return f"{spoken} {rest}".strip()


def doing(deed, rng):
    """ "getting the price of a stock"."""
    verb = SPOKEN.get(deed.verb, deed.verb).removesuffix(" me")
    first, _, more = verb.partition(" ")
    return f"{gerund(first)} {more + ' ' if more else ''}{objected(deed, rng)}".strip()


def question(deed, rng):
    """A question without its mark."""
    if deed.is_lookup and rng.random() < 0.55:
        about = topic(deed.rest, rng)
        if about and rng.random() < 0.7:
            return rng.choice(("what do we know about {}", "what can you tell me about {}", "can you tell me about {}",
                "anything on {}")).format(about)
        phrase = noun_phrase(deed.rest, rng, deed.named)
        verb = "are" if is_plural(phrase) and not phrase.startswith(("a ", "an ")) else "is"
        what = "who" if head(phrase) in _PEOPLE else "what"
        forms = [f"{what} {verb} {phrase}"] * 4 if phrase.startswith(("the ",
            "my ")) or verb == "are" else [f"can you find {phrase}"]
        forms += [f"can you show me {phrase}", f"where can I see {phrase}", f"can I get {phrase}",
            f"could you pull up {phrase}", f"can I see {phrase}"]
        if phrase.startswith("the "):
            forms += [f"could you tell me {phrase}", f"do you know {phrase}"]
        return rng.choice(forms)
    ask = order(deed, rng, swapped=rng.random() < 0.3)
    bare = plain(ask)
    return rng.choice((
        f"how do I {bare}", f"how can I {bare}", f"can you {ask}", f"can you {ask}", f"could you {ask}",
        f"is there a way to {bare}", f"would you be able to {ask}",
        f"is it possible to {bare}", f"what's the easiest way to {bare}", f"can you help me {bare}",
        f"how would I go about {doing(deed, rng)}", f"would you {ask}",
        f"could you {ask} for me" if " for " not in ask[-20:] else f"could you please {ask}",
    ))


def wish(deed, rng):
    """A need, told as a statement."""
    bare = plain(order(deed, rng, swapped=rng.random() < 0.3))
    wishes = [f"I want to {bare}", f"I'd like to {bare}", f"I need to {bare}", f"we have to {bare}",
        f"I have to {bare}", f"we need to {bare}",
              f"trying to {bare}", f"I'm trying to {bare}", f"my goal is to {bare}", f"I'm supposed to {bare}",
              f"I should {bare}", f"let's {bare}",
              f"help me {bare}", f"please help me {bare}", f"I could use some help {doing(deed, rng)}"]
    if deed.is_lookup:
        phrase = noun_phrase(deed.rest, rng, deed.named)
        wishes += [f"I need {phrase}", f"I'm looking for {phrase}", f"looking for {phrase}",
            f"I'd like to know {phrase}" if phrase.startswith("the ") else f"I'd like to see {phrase}",
                   f"I want to know {phrase}" if phrase.startswith("the ") else f"I want {phrase}",
                   f"I'm interested in {phrase}", f"I'm curious about {phrase}", f"give me {phrase}"]
        about = topic(deed.rest, rng)
        if about:
            wishes += [f"I want to learn more about {about}", f"tell me more about {about}",
                f"I'm reading up on {about}"]
    return rng.choice(wishes)


def sentence(text, mark="."):
    """First letter large, one mark at the end."""
    text = text.strip()
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else mark)
