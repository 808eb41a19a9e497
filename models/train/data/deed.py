"""What a tool does, as a verb and its object: the seed of every made request.

"This endpoint fetches the price of a given ticker using the RapidAPI service." becomes fetch / "the price of a ticker".
Where the description has no verb that we know, the tool's name is asked; where neither says anything, there is no deed
and no request is made.
"""

import re
from dataclasses import dataclass

from .boilerplate import BY_ID, LEADS, ONE, TAILS, VAGUE
from .document import is_english, sentences
from .verbs import BASE, GERUND, NOUNISH, RETRIEVE, THIRD
from .words import core, split

_DOERS = {"downloader": "download", "generator": "generate", "checker": "check", "converter": "convert",
    "finder": "find", "scraper": "scrape", "calculator": "calculate",
          "validator": "validate", "analyzer": "analyze", "extractor": "extract", "translator": "translate"}
_ABOUT_DOCS = re.compile(r"(?i)\b(?:for more information|click here|contact us|documentation at|learn more|"
                         r"visit (?:our|the|us|www))")
_OPENERS = frozenset(
    "have please for if when while page response offset note api enter also see there here only must should may can "
    "is are be "
                     "all-in-one sorry todo test testing asd error this it".split())
_NOT_OBJECT = frozenset(
    "if whether for to with in on from by at how what when where that up out and or of via as into about is are "
                        "through over against between using within it them".split())


@dataclass(frozen=True)
class Deed:
    """`verb` in its base form; `rest` is what follows it, in lower case except for names; `full`: with its tail."""

    verb: str
    rest: str
    full: str
    # `rest` begins with a name or a value ("task 4821"), which takes no article.
    named: bool = False

    @property
    def is_lookup(self):
        """Whether the tool answers with what its object names, so that "what is …" and "I need …" fit."""
        within = self.verb in {"search", "browse", "query", "look"} and " for " in f" {self.rest} "
        return self.verb.removesuffix(" for") in RETRIEVE and self.has_object and not within

    @property
    def has_object(self):
        """Whether `rest` begins with a thing, not with a preposition or a clause."""
        return bool(self.rest) and self.rest.split()[0].lower() not in _NOT_OBJECT

    def __str__(self):
        return f"{self.verb} {self.rest}".strip()


def deeds(tool):
    """Deeds of a tool, the best first: from the description's sentences, then from the name; at most three."""
    found = []
    for at, sentence in enumerate(sentences(tool.description)):
        if is_english(sentence):
            deed = _of_sentence(sentence, tool, first=at == 0)
            if deed:
                found.append(deed)
                break
        elif at == 0:
            break
    named = _of_name(tool, alone=not found)
    if named and all(str(named).lower() != str(deed).lower() for deed in found):
        found.append(named)
    return found


def _of_sentence(sentence, tool, first):
    text = sentence
    if _ABOUT_DOCS.search(text):
        return None
    changed = True
    while changed:
        changed = False
        for lead in LEADS:
            shorter = lead.sub("", text, count=1)
            if shorter != text and len(shorter.split()) >= 2:
                text, changed = shorter, True
                break
    if re.search(r"(?i)\buse this (?:tool|endpoint|function|api)\b", text):
        return None
    words = text.split()
    head = words[0].strip(",.:;\"'").lower()
    if head in _OPENERS or not re.match(r"[\w\"']", words[0]):
        return None
    following = words[1].lower() if len(words) > 1 else ""
    inflected = head in THIRD and head not in BASE
    if head in GERUND:
        verb, rest = GERUND[head], words[1:]
    elif inflected and not _reads_as_noun(head, THIRD[head], following):
        verb, rest = THIRD[head], words[1:]
    elif head in BASE and not _reads_as_noun(head, head, following):
        verb, rest = head, words[1:]
    elif first and _noun_led(words, sentence, text):
        verb, rest = "get", words
    else:
        return None
    if not rest or re.search(r"(?i)\b(?:parameters?|request body|query string)\b", " ".join(rest[:4])):
        return None
    rest = re.sub(r"^(?:back|out all|back with)\s+(?=\w)", "", _one_verb(" ".join(rest)))
    if inflected or text != sentence:
        rest = _second_verbs(rest)
    return _tidy(verb, rest)


def _reads_as_noun(word, verb, following):
    """ "List of boards", "Results from a search": words that are verbs elsewhere."""
    if verb not in NOUNISH:
        return False
    if verb == "search":
        return following == "of"
    return following in ({"of", "for", "from", "in", "by", "is"} if word == verb else {"of", "for", "from", "are"})


def _one_verb(rest):
    """ "Find, hire, and manage writers" keeps its first verb only: a request wants one thing done."""
    while True:
        match = re.match(r"(?i)(?:,?\s*(?:and|or|&|/)\s+|,\s*)?(?:then\s+)?(\w+)(?=,|\s)", rest)
        word = match.group(1).lower() if match else ""
        after = rest[match.end():] if match else ""
        joined = bool(match) and (match.start(1) > 0 or after.startswith(",") or re.match(r"\s+(?:and|or)\s", after))
        is_verb = word in BASE - NOUNISH or THIRD.get(word, "list") not in NOUNISH
        if not joined or not is_verb or len(after.split()) < 2:
            return rest
        rest = after.lstrip(" ,")


def _noun_led(words, sentence, text):
    """A sentence without a verb names a thing: "Information about a single event". One with a verb is about the API."""
    body = [word.strip(",.;:").lower() for word in words[1:]]
    clause = {"is", "are", "will", "can", "has", "have", "must", "should", "be", "was", "you", "we", "it", "contains",
        "returns", "gives", "this"}
    return (2 <= len(words) <= 14 and not clause & set(body) and not set(body) & BASE - NOUNISH
        and sentence[0].isalnum()
            and not words[0].lower().endswith("ing")
            and not re.search(
                r"(?i)^(api|get|post|put)\b|:|^my\b|^your\b|the best|generator|platform|coach|companion|assistant",
                text))


def _of_name(tool, alone):
    """ "figma_get_file_versions" of a Figma server gives get / "file versions"."""
    name = re.sub(r"\{[^}]*\}|:\w+", " ", tool.name)
    path = re.match(r"(?i)^\s*(get|post|put|patch|delete)\s+/", name)
    words = [word.lower() if not word.isupper() or len(word) > 4 else word for word in re.sub(r"\b([A-Za-z]) (\d)\b",
        r"\1\2", split(name)).split()]
    words = [word for word in words if not word.isdigit() and word.lower() not in {"v", "api", "endpoint", "tool",
        "controller", "mcp", "rest", "rapidapi"}]
    own = {word.lower() for word in split(tool.server or "").split()}
    while len(words) > 2 and words[0].lower() in own and words[0].lower() not in BASE:
        words = words[1:]
    if not words or not " ".join(words).isascii() or not is_english(" ".join(words)):
        return None
    head = words[0].lower()
    if path or (len(words) > 1 and head in {"web", "crm", "browser"} and words[1].lower() in BASE):
        words = words[1:]
        head = words[0].lower() if words else ""
    plain_verb = head not in NOUNISH or len(words) >= 3 or head in {"search", "list", "view", "filter", "query",
        "update", "track"}
    if head in BASE and len(words) >= 2 and plain_verb and words[1].lower() not in {"list", "by", "for", "get"}:
        told = core(" ".join(words[1:])) - {"get", "create"}
        if words[1].lower() in _NOT_OBJECT or not alone and len(told) < (2 if head in RETRIEVE else 1):
            return None
        return _tidy(head, " ".join(words[1:]))
    if len(words) == 2 and words[1].lower() in {"search", "list", "lookup", "create", "update", "delete", "get", "add"}:
        return _tidy({"list": "list", "lookup": "look up"}.get(words[1].lower(), words[1].lower()), words[0].lower())
    if len(words) in (2, 3, 4) and words[-1].lower() in _DOERS:
        return _tidy(_DOERS[words[-1].lower()], " ".join(words[:-1]))
    title = " " in tool.name.strip() or len(tool.description.split()) < 3
    if title and 2 <= len(words) <= 6 and not set(words) & BASE - NOUNISH and all(len(word) > 1 for word in words):
        return _tidy("get", " ".join(words))
    return None


def _second_verbs(rest):
    """After "Analyzes X and returns Y" became "Analyze X", the second verb has to follow."""
    def base(match):
        word = match.group(3).lower()
        if word in THIRD and word not in BASE and THIRD[word] not in NOUNISH:
            return match.group(1) + match.group(2) + THIRD[word]
        return match.group(0)
    return re.sub(r"(\b(?:and|or|then|but)|,)(\s+(?:then\s+|also\s+)?)(\w+)\b", base, rest)


def _tidy(verb, rest):
    full = _mine(VAGUE.sub(lambda m: "a " if (m.group(1) or "").lower() in ONE else f"{m.group(1)} " if m.group(1)
        else "", rest))
    short = full
    for tail in TAILS:
        cut = tail.sub("", short)
        if len(cut.split()) >= 2:
            short = cut
    short = re.sub(r"(?i)\b(from|on|in) (?:the )?(.{3,40}?)(?: rest)? apis?(?: v?\d+)?$", r"\1 \2", short)
    cut = BY_ID.sub("", short)
    short = cut if len(cut.split()) >= 1 and cut != short else short
    short, full = _ended(short), _ended(full)
    if verb in {"search", "look", "query"} and short.lower().startswith("for "):
        verb, short, full = "search for", short[4:], full[4:]
    short = re.sub(r"^(\w+) (?=\1\b)", "", short)
    verb, short = (verb, short.split(" ", 1)[-1]) if short.split(" ")[0] == verb else (verb, short)
    short, full = _article(_lower_first(short)), _article(_lower_first(full))
    short = re.sub(r"\b(an?|the) ([A-Z][a-z]+)$", lambda m: m.group(1) + " " + m.group(2).lower(), short)
    if not short or not re.search(r"[A-Za-z]{2}", short) or len(short.split()) > 40:
        return None
    return Deed(verb, short, full)


def _mine(text):
    """What is the document's "you" or "the user" is the speaker's "me"."""
    text = re.sub(r"\byou (?=(?:want|need|have|can|like|own|follow|give|specify|choose|select|might|provide|wish)\b)",
        "I ", text, flags=re.I)
    for pattern, by in ((r"\b(?:the )?(?:authenticated|current|logged[- ]in|currently logged[- ]in) user(?:'s|s')",
        "my"),
                        (r"\b(?:the )?(?:user's|users') own\b|\byour\b|\bthe user's\b", "my"), (r"\byou\b", "me"),
                        (r"\bmy's\b", "my"),
                        (r"\b(?:the )?(?:authenticated|currently logged[- ]in|logged[- ]in) user\b", "my account"),
                        (r"\byourself\b", "myself")):
        text = re.sub(pattern, by, text, flags=re.I)
    return text


def _ended(text):
    quote = text.count('"') % 2 or text.count("'") == 1
    text = re.sub(r"\s+", " ", text).strip(" .,:;-–—\"'" if quote else " .,:;-–—")
    return re.sub(r"(?:\s+(?:and|or|with|by|for|to|of|from|in|on|the|a|an|using|via|based|that|is|are|as|at))+$", "",
        text)


def _lower_first(text):
    """Lower case for the first word, and for all of a text in Title Case; acronyms and names keep theirs."""
    words = text.split()
    long = [word for word in words if len(word) > 3]
    if len(words) > 1 and len(long) > 1 and sum(word[0].isupper() for word in long) > 0.6 * len(long):
        text = " ".join(word.lower() if word[1:].islower() else word for word in words)
    head = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if head[1:].islower() and head not in {"I"} else text


def _article(text):
    """ "a API" after a word was cut out."""
    text = re.sub(
        r"\ba (?=(?:[aeioAEIO]|un[a-z]{2}|ur|us(?!er|e|a)|up|SQL|NFT|HTTP|XML|MP|SMS|SMB)\w)(?!one|eu|uni[a-z])", "an ",
        text)
    return re.sub(r"\ban (?=[bcdfgjkpqtvwyz]\w)", "a ", text)
