"""How well requests that training did not see find their tools: by cosine, as the router weighs views, and words.

This is for choosing among runs. What is reported comes from the router, on other sets.
"""

import numpy as np

from lexical import Lexical
from mine import embed

BEST, MEAN = 0.5, 0.5


class Holdback:
    """The held-back requests of a corpus, each asked of its own set's tools, and of those among others."""

    def __init__(self, corpus, distractors):
        """`distractors`: at most so many tools of other sets beside those of the requests' own, evenly spaced."""
        self.corpus = corpus
        self.pairs = [pair for pair in corpus.holdback if pair.relevant]
        asked = {corpus.sets[pair.relevant[0]] for pair in self.pairs}
        others = [place for place, name in enumerate(corpus.sets) if name not in asked]
        own = [place for place, name in enumerate(corpus.sets) if name in asked]
        self.tools = sorted(own + others[:: max(1, -(-len(others) // max(1, distractors)))][:distractors])

    def measure(self, encoder, embed=embed):
        """Set, or "set, among others" -> (recall@5, nDCG@10)."""
        if not self.pairs:
            return {}
        corpus = self.corpus
        requests = embed(encoder, [pair.tokens for pair in self.pairs])
        texts = [view for tool in self.tools for view in corpus.views[tool]]
        views = embed(encoder, texts).reshape(len(self.tools), len(corpus.views[0]), -1)
        sets = np.array([corpus.sets[tool] for tool in self.tools])
        places = {tool: place for place, tool in enumerate(self.tools)}
        found, lexical = {}, Lexical(corpus)
        for request, pair in zip(requests, self.pairs, strict=True):
            scores = views @ request
            scores = BEST * scores.max(1) + MEAN * scores.mean(1) + lexical.worth(pair.tokens)[self.tools]
            own, relevant = corpus.sets[pair.relevant[0]], [places[tool] for tool in pair.relevant]
            found.setdefault(own, []).append(measures(np.where(sets == own, scores, -2.0), relevant))
            found.setdefault(f"{own}, among others", []).append(measures(scores, relevant))
        return {name: tuple(float(x) for x in np.mean(rows, axis=0)) for name, rows in sorted(found.items())}


def measures(scores, relevant):
    """recall@5 and nDCG@10 of one ranking; ties go to the earlier tool."""
    ranking = np.argsort(-scores, kind="stable")[:10].tolist()
    hits = [place for place, tool in enumerate(ranking) if tool in set(relevant)]
    ideal = sum(1 / np.log2(place + 2) for place in range(min(10, len(relevant))))
    recall = sum(place < 5 for place in hits) / len(relevant)
    return recall, sum(1 / np.log2(place + 2) for place in hits) / ideal
