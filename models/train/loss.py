"""How wrong a batch is."""

import torch
from torch.nn import functional

# Cosines of this model lie between 0 and 0.9; a scale of 20 tells a difference of a tenth as odds of 1 to 7.
SCALE = 20.0
# Of asking the other way round, which request a tool is for: the same request must not be near to all.
BACKWARD = 0.3
# Of requests that no tool is for: how much any nearness above this cosine costs.
IDLE_COSINE = 0.25
IDLE = 0.3


def contrastive(queries, texts, right, unsure):
    """InfoNCE over the batch (van den Oord et al., arXiv:1807.03748). `queries` and `texts` are unit vectors, `right[q]`
    the text of request q or -1, which may not be so for all, `unsure` what is no wrong answer for it."""
    cosines = queries @ texts.T
    logits = (SCALE * cosines).masked_fill(unsure, float("-inf"))
    asking = right >= 0
    loss = functional.cross_entropy(logits[asking], right[asking])
    # Texts that are some request's own, each asked which of the requests it is for.
    owned = right[asking]
    backward = functional.cross_entropy(logits[asking][:, owned].T, torch.arange(len(owned), device=logits.device))
    loss = loss + BACKWARD * backward
    if not asking.all():
        loss = loss + IDLE * functional.relu(cosines[~asking].max(1).values - IDLE_COSINE).mean() * SCALE / 4
    return loss
