"""How well a request's words fit each tool: BM25, with word pieces for words.

The router adds this to a tool's nearness; so does the measure on what was held back, since a model that only learns what
shared words tell already is of no use to it.
"""

import numpy as np

# As in src/index/lexical.rs.
K1, B = 1.2, 0.75
# What the best fit by words is worth, in cosine: `fusion.lexical` of the router's built-in weights.
WEIGHT = 0.2


class Lexical:
    """Postings of all tools of a corpus: label and whole description."""

    def __init__(self, corpus):
        documents = [inner(views[0]) + inner(views[2]) for views in corpus.views]
        lengths = np.array([len(document) for document in documents], dtype=np.float32)
        norms = K1 * (1 - B + B * lengths / lengths.mean())
        held = {}
        for tool, document in enumerate(documents):
            for piece, times in zip(*np.unique(document, return_counts=True), strict=True):
                held.setdefault(int(piece), []).append((tool, times))
        self.tools, self.postings = len(documents), {}
        for piece, of_piece in held.items():
            tools, times = (np.array(column) for column in zip(*of_piece, strict=True))
            rarity = np.log(1 + (self.tools - len(tools) + 0.5) / (len(tools) + 0.5))
            self.postings[piece] = tools, (rarity * times * (K1 + 1) / (times + norms[tools])).astype(np.float32)

    def worth(self, tokens):
        """What each tool gains by the request's words, in cosine: the best of all tools WEIGHT, others their part of it."""
        scores = np.zeros(self.tools, dtype=np.float32)
        for piece in set(inner(tokens)):
            if piece in self.postings:
                tools, scores_of_piece = self.postings[piece]
                scores[tools] += scores_of_piece
        return scores * (WEIGHT / max(scores.max(initial=0.0), 1e-6))


def inner(tokens):
    """Without the marks of start and end."""
    return tokens[1:-1]
