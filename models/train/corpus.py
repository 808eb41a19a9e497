"""What is trained on: requests with the tools they need, and each tool's texts as the router embeds them.

The texts come from the router itself (`tool-router texts`), so that training and serving cannot drift apart.
"""

import json
from dataclasses import dataclass, field

import numpy as np

# Of a request, and of a tool's text, special tokens included. The router reads 128; what stands behind the first hundred
# of a description is notes on parameters, and a step takes as long as its texts do.
QUERY_TOKENS = 96
TEXT_TOKENS = 80
# Requests of a set that is left out, evenly spaced: enough to tell a point's difference.
MOST_LEFT_OUT = 400


class CorpusError(Exception):
    """Says which file and line, and what to do."""


@dataclass
class Pair:
    """One request. `relevant`, `negatives` and `also` are places of tools; those of `also` would do as well."""

    tokens: list
    relevant: list
    negatives: list
    group: str
    also: list = field(default_factory=list)


@dataclass
class Corpus:
    """Pairs over tools; `views[place]` are a tool's texts as token ids: label, first sentence, whole description.
    `copies[place]` are the places of tools that do the same as far as their texts tell: no wrong answers, whatever the
    labels say."""

    views: list = field(default_factory=list)
    ids: list = field(default_factory=list)
    sets: list = field(default_factory=list)
    copies: list = field(default_factory=list)
    pairs: list = field(default_factory=list)
    holdback: list = field(default_factory=list)
    # Places of the tools of sets that are left out of training.
    unseen: set = field(default_factory=set)

    def fitting(self, pair):
        """Places of the tools that are right for a request, copies of them and what would do as well too."""
        return {*pair.relevant, *pair.also}.union(*(self.copies[tool] for tool in pair.relevant))


def lines(path):
    """(line number, object) of a JSON Lines file."""
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError as error:
                    raise CorpusError(f"{path}:{number}: not JSON: {error.msg}") from None
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}; build_data.py and `tool-router texts` write it") from None


def read(folder, tokenizer, leave_out=()):
    """The corpus in `folder`: tools.jsonl and pairs.jsonl of build_data.py, texts.jsonl of the router.

    Nothing is learnt from the sets of `leave_out`: some of their labelled requests join those that are held back, and tell
    how well a way of training does on what it has not seen.
    """
    corpus = Corpus()
    texts = {line["id"]: line["views"] for _, line in lines(folder / "texts.jsonl")}
    copies = []
    for number, tool in lines(folder / "tools.jsonl"):
        if tool["id"] not in texts:
            raise CorpusError(f"{folder / 'tools.jsonl'}:{number}: texts.jsonl lacks {tool['id']}: write it anew")
        corpus.ids.append(tool["id"])
        corpus.sets.append(tool["set"])
        corpus.views.append([encode(tokenizer, text, TEXT_TOKENS) for text in texts[tool["id"]]])
        copies.append(tool.get("copies", []))
    places = {name: place for place, name in enumerate(corpus.ids)}
    corpus.copies = [{places[copy] for copy in of_one} for of_one in copies]
    for name in leave_out:
        if name not in corpus.sets:
            raise CorpusError(f"{folder / 'tools.jsonl'} has no set {name}: it has {', '.join(sorted(set(corpus.sets)))}")
    corpus.unseen = {place for place, name in enumerate(corpus.sets) if name in leave_out}
    left_out = {}
    for name, out in (("pairs.jsonl", corpus.pairs), ("holdback.jsonl", corpus.holdback)):
        for number, line in lines(folder / name):
            try:
                relevant, negatives, also = (
                    [places[tool] for tool in line.get(of, [])] for of in ("relevant", "negatives", "also")
                )
            except KeyError as error:
                raise CorpusError(f"{folder / name}:{number}: tools.jsonl lacks the tool {error}") from None
            tokens = encode(tokenizer, line["query"], QUERY_TOKENS)
            group = f"{line['set']}/{'labelled' if line['kind'].startswith('labelled') else 'made'}"
            pair = Pair(tokens, relevant, negatives, group, also)
            if name == "pairs.jsonl" and line["set"] in leave_out:
                if line["kind"] == "labelled":
                    left_out.setdefault(line["set"], []).append(pair)
            else:
                out.append(pair)
    for pairs in left_out.values():
        corpus.holdback.extend(pairs[:: -(-len(pairs) // MOST_LEFT_OUT)])
    if not any(pair.relevant for pair in corpus.pairs):
        raise CorpusError(f"{folder / 'pairs.jsonl'}: no request needs a tool: there is nothing to learn")
    return corpus


def encode(tokenizer, text, most):
    """Token ids, at most `most`, the last of them the end mark."""
    ids = tokenizer.encode(text).ids
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]


def padded(texts):
    """Token lists -> ids and mask [texts, longest]."""
    longest = max(len(text) for text in texts)
    ids = np.zeros((len(texts), longest), dtype=np.int64)
    mask = np.zeros((len(texts), longest), dtype=np.int64)
    for at, text in enumerate(texts):
        ids[at, : len(text)] = text
        mask[at, : len(text)] = 1
    return ids, mask
