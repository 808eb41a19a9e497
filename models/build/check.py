"""Verifies a model directory as loading does, and one thing more: that a text's vector ignores its neighbours.

Hashes, probe vectors (cosine at least 0.98), dimension, and the order and company in which texts are embedded.
`--runtime FILE` is for a second look with the library that `fetch_runtime.sh` installed: its bytes must be those that
this Python package runs, otherwise the figures say nothing about the router.
"""

import argparse
import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from bert import load_tokenizer, mean_pool

MIN_COSINE = 0.98
# Long enough to be cut at any sensible limit.
LONG_TEXT = "list the open orders of a customer, " * 200


def session(path):
    """One intra-op thread, as in the router."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feed(tokenizer, text):
    ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def embed(model, tokenizer, text):
    """Unit vector of one text in a run of its own: in a batch, dynamic quantisation would mix the texts' ranges."""
    inputs = feed(tokenizer, text)
    return mean_pool(model.run(["last_hidden_state"], inputs)[0][0], inputs["attention_mask"][0])


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(directory, runtime=None):
    """Yields (what, ok, detail)."""
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    yield "format", manifest["format"] == 1, str(manifest["format"])
    for name, expected in manifest["files"].items():
        yield f"sha256 of {name}", sha256(directory / name) == expected, expected[:12]

    if runtime is not None:
        own = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
        yield f"same runtime, {onnxruntime.__version__}", sha256(runtime) == sha256(own), runtime.name

    tokenizer = load_tokenizer(directory / "tokenizer.json", manifest["max_tokens"])
    model = session(directory / manifest["file"])
    vectors = []
    for probe in manifest["probes"]:
        expected = np.array(probe["vector"])
        unit = math.isclose(np.linalg.norm(expected), 1.0, abs_tol=1e-4)
        yield "probe vector", unit and len(expected) == manifest["dimension"], f"{len(expected)} numbers, unit length"
        vectors.append(embed(model, tokenizer, manifest["passage_prefix"] + probe["text"]))
        cosine = float(vectors[-1] @ expected)
        tokens = len(tokenizer.encode(probe["text"]).ids)
        yield f"probe of {tokens} tokens", cosine >= MIN_COSINE, f"cosine {cosine:.4f}"

    tokens = feed(tokenizer, LONG_TEXT)["input_ids"].shape[1]
    yield "long text is cut", tokens == manifest["max_tokens"], f"{tokens} tokens"
    embed(model, tokenizer, LONG_TEXT)
    fresh = session(directory / manifest["file"])
    again = [embed(fresh, tokenizer, probe["text"]) for probe in reversed(manifest["probes"])][::-1]
    same = all(np.array_equal(one, other) for one, other in zip(vectors, again, strict=True))
    yield "vectors independent of neighbours", same, "other order, other session, after a long text: equal bits"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--runtime", type=Path, help="libonnxruntime.so that must equal the package's own")
    args = parser.parse_args()
    failed = 0
    for what, ok, detail in check(args.directory, args.runtime):
        failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {what}: {detail}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
