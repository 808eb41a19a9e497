"""Measures what quantisation costs and gains: cosine to the float model per text, and time per forward pass.

Texts come from files named on the command line (one text per line, or JSON lines with a `description`), so that no
benchmark text has to live in this repository.
"""

import argparse
import json
import random
import statistics
import time
from pathlib import Path

import numpy as np

from bert import Bert, load_tokenizer, read_safetensors
from check import embed, feed, session

# About 12, 32 and 128 tokens.
TIMED_TEXTS = [
    "find the cheapest flight from Oslo to Rome next Friday",
    "find the cheapest flight from Oslo to Rome next Friday, put it in my calendar, mail the booking to Anna and tell "
    "the team that I will be away until Monday",
    "summarise the discussion and open a ticket " * 20,
]


def read_texts(paths, count, seed):
    """The same number from each file, each file in a seeded shuffle."""
    texts = []
    for path in paths:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        if path.suffix == ".jsonl":
            lines = [json.loads(line).get("description") or "" for line in lines]
        lines = sorted({line for line in lines if line.strip()})
        random.Random(seed).shuffle(lines)
        texts += lines[: -(-count // len(paths))]
    return texts[:count]


def summary(values):
    ordered = sorted(values)
    low = ordered[len(ordered) // 20]
    return f"min {ordered[0]:.4f}  5th percentile {low:.4f}  mean {statistics.fmean(ordered):.4f}"


def milliseconds(models, inputs, runs=200):
    """Median per model. The models take turns, so that a noisy neighbour slows all of them alike."""
    times = [[] for _ in models]
    for _ in range(runs):
        for spent, model in zip(times, models, strict=True):
            start = time.perf_counter()
            model.run(["last_hidden_state"], inputs)
            spent.append(time.perf_counter() - start)
    return [statistics.median(spent) * 1000 for spent in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--float-graph", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="model directory")
    parser.add_argument("--beside", type=Path, help="another model directory, to be timed in turn with this one")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("texts", type=Path, nargs="+")
    args = parser.parse_args()

    limit = json.loads((args.model / "manifest.json").read_text("utf-8"))["max_tokens"]
    tokenizer = load_tokenizer(args.model / "tokenizer.json", limit)
    reference = Bert(read_safetensors(args.weights / "model.safetensors"))
    fused, int8 = session(args.float_graph), session(args.model / "model.onnx")

    texts = read_texts(args.texts, args.count, seed=1)
    lengths = [len(tokenizer.encode(text).ids) for text in texts]
    expected = [reference.embed(tokenizer, text) for text in texts]
    small = [embed(int8, tokenizer, text) for text in texts]
    print(f"{len(texts)} texts, {min(lengths)} to {max(lengths)} tokens, median {statistics.median(lengths):.0f}")
    fused_cosines = [float(a @ embed(fused, tokenizer, text)) for a, text in zip(expected, texts, strict=True)]
    print(f"fused float to reference: min {min(fused_cosines):.7f}")
    print(f"int8 to reference:        {summary([float(a @ b) for a, b in zip(expected, small, strict=True)])}")

    # What a caller feels: whether the same neighbours come first. Each text asks for its 5 nearest others.
    def nearest(vectors):
        scores = np.array(vectors) @ np.array(vectors).T
        np.fill_diagonal(scores, -np.inf)
        return np.argsort(-scores, axis=1)[:, :5]

    kept = [len(set(a) & set(b)) / 5 for a, b in zip(nearest(expected), nearest(small), strict=True)]
    print(f"int8 keeps of the 5 nearest: mean {statistics.fmean(kept):.3f}")

    others = [session(args.beside / "model.onnx")] if args.beside else []
    for text in TIMED_TEXTS:
        inputs = feed(tokenizer, text)
        float_ms, int8_ms, *other = milliseconds([fused, int8, *others], inputs)
        tokens = inputs["input_ids"].shape[1]
        beside = f", {args.beside.name} {other[0]:.2f} ms, {int8_ms / other[0]:.3f} of it" if other else ""
        print(f"{tokens:4} tokens: float {float_ms:.2f} ms, int8 {int8_ms:.2f} ms, {float_ms / int8_ms:.2f} x{beside}")


if __name__ == "__main__":
    main()
