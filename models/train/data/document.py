"""A tool's description as plain sentences: what remains when markup, argument lists and warnings to the model are gone.

Documents are written for readers of API references. What a user could have said is in one or two sentences of them.
"""

import re

from .words import fold

# Function words of languages other than English; two of them and no template of ours fits the text.
FOREIGN = frozenset(
    "der die das und von für ein eine mit auf ist nicht para uma que dos das não com por los las del una con y el le "
    "la les "
    "des est une pour dan yang untuk dari dengan adalah gera retorna lista beantwortet endpunkt daftar mengambil ve "
    "bir için "
    "il di per gli och att som en av het een van op de du un récupère renvoie nach obtener buscar consulta aus "
    "oder".split()
)
_ENGLISH = frozenset("the of a an for from to in and by with on all is are that this your get".split())
_SECTION = re.compile(
    r"(?:^|\n|\s)(?:args|arguments|param(?:eter)?s?|parameter description|returns?|outputs?|examples?|notes?|usage|"
    r"inputs?|raises|"
    r"required (?:parameter|params)s?|required arguments|use cases?|when to use|important|warning|prerequisites?|"
    r"requirements?|"
    r"response|errors?|does not|related tools?|functionality|key features|features)\s*(?::|\n|\s-\s)", re.I)
_TAGS = [
    (re.compile(r"<br\s*/?>", re.I), ". "),
    (re.compile(r"</?[a-z][^<>]{0,80}>", re.I), " "),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"https?://\S+"), " "),
    (re.compile(r"[*`#_]{2,}|[*`#]"), ""),
    (re.compile(r"&(amp|nbsp|lt|gt|quot);"), " "),
]
_LEADING = re.compile(r"^\s*(?:[\[【(][^\]】)]{0,60}[\]】)]|[A-Z]\d(?:\.\d)*:|\d+[.)]|deprecated[:.]?|"
                      r"[^\w\"'\[(【]+)\s*",
    re.I)
_END = re.compile(
    r"(?<=[.!?])\s+(?=[\"'(A-Z0-9])|(?<=[a-z]{3}\.)(?=[A-Z][a-z])|\s*\n\s*\n\s*|\s*\n\s*(?=[A-Z\"'(*•-])|\s+\|\s+|"
    r";\s+|\s+-\s+(?=[A-Z])|\.\s*\n|:\s*\n")


def plain(description):
    """The text before the first section such as "Args:", without markup; may be empty."""
    text = (description or "").strip()
    for pattern, by in _TAGS:
        text = pattern.sub(by, text)
    found = _SECTION.search(text)
    while found and found.start() < 3:
        text = text[found.end():]
        found = _SECTION.search(text)
    if found:
        text = text[: found.start()]
    return text.strip()


def sentences(description):
    """Sentences of a description, at most four, each without brackets and with its blanks put in order."""
    found = []
    for piece in _END.split(_no_abbreviations(plain(description))):
        piece = re.sub(r"\s*[(\[][^()\[\]]*[)\]]", "", piece)
        piece = re.sub(r"\s+", " ", piece.replace("\u00a6", ".")).strip()
        previous = None
        while previous != piece:
            previous, piece = piece, _LEADING.sub("", piece, count=1)
        piece = piece.strip(" .!?:;,-–—")
        if len(piece.split()) >= 2:
            found.append(piece)
        if len(found) == 4:
            break
    return found


def _no_abbreviations(text):
    """Full stops that end no sentence, hidden."""
    return re.sub(r"\b(e\.g|i\.e|etc|vs|approx|no|inc|ltd|u\.s)\.", lambda m: m.group(0).replace(".", "\u00a6"), text,
        flags=re.I)


def is_english(text):
    """Whether templates in English fit: Latin letters, and not the function words of another language."""
    letters = [c for c in text if c.isalpha()]
    if not letters or sum(ord(c) > 0x24F for c in letters) > 0.05 * len(letters):
        return False
    words = fold(text).split()
    foreign = sum(word in FOREIGN for word in words)
    if foreign and not _ENGLISH & set(words):
        return False
    return foreign < 2 or foreign < 0.12 * len(words)
