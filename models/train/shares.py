"""Embeds a batch on several threads at once, each with a share of the texts.

A batch's matrices are small: two threads inside each product take longer than one, two threads that each embed half of
the texts take half as long. Gradients are added up in the order of shares, so a run does not hang on which thread was first.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import mine
from corpus import padded

# A padded piece is as wide as its longest text, and most are short; so a share runs in pieces of like length.
PIECES = 6


class Shares:
    """`threads` of one core each."""

    def __init__(self, threads, device):
        self.threads, self.device = threads, device
        torch.set_num_threads(1)
        # The number of threads is each thread's own.
        self.pool = ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1))

    def backward(self, encoder, texts, loss_of):
        """Leaves the gradient of `loss_of(vectors [texts, 384])` in the encoder; the loss."""
        shares = dealt(texts, self.threads)
        run = [self.pool.submit(self._forward, encoder, [texts[at] for at in share]) for share in shares]
        parts = [one.result() for one in run]
        back = torch.from_numpy(np.argsort(np.concatenate(shares))).to(self.device)
        vectors = torch.cat([part.detach() for part in parts])[back].requires_grad_()
        loss = loss_of(vectors)
        loss.backward()
        wanted = torch.empty_like(vectors)
        wanted[back] = vectors.grad
        trained = encoder.trained()
        run = [
            self.pool.submit(torch.autograd.grad, part, trained, of_part)
            for part, of_part in zip(parts, wanted.split([len(part) for part in parts]), strict=True)
        ]
        gradients = [one.result() for one in run]
        for parameter, *of_shares in zip(trained, *gradients, strict=True):
            parameter.grad = sum(of_shares[1:], of_shares[0])
        return loss.item()

    def embed(self, encoder, texts, tick=lambda count: None):
        """Unit vectors [texts, 384] without gradients, in the order of `texts`."""
        shares = dealt(texts, self.threads)
        run = [self.pool.submit(mine.embed, encoder, [texts[at] for at in share], tick) for share in shares]
        out = np.zeros((len(texts), encoder.norm.normalized_shape[0]), dtype=np.float32)
        for share, one in zip(shares, run, strict=True):
            out[share] = one.result()
        return out

    def _forward(self, encoder, texts):
        """Vectors in the order of `texts`, with what their gradient needs."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        pieces = [piece for piece in np.array_split(order, PIECES) if len(piece)]
        vectors = []
        for piece in pieces:
            ids, mask = (torch.from_numpy(array).to(self.device) for array in padded([texts[at] for at in piece]))
            vectors.append(encoder(ids, mask))
        back = torch.from_numpy(np.argsort(np.concatenate(pieces)))
        return torch.cat(vectors)[back.to(self.device)]


def dealt(texts, shares):
    """Places of texts, dealt like cards by length, so that every share has as many and as long ones."""
    order = np.argsort([-len(text) for text in texts], kind="stable")
    return [order[share::shares] for share in range(min(shares, len(texts)))]
