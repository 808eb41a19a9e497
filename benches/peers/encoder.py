"""The one encoder of all peers: the router's own model file on the ONNX Runtime that the router loads, one intra-op thread.

A text is run alone and unpadded, as the router does: int8 activations are scaled by what else is in the batch, so a batch would make a
tool's vector depend on its neighbours.

Vectors of *tools* are kept and shared, since several peers embed the same text; each remembers what it cost, and a peer that is handed
one is charged for it, so that build times are those of a peer on its own. Vectors of *queries* are never kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

MOST_TOKENS = 256
"""What sentence-transformers cuts this model's texts at. The router reads on, in pieces of 128."""


class Model:
    """A model directory as the router has it: mean pooling, unit length."""

    def __init__(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["pooling"] != "mean" or manifest.get("query_prefix") or manifest.get("passage_prefix"):
            raise ValueError(f"{folder}/manifest.json: only mean pooling without prefixes is known here")
        self.dimension: int = manifest["dimension"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / manifest["file"]), options, providers=["CPUExecutionProvider"])
        self._inputs = {given.name for given in self._session.get_inputs()}

    def embed(self, text: str) -> Vectors:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (hidden, *_) = self._session.run(None, {name: value for name, value in given.items() if name in self._inputs})
        pooled = hidden[0].mean(axis=0)
        unit: Vectors = (pooled / np.linalg.norm(pooled)).astype(np.float32)
        return unit


class Kept:
    """Tool texts that some peer has embedded, with what it cost in seconds."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.known: dict[str, tuple[Vectors, float]] = {}


class Encoder:
    """A peer's own hold on the model: `encoder(texts)` gives one unit vector per text."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._building = False
        self._met: set[str] = set()
        self.owed = 0.0
        """Seconds of embedding that another peer paid for."""

    @property
    def dimension(self) -> int:
        return self._kept.model.dimension

    @contextmanager
    def building(self) -> Iterator[None]:
        """What is embedded inside are tools."""
        self._building = True
        try:
            yield
        finally:
            self._building = False

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._tool(text) if self._building else self._kept.model.embed(text) for text in texts])

    def lists(self, texts: Sequence[str]) -> list[list[float]]:
        """The same as lists of floats, which most libraries ask for."""
        vectors: list[list[float]] = self(texts).tolist()
        return vectors

    def _tool(self, text: str) -> Vectors:
        known = self._kept.known.get(text)
        if known is None:
            started = time.perf_counter()
            vector = self._kept.model.embed(text)
            self._kept.known[text] = (vector, time.perf_counter() - started)
        else:
            vector, seconds = known
            if text not in self._met:
                self.owed += seconds
        self._met.add(text)
        return vector
