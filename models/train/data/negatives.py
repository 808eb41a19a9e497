"""Look-alikes: tools of the same source that share words with a positive and do something else.

They are what a router confuses in practice (list and get, one board's items and another's). A near-copy would be a
false negative, so a tool that bears the same name, or describes the same thing in other words, is never taken.
"""

import math
import re
from collections import defaultdict

from .words import core, jaccard, name_key, tokens

MOST = 4
ALIKE = 0.7
# Words of more tools than this say nothing about which tools are confused.
_COMMON = 400
_KEPT = 10
# About as much as one rare word in common: siblings are what a router confuses first.
_SAME_SERVER = 6.0


class LookAlikes:
    """Finds look-alikes among `tools`; an index over the words of each set."""

    def __init__(self, tools):
        self.by_id = {tool.id: tool for tool in tools}
        self._core = {tool.id: core(f"{tool.name} {tool.description[:400]}") for tool in tools}
        self._described = {tool.id: (tokens(tool.description[:600]), core(tool.description[:600])) for tool in tools}
        self._key = {tool.id: name_key(tool.name) for tool in tools}
        self._named = {tool.id: core(tool.name) for tool in tools}
        # The name and the first line say what a tool is for; what follows shares words by chance.
        self._about = {tool.id: sorted(self._named[tool.id] | core(_first_line(tool.description))) for tool in tools}
        self._with = defaultdict(list)
        for tool in tools:
            for word in self._about[tool.id]:
                self._with[tool.set, word].append(tool.id)
        self._found = {}

    def is_copy(self, one, other):
        """Whether two tools are too alike for one to be the other's negative."""
        if self._key[one] == self._key[other]:
            return True
        (words, kernel), (words_other, kernel_other) = self._described[one], self._described[other]
        return jaccard(words, words_other) >= ALIKE or jaccard(kernel,
            kernel_other) >= ALIKE or jaccard(self._core[one], self._core[other]) >= ALIKE

    def of(self, tool_id):
        """The look-alikes of one tool, the closest first."""
        if tool_id not in self._found:
            self._found[tool_id] = self._search(tool_id)
        return self._found[tool_id]

    def sample(self, relevant, rng):
        """Up to four look-alikes of the positives, none of them a positive or a copy of one."""
        pool = []
        for tool_id in relevant:
            for other in self.of(tool_id):
                if other not in pool and other not in relevant and not (len(relevant) > 1 and any(self.is_copy(other,
                    one) for one in relevant)):
                    pool.append(other)
        pool = pool[: _KEPT]
        return [pool[at] for at in sorted(rng.sample(range(len(pool)), min(MOST, len(pool))))]

    def _search(self, tool_id):
        tool = self.by_id[tool_id]
        score, shared = defaultdict(float), defaultdict(int)
        for word in self._about[tool_id]:
            holders = self._with[tool.set, word]
            weight = math.log(1 + _COMMON / len(holders)) * (2 if word in self._named[tool_id] else 1)
            for other in holders if len(holders) <= _COMMON else ():
                score[other] += weight
                shared[other] += 1
        score.pop(tool_id, None)
        if tool.server is not None:
            for other in score:
                score[other] += _SAME_SERVER * (self.by_id[other].server == tool.server)
        score = {other: points for other, points in score.items()
                 if shared[other] > 1 or tool.server is not None and self.by_id[other].server == tool.server}
        ranked = sorted(score, key=lambda other: (-score[other], other))[: 3 * _KEPT]
        return [other for other in ranked if not self.is_copy(tool_id, other)][:_KEPT]


def _first_line(description):
    return re.split(r"[.!?]\s|\n", description.strip(), maxsplit=1)[0][:200]


def mark_copies(tools):
    """Fills `copies`: tools with the same words in name or description.

    No request without a product's name tells them apart, so a trainer must not count them as each other's negatives
    within a batch.
    """
    groups = defaultdict(list)
    for tool in tools:
        words = core(tool.description[:600])
        if len(words) >= 2:
            groups["d", frozenset(words)].append(tool)
        if len(core(tool.name)) >= 2:
            groups["n", frozenset(core(tool.name))].append(tool)
    found = defaultdict(set)
    for (sort, _), members in groups.items():
        if len(members) < 2 or len(members) > 60:
            continue
        for tool in members:
            for other in members:
                if other is not tool and (sort == "d" or jaccard(core(tool.description[:600]),
                    core(other.description[:600])) >= 0.4):
                    found[tool.id].add(other.id)
    for tool in tools:
        tool.copies = sorted(found[tool.id])
