"""Writes a cross-encoder of a few kilobytes beside this file, for the tests of the router's reranker.

It is a real one in shape: request and passage go in as one sequence of tokens, every token of the one is compared with
every token of the other, and one logit comes out. What a trained model holds in its weights stands here in two small
tables: which words mean the same, and how much a word says. So tests know what it must answer.

    score = SCALE * (weight of the request's words that the passage means too) / (weight of the request's words) - SHIFT

Usage, from the repository root (the pinned tools are those of the shipped model's recipe):
    python3 -m pip install --require-hashes --no-deps --target SITE --requirement models/build/requirements.txt
    PYTHONPATH=SITE python3 tests/data/cross-encoder/build.py
Two runs write the same bytes.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

HERE = Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# Words of a line mean the same and weigh the same.
MEANINGS = [
    (2.0, ["money", "cash", "payment", "pay"]),
    (2.0, ["refund", "return", "returns", "back"]),
    (1.0, ["customer", "client"]),
    (1.0, ["database"]),
    (1.0, ["copy", "copies", "up"]),
    (1.0, ["letter", "mail", "message"]),
    (1.0, ["send", "sends"]),
    (1.0, ["weather", "forecast"]),
    (0.5, ["today", "tomorrow"]),
]
SILENT = ["a", "give", "in", "is", "of", "the", "their", "to", "what", ":"]
SCALE, SHIFT = 8.0, 4.0
# Above a sum of no weights and below every weight: a request of unknown words gets the lowest score.
FLOOR = 0.001
MAX_TOKENS = 64
# Old enough for every runtime from 1.24 on.
OPSET, IR_VERSION = 17, 8
PROBES = [
    ("give the client their cash back", "payments refund: returns a payment to the customer"),
    ("give the client their cash back", "storage copy: copies the database of a customer"),
    ("what is the weather tomorrow", "mail send: sends a letter"),
]


def vocabulary():
    words = SPECIAL + SILENT + [word for _, group in MEANINGS for word in group]
    return {word: number for number, word in enumerate(words)}


def tables(vocab):
    """For every token what it means (its own number, or that of the first word of its line) and what it weighs."""
    meaning, weight = np.arange(len(vocab), dtype=np.int64), np.zeros(len(vocab), dtype=np.float32)
    for value, group in MEANINGS:
        for word in group:
            meaning[vocab[word]], weight[vocab[word]] = vocab[group[0]], value
    return meaning, weight


def graph(vocab):
    """int64 ids, mask and types [batch, tokens] in, `logits` [batch, 1] out."""
    meaning, weight = tables(vocab)
    constants = {
        "meaning": meaning,
        "weight": weight,
        "one": np.array(1, dtype=np.int64),
        "rows": np.array([2], dtype=np.int64),
        "columns": np.array([1], dtype=np.int64),
        "floor": np.array(FLOOR, dtype=np.float32),
        "scale": np.array(SCALE, dtype=np.float32),
        "shift": np.array(SHIFT, dtype=np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["weight", "input_ids"], ["weights"]),
        node("Gather", ["meaning", "input_ids"], ["meanings"]),
        node("Cast", ["token_type_ids"], ["of_passage"], to=TensorProto.FLOAT),
        node("Cast", ["attention_mask"], ["there"], to=TensorProto.FLOAT),
        node("Sub", ["one", "token_type_ids"], ["query_types"]),
        node("Cast", ["query_types"], ["of_query"], to=TensorProto.FLOAT),
        node("Mul", ["weights", "of_query"], ["query_weights_unmasked"]),
        node("Mul", ["query_weights_unmasked", "there"], ["query_weights"]),
        # Every token with every other: [batch, tokens, 1] = [batch, 1, tokens].
        node("Unsqueeze", ["meanings", "rows"], ["by_row"]),
        node("Unsqueeze", ["meanings", "columns"], ["by_column"]),
        node("Equal", ["by_row", "by_column"], ["same"]),
        node("Cast", ["same"], ["same_numbers"], to=TensorProto.FLOAT),
        node("Mul", ["of_passage", "there"], ["passage"]),
        node("Unsqueeze", ["passage", "columns"], ["passage_columns"]),
        node("Mul", ["same_numbers", "passage_columns"], ["pairs"]),
        node("ReduceMax", ["pairs"], ["matched"], axes=[2], keepdims=0),
        node("Mul", ["query_weights", "matched"], ["matched_weights"]),
        node("ReduceSum", ["matched_weights", "columns"], ["found"], keepdims=1),
        node("ReduceSum", ["query_weights", "columns"], ["asked_sum"], keepdims=1),
        node("Max", ["asked_sum", "floor"], ["asked"]),
        node("Div", ["found", "asked"], ["share"]),
        node("Mul", ["share", "scale"], ["scaled"]),
        node("Sub", ["scaled", "shift"], ["logits"]),
    ]
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])]
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    body = helper.make_graph(nodes, "cross-encoder", inputs, outputs, initializers)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = ""
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def tokenizer(vocab):
    """As published models have it: no cutting and padding by itself, and a template for pairs."""

    def special(token, type_id):
        return {"SpecialToken": {"id": token, "type_id": type_id}}

    def sequence(name, type_id):
        return {"Sequence": {"id": name, "type_id": type_id}}

    tokens = {token: {"id": token, "ids": [vocab[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")}
    single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)]
    added = [
        {
            "id": vocab[token],
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for token in SPECIAL
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, sequence("B", 1), special("[SEP]", 1)],
            "special_tokens": tokens,
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
    }


def reference(vocab, query, passage):
    """The formula at the top, by the words alone."""
    meaning, weight = tables(vocab)

    def ids(text):
        return [vocab.get(word, vocab["[UNK]"]) for word in text.lower().replace(":", " : ").split()]

    there = {int(meaning[token]) for token in ids(passage)}
    asked = sum(float(weight[token]) for token in ids(query))
    found = sum(float(weight[token]) for token in ids(query) if int(meaning[token]) in there)
    return SCALE * found / max(asked, FLOOR) - SHIFT


def run(query, passage):
    """What the written files give."""
    encoding = Tokenizer.from_file(str(HERE / "tokenizer.json")).encode(query, passage)
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
    columns = {
        "input_ids": encoding.ids,
        "attention_mask": encoding.attention_mask,
        "token_type_ids": encoding.type_ids,
    }
    feed = {name: np.array([column], dtype=np.int64) for name, column in columns.items()}
    return float(session.run(["logits"], feed)[0][0, 0])


def main():
    vocab = vocabulary()
    files = {
        "model.onnx": graph(vocab),
        "tokenizer.json": json.dumps(tokenizer(vocab), separators=(",", ":")).encode(),
        "config.json": b'{"pad_token_id":0}\n',
        "special_tokens_map.json": b"{}\n",
        "tokenizer_config.json": json.dumps({"model_max_length": MAX_TOKENS, "pad_token": "[PAD]"}).encode(),
    }
    for name, content in files.items():
        (HERE / name).write_bytes(content)
    probes = []
    for query, passage in PROBES:
        score = reference(vocab, query, passage)
        if abs(run(query, passage) - score) > 1e-4:
            raise SystemExit(f"the graph gives {run(query, passage)} for {query!r}, the formula {score}")
        probes.append({"query": query, "passage": passage, "score": round(score, 6)})
    manifest = {
        "format": 1,
        "kind": "cross-encoder",
        "name": "words-in-common",
        "file": "model.onnx",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "max_tokens": MAX_TOKENS,
        "license": "Apache-2.0",
        "float_model": "words-in-common (float32)",
        "probes": probes,
    }
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
