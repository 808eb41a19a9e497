"""Wrong answers that look right: for each request, tools that the model as it is now puts near the top.

A tool that ranks above the labelled one is often right as well, since catalogues hold many tools for one job; so near
copies of the right tool are left out, and with them whatever comes nearer to the request than a share of what the right
one does (the "positive-aware" rule of NV-Retriever, Moreira et al., arXiv:2407.15831).
"""

import numpy as np
import torch

from corpus import padded

# What a wrong answer's cosine may be of the right one's. Labels of people name the one tool that was called; of requests
# that are made from a tool's own text the right answer is near by construction.
MOST_OF_RIGHT = {"labelled": 0.98, "made": 0.9}
KEPT = 8
DEPTH = 40
# First sentence: the view that says most in fewest tokens.
VIEW = 1


@torch.no_grad()
def embed(encoder, texts, tick=lambda count: None, tokens_at_once=8192):
    """Unit vectors of token lists, in their order; texts of like length run together."""
    encoder.eval()
    device = next(encoder.parameters()).device
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    out = np.zeros((len(texts), encoder.norm.normalized_shape[0]), dtype=np.float32)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and len(texts[order[end]]) * (end + 1 - start) <= tokens_at_once:
            end += 1
        ids, mask = (torch.from_numpy(array).to(device) for array in padded([texts[at] for at in order[start:end]]))
        out[order[start:end]] = encoder(ids, mask).cpu().numpy()
        tick(end - start)
        start = end
    return out


def mine(encoder, corpus, asked, tick=lambda count: None, embed=embed):
    """Hard wrong answers of the requests in these places: place of the pair -> places of tools, hardest first."""
    asked = [at for at in asked if corpus.pairs[at].relevant]
    tools = embed(encoder, [views[VIEW] for views in corpus.views], tick)
    requests = embed(encoder, [corpus.pairs[at].tokens for at in asked], tick)
    hard = {}
    for start in range(0, len(asked), 256):
        scores = requests[start : start + 256] @ tools.T
        depth = min(DEPTH, scores.shape[1] - 1)
        nearest = np.argpartition(-scores, depth, axis=1)[:, :depth]
        for row, at in enumerate(asked[start : start + 256]):
            hard[at] = _wrong(corpus, corpus.pairs[at], nearest[row], scores[row])
    return hard


def _wrong(corpus, pair, nearest, scores):
    fitting = corpus.fitting(pair)
    below = min(scores[tool] for tool in pair.relevant) * MOST_OF_RIGHT[pair.group.rsplit("/", 1)[1]]
    wrong = [int(tool) for tool in nearest if tool not in fitting and tool not in corpus.unseen and scores[tool] < below]
    return sorted(wrong, key=lambda tool: -scores[tool])[:KEPT]
