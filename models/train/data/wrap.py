"""Conversation around a request: who asks, why, and how the answer should be.

Real requests to an agent are seldom one clean clause. The words around it must not point at any tool, or a model would
learn that "my boss" means reports; so they are drawn without regard to the tool, except for its topic.
"""

import re

from . import phrases

_HELLO = (
    "Hey, quick one.", "Hi there!", "Hello!", "Morning!", "OK, next thing.", "Alright, back to it.",
    "Quick question for you.", "Sorry to bother you again.", "Thanks for the last answer, that helped.",
    "So here's the situation.", "Let me give you some background.", "This might be a silly question.", "Hi, me again.",
    "Good afternoon.",
)
_OPEN = (
    "One more thing before I log off.", "I've been at this all morning and I'm going round in circles.",
    "Not sure if this is the right place to ask.", "My boss just walked in with another question.",
    "I'm new here, so bear with me.", "I'm on my phone, so excuse the typing.", "Long day, one last favour.",
    "I promised a colleague I'd sort this out.", "We talked about this yesterday but I never got round to it.",
    "I'm a bit stuck here.", "I have a call in twenty minutes and I'm not prepared.",
    "Someone on my team asked about this and I had no answer.", "I'm helping a friend with this.",
    "I keep putting this off.", "I'm back from holiday and catching up.",
    "I'd normally do this by hand, but there's no time today.", "We've gone back and forth on this for days.",
    "I told everybody it would be done by tonight.", "It's the last open point on my list.",
    "There's probably an obvious way to do this.", "I don't do this often, so I'm a bit rusty.",
    "The old way of doing this no longer works for us.", "I have half of it already.", "My notes on this are useless.",
    "I was asked to have this ready for tomorrow.",
)
_ABOUT = (
    "I'm working on something to do with {t}.", "I've been asked to look after {t} this week.",
    "I'm trying to get my head around {t}.", "We've had a few questions about {t} lately.",
    "I'm putting together a short note on {t}.", "It's about {t}.", "I'm preparing a few slides on {t}.",
    "There's some confusion on our side around {t}.", "I'm comparing a few options when it comes to {t}.",
    "A client got in touch about {t}.", "I don't know much about {t}.", "I want to be sure about {t} before I go on.",
)
_THANKS = (
    "Thanks!", "Thank you in advance.", "Much appreciated.", "You'd save my day.", "No rush.",
    "As soon as you can, please.", "I need it before the three o'clock call.", "Is that doable?",
    "Would that be possible?", "Sorry if that's a lot.", "Cheers.",
)
_CLOSE = (
    "Keep it short, please.", "Real figures please, no guesses.", "Let me know if anything is missing.",
    "If it doesn't work, tell me why.", "Just the result is fine.", "I don't need an explanation, only the outcome.",
    "Don't make anything up, I have to show this to people.", "Whatever you find, I need something solid to point to.",
    "And tell me where it came from.", "Does that make sense?", "I trust you to pick the best way.",
    "I've tried it myself and got nowhere.", "Please double-check it.", "A rough answer will do for now.",
    "I'd rather have it right than fast.", "If you need anything else from me, just ask.", "That's really all I need.",
    "I'm fine with whatever works.", "Other people depend on it, so please be careful.",
)
_HEDGE = (
    "I was wondering if you could {o}", "would it be at all possible to {p}", "I guess what I need is to {p}",
    "basically I just want to {p}", "what I'd really like is to {p}", "if it's not too much trouble, {o}",
    "do you think you could {o}", "I think I need to {p}", "ideally I'd {p}", "the main thing is to {p}",
    "could you maybe {o}", "what I'm after is a way to {p}", "it would be great if you could {o}",
    "I'd love it if you could {o}", "I have been told to {p}", "you're probably the right one to {o}",
    "can you take care of this: {o}", "so please {o}",
)
_LOOKUP = (
    "what I need is {n}", "I'd love to know {n}", "I have no idea where to find {n}", "somebody must have {n}",
    "all I'm missing is {n}", "I just need {n}", "it'd help to have {n}", "do we have {n} anywhere",
    "I'd feel better if I had {n} in front of me", "I can't find {n} myself", "any chance of getting {n}",
)


def wrapped(subject, rng, core):
    """One request with one to three sentences around it. `core` gives (deed, what follows it)."""
    deed, after = core(subject, rng)
    ask = asked(deed, rng) + after
    likely = 1.0 if subject.needs_product else 0.6 if subject.is_vague else 0.15
    if subject.product and rng.random() < likely and subject.product.lower() not in ask.lower():
        ask += rng.choice((" in {}", " on {}", " - we use {}", " (it's all in {})")).format(subject.product)
    front, back = rng.choice(((1, 0), (1, 0), (0, 1), (1, 1), (1, 1), (2, 1), (2, 0), (1, 2), (0, 2)))
    return around(ask, topic(deed, rng), front, back, rng)


def asked(deed, rng):
    """The request itself, hedged."""
    if deed.is_lookup and rng.random() < 0.4:
        return rng.choice(_LOOKUP).replace("{n}", phrases.noun_phrase(deed.rest, rng, deed.named))
    if rng.random() < 0.25:
        return phrases.question(deed, rng)
    if rng.random() < 0.3:
        return phrases.wish(deed, rng)
    order = phrases.order(deed, rng, swapped=rng.random() < 0.35)
    return rng.choice(_HEDGE).replace("{o}", order).replace("{p}", phrases.plain(order))


def topic(deed, rng):
    """The thing that a request is about, for the sentences around it; `None` where it is too long to be one."""
    if not deed.has_object or deed.named:
        return None
    found = phrases.topic(deed.rest, rng) or phrases.noun_phrase(deed.rest, rng)
    if re.match(r"\S+(?: \S+)?(?:,| and| or|/) ", found):
        return None
    found = re.split(r"\b(?:for|from|in|on|by|with|to|that|using|and|or|between|within|at|including|which|via|of)\b|,",
        found)[0].strip()
    found = re.sub(r"^(?:a|an|the|all|any)\s+(?=\w)", "", found)
    found = re.sub(r"\s+(?:associated|related|encoded|sent|used|given|stored|listed|along|near|nearby)$", "", found)
    if not phrases.is_plural(found) and phrases.head(found) not in phrases.MASS and not found.startswith("my "):
        found = "the " + found
    return found if 1 <= len(found.split()) <= 5 and found.lower() not in {"the", "it", "all", "me"} else None


def around(ask, thing, front, back, rng):
    """`front` sentences, the request, `back` sentences."""
    openers = [rng.choice(_HELLO + _OPEN)] if front == 1 else [rng.choice(_HELLO), rng.choice(_OPEN)][:front]
    if thing and front and rng.random() < 0.45:
        openers[-1] = rng.choice(_ABOUT).replace("{t}", thing)
    closers = [rng.choice(_THANKS + _CLOSE)] if back == 1 else [rng.choice(_CLOSE), rng.choice(_THANKS)][:back]
    middle = phrases.sentence(ask, mark(ask))
    return " ".join([*openers, middle, *closers])


def mark(ask):
    """The mark that a request ends with."""
    asks = re.match(
        r"(?i)(can|could|would (?:it|you)|what(?: is| are| do| can|'s| about)|who|where|how|do|does|is|are|may|"
        r"also, can|any chance)\b", ask)
    return "?" if asks else "."
