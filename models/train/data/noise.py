"""Slips of the pen, over any other request: people type fast, on phones, and to a machine."""

import re

_NEAR = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "sqz", "s": "adw", "d": "sfe", "f": "dgr", "g": "fht",
    "h": "gjy", "j": "hku", "k": "jli", "l": "ko", "z": "xa", "x": "zcs", "c": "xvd", "v": "cbf", "b": "vng",
    "n": "bmh", "m": "nj",
}
_SHORT = {"please": "pls", "thanks": "thx", "you": "u", "are": "r", "people": "ppl", "tomorrow": "tmrw",
    "because": "cuz", "information": "info", "message": "msg", "with": "w/", "without": "w/o", "something": "smth",
    "and": "&", "about": "abt",
          "repository": "repo", "want to": "wanna", "going to": "gonna", "don't": "dont", "I'm": "im",
          "what's": "whats", "can't": "cant"}
_SAFE = re.compile(r"[<{\[$\"'@/\\_=:0-9]")


def typo(text, rng):
    """One to three slips, and often no capitals or no marks; never the same as `text`."""
    for _ in range(5):
        words = text.split(" ")
        open_words = [at for at,
            word in enumerate(words) if len(word) >= 4 and word.isalpha() and word.islower() and not _SAFE.search(word)]
        for at in rng.sample(open_words, min(len(open_words), 1 + len(words) // 12 + (rng.random() < 0.3))):
            words[at] = _slip(words[at], rng)
        changed = " ".join(words)
        if rng.random() < 0.25:
            changed = _shortened(changed, rng)
        if rng.random() < 0.55:
            changed = lower(changed)
        if rng.random() < 0.5:
            changed = re.sub(r"[.?!,]+(?=\s|$)", "", changed)
        if changed != text:
            return changed
    return text.lower()


def lower(text):
    """No capitals, except in slots, paths and other things that were copied in."""
    return " ".join(word if _SAFE.search(word.strip(".,?!'\"")) else word.lower() for word in text.split(" "))


def careless(text, rng):
    """No capitals and no full stop, without misspelling."""
    changed = lower(text)
    return re.sub(r"[.?!]+$", "", changed) if rng.random() < 0.7 else changed


def _slip(word, rng):
    at = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.3:
        return word[:at] + word[at + 1] + word[at] + word[at + 2:]
    if kind < 0.55:
        return word[:at] + word[at + 1:]
    if kind < 0.75:
        return word[:at] + word[at] + word[at:]
    near = _NEAR.get(word[at])
    return word[:at] + rng.choice(near) + word[at + 1:] if near else word[:at] + word[at + 1:]


def _shortened(text, rng):
    found = [word for word in _SHORT if re.search(rf"\b{re.escape(word)}\b", text)]
    for word in rng.sample(found, min(len(found), 2)):
        text = re.sub(rf"\b{re.escape(word)}\b", _SHORT[word], text, count=1)
    return text
