"""Text as words: splitting identifiers, folding requests for comparison, and how alike two texts are.

The splitting is that of the router (`src/index/terms.rs`), so that a name reads here as it is embedded there.
"""

import re

STOP = frozenset(
    "a an the of to for in on and or is are was be with by from at as it this that i my me you your we our can could "
    "would "
    "will please do does how what which their its his her they them these those any all some if not no into than "
    "then so about via using regarding related".split()
)
# Words that tell tools of one job apart only by the publisher's taste: getFilmDetails and retrieveFilmInfo do the same.
SAME = {
    "info": "information", "detail": "information", "details": "information", "data": "information",
    "fetch": "get", "retrieve": "get", "return": "get", "obtain": "get", "read": "get", "show": "get", "find": "get",
    "search": "get", "query": "get", "lookup": "get", "provide": "get", "access": "get", "view": "get", "list": "get",
    "remove": "delete", "add": "create", "insert": "create", "new": "create", "make": "create", "generate": "create",
    "edit": "update", "modify": "update", "change": "update", "set": "update", "compute": "calculate",
    "determine": "calculate", "estimate": "calculate", "verify": "check", "validate": "check",
    "specific": "", "specified": "", "given": "", "particular": "", "certain": "", "provided": "", "based": "",
    "using": "",
}
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


def split(text):
    """Identifiers as words with blanks between: `getHTTPResponse_v2` becomes `get HTTP Response v 2`."""
    return " ".join(_PIECE.findall(text or ""))


def fold(text):
    """A text for equality: letters and digits only, lower case, one blank between words."""
    return " ".join(re.findall(r"\w+", (text or "").lower()))


def name_key(name):
    """A name for equality: equal for `search_contacts`, `SearchContacts` and `searchcontacts`."""
    return split(name).lower().replace(" ", "")


def tokens(text):
    """The different words of a text, for likeness."""
    return set(split(text).lower().split())


def core(text):
    """The words that say what a tool does: without stop words, plural s and the publisher's choice of synonym."""
    found = set()
    for word in split(text).lower().split():
        if word in STOP:
            continue
        word = SAME.get(word, word)
        if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
            word = word[:-1]
        word = SAME.get(word, word)
        if word:
            found.add(word)
    return found


def jaccard(one, other):
    """Share of the words of either set that both have, in [0, 1]; two empty sets are not alike."""
    return len(one & other) / len(one | other) if one and other else 0.0


def count(text):
    """Words as a reader counts them."""
    return len(text.split())
