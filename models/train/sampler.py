"""Which requests make a step's batch, with which text of which tool.

Groups (a set's labelled requests, the requests made from its tools) are drawn by the root of their size: by size one set
of sixteen thousand would be all there is, by head a set of seven hundred would be learnt by heart.
"""

from dataclasses import dataclass
from itertools import count

import numpy as np

# Requests that people or models wrote, beside those made from templates: few, and what real requests are like.
LABELLED = 2.0
# How often each view of a tool is the text to come near: label, first sentence, whole description.
VIEW_SHARES = (0.25, 0.4, 0.35)


@dataclass
class Batch:
    """Requests, texts, and which text is whose. `right[q]` is the text of request q, or -1 where it needs no tool;
    `unsure[q, t]` marks other texts that are right as well, or may be: they are no wrong answers."""

    queries: list
    texts: list
    right: np.ndarray
    unsure: np.ndarray


class Sampler:
    """Batches without end; what comes next hangs on seed and step alone, so a run can be resumed."""

    def __init__(self, corpus, size, seed, most_hard=0):
        """`most_hard`: of a request's mined and look-alike tools, those shown as wrong answers beside the batch's others."""
        self.corpus, self.size, self.seed, self.most_hard = corpus, size, seed, most_hard
        self.groups = {}
        for at, pair in enumerate(corpus.pairs):
            self.groups.setdefault(pair.group, []).append(at)
        self.names = sorted(self.groups)
        weights = np.sqrt([len(self.groups[name]) for name in self.names])
        weights *= [LABELLED if name.endswith("/labelled") else 1.0 for name in self.names]
        self.weights = weights / weights.sum()
        # Places of tools that look right for a request and are not, by request; mine.py fills it.
        self.hard = {}

    def upcoming(self, start, steps):
        """The requests that these steps will ask."""
        return sorted({at for step in range(start, start + steps) for at in self._chosen(step)})

    def batch(self, step):
        """The batch of that step."""
        corpus, random = self.corpus, np.random.default_rng([self.seed, 1, step])
        chosen = self._chosen(step)
        queries = [corpus.pairs[at] for at in chosen]
        tools, right = [], np.full(len(queries), -1)
        for q, pair in enumerate(queries):
            if pair.relevant:
                right[q] = len(tools)
                tools.append(int(random.choice(pair.relevant)))
        for at, pair in zip(chosen, queries, strict=True):
            wrong = [*self.hard.get(at, []), *pair.negatives]
            tools.extend(int(tool) for tool in random.permutation(wrong)[: self.most_hard])
        unsure = np.zeros((len(queries), len(tools)), dtype=bool)
        for q, pair in enumerate(queries):
            fitting = corpus.fitting(pair)
            unsure[q] = [tool in fitting for tool in tools]
            if 0 <= right[q]:
                unsure[q, right[q]] = False
        views = random.choice(len(VIEW_SHARES), size=len(tools), p=VIEW_SHARES)
        texts = [corpus.views[tool][view] for tool, view in zip(tools, views, strict=True)]
        return Batch([pair.tokens for pair in queries], texts, right, unsure)

    def _chosen(self, step):
        """Places of the pairs of that step, none of them twice; one of them needs a tool, or there were nothing to learn."""
        for attempt in count():
            random = np.random.default_rng([self.seed, 0, step, attempt])
            chosen = []
            for name, wanted in zip(self.names, random.multinomial(self.size, self.weights), strict=True):
                members = self.groups[name]
                chosen.extend(int(at) for at in random.choice(members, min(wanted, len(members)), replace=False))
            if any(self.corpus.pairs[at].relevant for at in chosen):
                return chosen
