"""The model as published: weights, text to tokens, and a plain forward pass to measure everything else against.

The forward pass is written in float64 from the paper's equations (Devlin et al., arXiv:1810.04805) instead of run in a
framework: it shares no code with the fused graph it judges, and its results rounded to six decimals are the same on
every processor, which the probe vectors in the manifest need.
"""

import json
import math

import numpy as np
from tokenizers import Tokenizer

LAYERS = 6
HEADS = 12
HIDDEN = 384
LAYER_NORM_EPS = 1e-12

_erf = np.vectorize(math.erf, otypes=[np.float64])


def read_safetensors(path):
    """Name -> float32 array. The format is a length, a JSON header and raw little-endian data: no library needed."""
    with open(path, "rb") as file:
        header_len = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_len))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        # The position ids are an int64 range that the graph rebuilds by itself.
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start:end], dtype="<f4").reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors):
    """The counterpart of `read_safetensors`: names in order, nothing that hangs on the clock."""
    header, start = {}, 0
    for name, tensor in sorted(tensors.items()):
        end = start + 4 * tensor.size
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in sorted(tensors.items()):
            file.write(np.ascontiguousarray(tensor, dtype="<f4").tobytes())


def load_tokenizer(path, max_tokens):
    """A tokenizer that cuts at `max_tokens` (special tokens included) and never pads: one text per run."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def mean_pool(last_hidden_state, attention_mask):
    """[tokens, 384] and [tokens] -> unit vector of 384."""
    mask = np.asarray(attention_mask, dtype=np.float64)[:, None]
    pooled = (np.asarray(last_hidden_state, dtype=np.float64) * mask).sum(axis=0) / mask.sum()
    return pooled / np.linalg.norm(pooled)


class Bert:
    """The reference forward pass of one text."""

    def __init__(self, tensors):
        self.weights = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def embed(self, tokenizer, text):
        """Unit vector of 384, float64."""
        ids = tokenizer.encode(text).ids
        return mean_pool(self.forward(ids), np.ones(len(ids)))

    def forward(self, ids):
        """Token ids of one text -> last hidden state, [tokens, 384]."""
        weights = self.weights
        state = weights["embeddings.word_embeddings.weight"][ids]
        state = state + weights["embeddings.position_embeddings.weight"][: len(ids)]
        state = state + weights["embeddings.token_type_embeddings.weight"][0]
        state = self._norm(state, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            prefix = f"encoder.layer.{layer}."
            attended = self._dense(self._attention(state, prefix), prefix + "attention.output.dense")
            state = self._norm(state + attended, prefix + "attention.output.LayerNorm")
            inner = self._dense(state, prefix + "intermediate.dense")
            inner = 0.5 * inner * (1.0 + _erf(inner / math.sqrt(2.0)))
            state = self._norm(state + self._dense(inner, prefix + "output.dense"), prefix + "output.LayerNorm")
        return state

    def _attention(self, state, prefix):
        split = (len(state), HEADS, HIDDEN // HEADS)
        query, key, value = (
            self._dense(state, f"{prefix}attention.self.{name}").reshape(split).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(HIDDEN // HEADS)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ value).transpose(1, 0, 2).reshape(len(state), HIDDEN)

    def _dense(self, state, name):
        return state @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _norm(self, state, name):
        centred = state - state.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + LAYER_NORM_EPS)
        return centred / scale * self.weights[name + ".weight"] + self.weights[name + ".bias"]
