"""Trained weights -> a model directory that `serve` loads: the fused int8 graph, manifest, tokenizer files, data card.

Runs on the packages of models/build, not on torch. Prints how far the int8 model is from the float one, by cosine and by
the tools that requests find which were held back from training, and refuses below the bar that the shipped model has to
pass.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np

from bert import Bert, load_tokenizer, read_safetensors
from build import MAX_TOKENS, PUBLISHED, sha256, write_model
from check import embed, session

# That of the published weights, which goes on to hold for what is made of them.
LICENSE = Path(__file__).resolve().parent.parent / "minilm-l6-int8" / "LICENSE"
LEAST_COSINE = 0.99
# By which recall@5 may differ, on so many requests that near ties are few. The shipped model may differ by half of it; of a
# model that has learnt little more requests are on the edge.
MOST_APART, ENOUGH = 0.01, 200
TEXTS = 100
REQUESTS = 400
# Beside those that the requests need.
OTHER_TOOLS = 200


def vectors_of(directory, tensors):
    """(the int8 model's, the float64 reference's): each text -> unit vector."""
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    tokenizer = load_tokenizer(directory / "tokenizer.json", MAX_TOKENS)
    model, reference = session(directory / manifest["file"]), Bert(tensors)
    return lambda text: embed(model, tokenizer, text), lambda text: reference.embed(tokenizer, text)


def recall(vector, requests, tools):
    """recall@5 of requests (text, ids they need) among `tools`, id -> text, by cosine."""
    ids, texts = list(tools), np.array([vector(text) for text in tools.values()])
    found = []
    for text, relevant in requests:
        first = np.argsort(-(texts @ vector(text)), kind="stable")[:5]
        found.append(sum(ids[place] in relevant for place in first) / len(relevant))
    return float(np.mean(found))


def evenly(items, most):
    """At most `most` of them."""
    return items[:: max(1, -(-len(items) // most))]


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trained", type=Path, required=True, help="model.safetensors of train.py")
    parser.add_argument("--weights", type=Path, required=True, help="folder with the published tokenizer files")
    parser.add_argument("--corpus", type=Path, required=True, help="what it was trained on, for texts to compare on")
    parser.add_argument("--name", required=True, help="the model's name; vectors are stored under it")
    parser.add_argument("--float-graph", type=Path, required=True, help="where to keep the float graph (86 MB)")
    parser.add_argument("--out", type=Path, required=True, help="model directory to write")
    args = parser.parse_args()

    # Beside its place until it has passed.
    made = args.out.with_name(args.out.name + ".part")
    tensors = read_safetensors(args.trained)
    origin = {**PUBLISHED, "trained_by": "models/train", "trained_weights_sha256": sha256(args.trained)}
    float_model = f"{args.name} (float32, models/train)"
    write_model(tensors, args.weights, made, args.float_graph, name=args.name, origin=origin, float_model=float_model)

    shutil.copyfile(LICENSE, made / "LICENSE")
    shutil.copyfile(args.corpus / "card.md", made / "DATA.md")

    held, tools = lines(args.corpus / "holdback.jsonl"), lines(args.corpus / "texts.jsonl")
    int8, floats = vectors_of(made, tensors)
    compared = evenly([line["query"] for line in held], TEXTS) + evenly([line["views"][-1] for line in tools], TEXTS)
    cosines = np.array([float(int8(text) @ floats(text)) for text in compared])
    print(
        f"{args.out.name}: {len(compared)} texts, cosine to the float model: mean {cosines.mean():.4f}, "
        f"5th percentile {np.quantile(cosines, 0.05):.4f}, lowest {cosines.min():.4f}"
    )
    if cosines.mean() < LEAST_COSINE:
        raise SystemExit(f"mean cosine is {cosines.mean():.4f}, at least {LEAST_COSINE} is asked: the int8 graph is off")
    requests = evenly([(line["query"], set(line["relevant"])) for line in held if line["relevant"]], REQUESTS)
    needed = set().union(*(relevant for _, relevant in requests))
    others = evenly([tool for tool in tools if tool["id"] not in needed], OTHER_TOOLS)
    among = {tool["id"]: tool["views"][1] for tool in [*(tool for tool in tools if tool["id"] in needed), *others]}
    if requests:
        found, expected = (recall(vector, requests, among) for vector in (int8, floats))
        print(f"{args.out.name}: {len(requests)} requests that were held back, recall@5 {found:.3f}, the float model's {expected:.3f}")
        if ENOUGH <= len(requests) and MOST_APART < abs(found - expected):
            raise SystemExit(f"recall@5 is {found - expected:+.3f} off, {MOST_APART} is allowed: the int8 graph is off")
    args.out.mkdir(parents=True, exist_ok=True)
    for file in made.iterdir():
        file.replace(args.out / file.name)
    made.rmdir()


if __name__ == "__main__":
    main()
