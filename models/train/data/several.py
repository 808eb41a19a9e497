"""Requests that need more than one tool: steps in a row, needs told together, and steps that nobody mentions.

`relevant` means that all are needed, so a text must ask for every tool it is labelled with. The exception is `hop`: who
gives a project's name where a tool wants its id needs the look-up too, though the request never says so.
"""

import re
from dataclasses import replace

from . import filled as values
from . import phrases
from . import wrap
from .kinds import plain_forms
from .product import mentions
from .roles import role_of
from .synonyms import swap_nouns
from .value_lists import EVENTS, FILES, PEOPLE, PROJECTS, TITLES
from .values import Value
from .verbs import COMPUTE, RETRIEVE, WRITE
from .words import core, jaccard, split

_THEN = ("then", "after that", "next", "once that's done", "and then", "afterwards", "when you have that")
_LAST = ("finally", "and finally", "lastly", "at the end", "to finish", "and last of all")
_GOAL = (
    "I'm trying to get a few things sorted out before the weekend.", "I've got a bit of a list today.",
    "We're getting ready for a review on Monday and there are still gaps.",
    "I'm putting something together for my team and could use a hand.",
    "There's a lot going on here and I'd like to hand some of it over.", "I'm planning ahead for next month.",
    "My manager wants an update and I have nothing to show yet.",
    "I've inherited this from a colleague and I'm still finding my way.",
    "I'm in the middle of something bigger and need a few pieces for it.",
    "I've been meaning to get to the bottom of this for a while.",
    "We have a customer waiting, and I'm missing most of what I need.", "I'm writing this up tonight.",
    "I'm doing a bit of homework on {t}.", "I've been digging into {t} and I'm honestly a bit lost.",
    "I need to make a decision about {t} soon.", "I'm responsible for {t} this quarter.",
    "Lately I've been spending a lot of time on {t}.",
)
_FIRST = (
    "First of all, {}", "To start with, {}", "{}", "For one thing, {}", "Could you begin by helping me {p}?",
    "I'd start with this: {}", "What I need first is to {p}.", "Step one would be to {p}.",
)
_MORE = (
    "On top of that, {}", "I'd also like to {p}.", "Could you also {}?", "While you're at it, {}",
    "And it would help to {p}.", "Besides that, I need to {p}.", "Then there's one more thing: {}",
    "I'm also supposed to {p}.", "It might also be good to {p}.", "Also, can you {}?", "After that I'd want to {p}.",
    "Depending on what comes out of that, I'd then like to {p}.",
)
_MORE_LOOKUP = (
    "I'd also love to know {n}.", "And I still don't have {n}.", "It'd be useful to have {n} as well.",
    "Somebody also asked for {n}.", "Oh, and {n} too, please.", "I'm also curious about {n}.",
    "Then I'd need {n} to compare against.", "What about {n}?",
)
_BETWEEN = (
    "Recent figures matter more than old ones here.",
    "I know this can be a bit messy, so don't worry about a perfect answer.", "That part is what I'm least sure about.",
    "Last time we got this wrong, and it cost us a week.", "I've only seen bits of it so far.",
    "It doesn't have to be complete, but it has to be correct.", "Nobody here could tell me.",
    "I'd like to understand how it hangs together.", "That's the bit people will ask about.",
    "I looked for it myself and gave up.", "If there's more than one, take the most relevant.",
)
_END = (
    "I'd really need something I can show to others, so please stick to what you actually find.",
    "Please don't guess; I'd rather know that something couldn't be found.",
    "Put it all together in a short answer at the end.", "If two sources disagree, tell me.",
    "I'd like to see the numbers behind it, not only a summary.", "Whatever order works for you is fine.",
    "Can you take it from here?", "Thanks a lot!", "Let me know when it's all done.",
    "I know it's a lot, take the time you need.", "A table would be nice, but isn't a must.",
    "I have to explain this to people who know it better than I do, so it has to hold up.", "", "",
)


def steps(subjects, rng):
    """ "X, then Y, and finally Z", a numbered list, or needs joined by "and"."""
    parts = [_part(subject, rng) for subject in subjects]
    if any(part is None for part in parts):
        return None
    orders = [_with_product(phrases.order(deed, rng, swapped=rng.random() < 0.25) + after, subject, subjects,
        rng) for (deed, after), subject in zip(parts, subjects, strict=True)]
    form = rng.random()
    nouns = [phrases.noun_phrase(deed.rest, rng, deed.named) + after if deed.is_lookup else None for deed,
        after in parts]
    if all(nouns) and form < 0.35:
        joined = ", ".join(nouns[:-1]) + rng.choice((" and ", ", and also ", " as well as ", " plus ")) + nouns[-1]
        return phrases.sentence(rng.choice(("I need {}", "give me {}", "show me {}", "can you get me {}", "what are {}",
            "I'm looking for {}", "please find {}", "I want {}")).format(joined), "." if rng.random() < 0.7 else "")
    if form < 0.5:
        return " ".join(phrases.sentence(f"{rng.choice(_THEN) + ', ' if at else ''}{order}") for at,
            order in enumerate(orders))
    if form < 0.6:
        return rng.choice(("", "To do: ", "Please do the following: ",
            "Steps: ")) + " ".join(f"{at}. {phrases.sentence(order, '')}" + ("" if at == len(orders) else ";") for at,
                order in enumerate(orders, 1))
    middle = "".join(f", {rng.choice(('then', 'then', 'after that'))} {order}" for order in orders[1:-1])
    last = rng.choice((" and ", " and then ", ", then ", ", and after that ",
        f", {rng.choice(_LAST)} " if len(orders) > 2 else " and "))
    lead = rng.choice(("", "", "", "please ", "can you ", "help me ", "I want to ", "I need to ", "could you "))
    text = lead + (phrases.plain(orders[0]) if lead.endswith(("to ",
        "me ")) else orders[0]) + middle + last + orders[-1]
    return phrases.sentence(text, "?" if lead in {"can you ", "could you "} else rng.choice((".", ".", "")))


def story(subjects, rng):
    """The same needs told at length, in the voice of somebody who doesn't know which tools there are."""
    parts = [_part(subject, rng, 0.4) for subject in subjects]
    if any(part is None for part in parts):
        return None
    things = [thing for thing in (wrap.topic(deed, rng) for deed, _ in parts) if thing]
    goals = [goal for goal in _GOAL if things or "{t}" not in goal]
    text = [rng.choice(goals).replace("{t}", things[0] if things else "")]
    for at, ((deed, after), subject) in enumerate(zip(parts, subjects, strict=True)):
        if rng.random() < 0.3:
            deed = replace(deed, rest=swap_nouns(deed.rest, rng))
        order = _with_product(phrases.order(deed, rng, swapped=rng.random() < 0.4) + after, subject, subjects, rng)
        if at and rng.random() < 0.2:
            form = phrases.question(deed, rng) + after
            form = form if form.endswith("?") else form + "?"
        elif at and deed.is_lookup and rng.random() < 0.5:
            form = rng.choice(_MORE_LOOKUP).replace("{n}", phrases.noun_phrase(deed.rest, rng, deed.named) + after)
        else:
            form = rng.choice(_MORE if at else _FIRST).replace("{p}", phrases.plain(order)).replace("{}", order)
        text.append(phrases.sentence(form, wrap.mark(form)))
        if rng.random() < 0.25:
            text.append(rng.choice([between for between in _BETWEEN if between not in text]))
    text.append(rng.choice(_END))
    return re.sub(r"\s+", " ", " ".join(text)).strip()


def daily(looked_up, kept, rng):
    """A person's errand over two sources: find something out, then keep it or tell somebody."""
    part = _part(looked_up, rng)
    if part is None or not part[0].is_lookup:
        return None
    deed, after = part
    found = rng.choice((phrases.order(deed, rng, swapped=True), phrases.order(deed, rng),
        "find out " + phrases.noun_phrase(deed.rest, rng, deed.named))) + after
    end = phrases.order(kept.best, rng)
    text = rng.choice((
        "{a} and {b} with it", "{a}, and {b} based on that", "help me {a}, then {b} with what you found",
        "{a}; then {b} for {who}", "I'd like to {pa} and then {pb} to go with it",
        "{a}. Once you have it, {b} with the result",
        "can you {a} and {b} so that I don't forget", "{a} and {b} named {file}",
    ))
    return phrases.sentence(text.replace("{a}", found).replace("{b}", end).replace("{pa}",
        phrases.plain(found)).replace("{pb}", phrases.plain(end)).replace("{who}", rng.choice(PEOPLE)).replace("{file}",
            rng.choice(FILES)), ".")


def hop(subject, siblings, rng):
    """(text, the tool that finds the id) for a tool that wants an id of something that people call by its name."""
    for name, schema, required in values.properties(subject.tool)[:6]:
        words, role, _ = role_of(name, schema)
        thing = words.removesuffix(" id").split()[-1] if role == "ident" and words.endswith(" id") else None
        if not required or not thing or len(thing) < 3:
            continue
        finder = _finder(subject, siblings, thing, rng)
        if finder is None:
            continue
        called = rng.choice(PEOPLE if thing in {"user", "person", "contact", "customer", "patient", "member", "player",
            "employee", "student", "artist", "author", "owner"} else
                            EVENTS if thing in {"event", "meeting"} else PROJECTS + TITLES)
        deed, after = values.fill(subject.best, [Value(f"{thing} id", "called", called)],
            rng) if thing in subject.best.rest.lower() else (subject.best, "")
        if called not in deed.rest:
            continue
        form = rng.random()
        ask = phrases.order(deed, rng, swapped=rng.random() < 0.3) if form < 0.5 else phrases.question(deed,
            rng) if form < 0.75 else phrases.wish(deed, rng)
        return phrases.sentence(_with_product(ask + after, subject, [subject], rng), wrap.mark(ask)), finder
    return None


def _finder(subject, siblings, thing, rng):
    found = []
    for other in siblings:
        terms = [word.lower() for word in split(other.tool.name).split()]
        looks = {"list", "search", "find", "lookup", "query"} & set(terms) or other.best.verb in {"list", "search",
            "search for", "find"}
        nouns = {term.removesuffix("s") for term in terms} | {phrases.head(other.best.rest).removesuffix("s")}
        own = {role_of(name, schema)[0] for name, schema, required in values.properties(other.tool) if required}
        if other.tool.id != subject.tool.id and looks and thing in nouns and f"{thing} id" not in own and len(
            core(other.tool.name)) <= 3:
            found.append(other)
    return rng.choice(found) if found else None


def partners(subject, siblings, rng, most):
    """One to three other tools of the same source, rather those about the same thing."""
    pool = [other for other in siblings if other.tool.id != subject.tool.id and other.words != subject.words]
    near = sorted(pool, key=lambda other: -jaccard(subject.words, other.words))[:8]
    chosen, seen = [], {str(subject.best)}
    for other in rng.sample(near, len(near)) if rng.random() < 0.75 else pool:
        if str(other.best) not in seen and len(chosen) < most:
            seen.add(str(other.best))
            chosen.append(other)
    chosen = [subject, *chosen]
    return sorted(chosen, key=_rank)


def _rank(subject):
    """Looking up comes before computing, and both before writing: the order in which people ask."""
    verb = subject.best.verb
    return 0 if verb.removesuffix(" for") in RETRIEVE else 1 if verb in COMPUTE else 3 if verb in WRITE else 2


def asked(subject, rng):
    """One need as an order, to be gone on from; `None` where it is too long for that."""
    part = _part(subject, rng)
    if part is None:
        return None
    deed, after = part
    return _with_product(phrases.order(deed, rng, swapped=rng.random() < 0.4) + after, subject, [subject], rng)


def _part(subject, rng, likely=0.5):
    deed, after = plain_forms(subject, rng) if rng.random() < likely else (subject.best, "")
    return None if len(deed.rest.split()) > 18 else (deed, after)


def _with_product(text, subject, subjects, rng):
    mixed = len({other.product for other in subjects}) > 1
    if subject.product and not mentions(text,
        subject.product) and (subject.needs_product or rng.random() < (0.5 if mixed or subject.is_vague else 0.15)):
        return f"{text} {rng.choice(('in', 'on', 'in'))} {subject.product}"
    return text
