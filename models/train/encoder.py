"""The model in torch: the published weights in, a batch of texts to unit vectors, the trained weights out.

The layers are torch's own (post-norm, erf-GELU: what BERT is), so all that is ours is the names of the tensors.
`models/build` judges the exported model by its own plain forward pass, which shares no code with this.
"""

import torch
from torch import nn

from bert import HEADS, HIDDEN, LAYER_NORM_EPS, LAYERS

INNER = 4 * HIDDEN
# None: a run sees each request about once, so there is little to learn by heart, and drawing masks took a sixth of a step.
DROPOUT = 0.0


class Encoder(nn.Module):
    """Token ids of a batch -> unit vectors [texts, 384].

    Word and position vectors stay as published. A few ten thousand requests touch a small part of the vocabulary, and
    words that training never meets (other languages, rare names) must not be left behind by those that it does.
    """

    def __init__(self, tensors):
        super().__init__()
        self.published = dict(tensors)
        self.words = self._table("word")
        self.positions = self._table("position")
        # Only the first kind of text is used: requests and tools are embedded alike.
        self.kinds = self._table("token_type")
        self.norm = nn.LayerNorm(HIDDEN, eps=LAYER_NORM_EPS)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                HIDDEN, HEADS, INNER, DROPOUT, activation="gelu", layer_norm_eps=LAYER_NORM_EPS, batch_first=True
            )
            for _ in range(LAYERS)
        )
        with torch.no_grad():
            for names, parameter in self.named():
                parameter.copy_(torch.cat([self._published(name) for name in names]))

    def forward(self, ids, mask):
        """`ids` and `mask` [texts, tokens]; a mask of 1 is a token, 0 is padding."""
        state = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.kinds.weight[0]
        state = self.norm(state)
        padding = mask == 0
        for layer in self.layers:
            state = layer(state, src_key_padding_mask=padding)
        weight = mask.unsqueeze(-1).to(state.dtype)
        return nn.functional.normalize((state * weight).sum(1) / weight.sum(1), dim=1)

    def trained(self):
        """What an optimiser moves."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def tensors(self):
        """The weights under their published names, float32 arrays."""
        out = dict(self.published)
        for names, parameter in self.named():
            for name, part in zip(names, parameter.detach().cpu().float().chunk(len(names)), strict=True):
                out[name] = part.numpy().copy()
        return out

    def named(self):
        """(published names, the parameter that holds them one after the other) of all that is trained."""
        yield from _both("embeddings.LayerNorm", self.norm)
        for at, layer in enumerate(self.layers):
            prefix = f"encoder.layer.{at}."
            attention = [prefix + f"attention.self.{name}." for name in ("query", "key", "value")]
            yield [name + "weight" for name in attention], layer.self_attn.in_proj_weight
            yield [name + "bias" for name in attention], layer.self_attn.in_proj_bias
            yield from _both(prefix + "attention.output.dense", layer.self_attn.out_proj)
            yield from _both(prefix + "attention.output.LayerNorm", layer.norm1)
            yield from _both(prefix + "intermediate.dense", layer.linear1)
            yield from _both(prefix + "output.dense", layer.linear2)
            yield from _both(prefix + "output.LayerNorm", layer.norm2)

    def _table(self, name):
        return nn.Embedding.from_pretrained(self._published(f"embeddings.{name}_embeddings.weight"), freeze=True)

    def _published(self, name):
        return torch.from_numpy(self.published[name].copy())


def _both(name, module):
    yield [name + ".weight"], module.weight
    yield [name + ".bias"], module.bias
