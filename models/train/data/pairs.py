"""One training pair, and the book that takes pairs in: lengths, caps, no text twice, no text of an evaluation set."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .words import count, fold

# Words that a request has; the long kinds are conversations.
SHORT = (3, 60)
LONG = (3, 150)
LONG_KINDS = frozenset({"wrapped", "several", "several_long", "labelled", "labelled_typo", "labelled_wrapped", "typo", "implied"})
TALK = "talk"
IMPLIED = "implied"
# Pairs of one tool and one kind, as the only positive; a kind makes fewer, so this is a stop against mistakes in kinds.
MOST_PER_KIND = 4
# Labelled requests of one tool: the sets with most would else teach their own habits.
MOST_LABELLED = 60
# Of those for which a need is taken for granted, which few tools are for.
_MANY = ("labelled", "implied")


@dataclass
class Pair:
    """A request and the tools that it needs, all of them."""

    query: str
    relevant: tuple[str, ...]
    set: str
    kind: str
    negatives: list[str] = field(default_factory=list)
    # Tools that would do in place of a relevant one: no wrong answers.
    also: list[str] = field(default_factory=list)

    def line(self):
        """As it is written."""
        line = {"query": self.query, "relevant": list(self.relevant), "set": self.set, "kind": self.kind,
            "negatives": self.negatives}
        return line | {"also": self.also} if self.also else line


class Book:
    """Takes pairs in; counts those that it refuses, by kind and reason."""

    def __init__(self, leaks, held_back):
        self.pairs, self.refused = [], Counter()
        self._leaks = leaks
        self._held_back = {fold(pair.query) for pair in held_back}
        self._texts, self._per_tool = {}, defaultdict(int)

    def take(self, pair):
        """Whether the pair came in."""
        why = self._why_not(pair)
        if why:
            self.refused[pair.kind, why] += 1
            return False
        self._texts[fold(pair.query)] = pair.relevant
        for tool_id in pair.relevant:
            self._per_tool[tool_id, pair.kind] += 1
        self.pairs.append(pair)
        return True

    def _why_not(self, pair):
        low, high = LONG if pair.kind in LONG_KINDS else SHORT
        key = fold(pair.query)
        # A greeting may be shorter, and whoever labelled a request knew why it is so short.
        if not key or not pair.kind.startswith(("no_tool",
            "labelled")) and count(pair.query) < low or count(pair.query) > (200 if pair.kind.startswith("labelled")
                else high):
            return "too short or too long"
        if self._leaks.has_text(pair.query):
            return "text of an evaluation request"
        if key in self._held_back:
            return "text of a held-back request"
        if key in self._texts:
            return "text of another pair"
        most = MOST_LABELLED if pair.kind.startswith(_MANY) else MOST_PER_KIND
        if len(pair.relevant) == 1 and self._per_tool[pair.relevant[0], pair.kind] >= most:
            return "cap per tool and kind"
        return None


def thin(pairs, share):
    """Every 1/share-th pair of each set and kind, so that a small run has the mixture of a large one."""
    if share >= 1:
        return pairs
    seen, kept = Counter(), []
    for pair in pairs:
        at = seen[pair.set, pair.kind]
        seen[pair.set, pair.kind] += 1
        if int((at + 1) * share + 0.5) > int(at * share + 0.5):
            kept.append(pair)
    return kept
