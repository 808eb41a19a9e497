"""The float graph, written directly in ONNX Runtime's fused operators.

Exporting from a framework and fusing afterwards gives the same graph only while the optimiser recognises the pattern,
and pulls in the framework. The fused form matters twice: fewer passes over memory, and the quantiser then sees one
Attention with its three projections instead of a dozen small operators, which is where most of the int8 gain is.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bert import HEADS, HIDDEN, LAYER_NORM_EPS, LAYERS

FUSED = "com.microsoft"
# Old enough for every runtime from 1.24 on, new enough for the quantiser's per-channel operators (13).
OPSET = 17
IR_VERSION = 8


def float_graph(tensors):
    """Published weights -> ONNX model: int64 ids, mask and types in, `last_hidden_state` [batch, tokens, 384] out."""
    nodes, initializers = [], []

    def constant(name, array):
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    def weight(name):
        return constant(name, tensors[name])

    def dense_weight(name, matrix):
        # Published as [out, in]; MatMul and Attention want [in, out], and per-channel scales run over `out`.
        return constant(name, matrix.T)

    def fused(op, inputs, outputs, **attributes):
        nodes.append(helper.make_node(op, inputs, outputs, name=f"{op}:{outputs[0]}", domain=FUSED, **attributes))
        return outputs[0]

    def matmul(state, name):
        output = name + ":out"
        matrix = dense_weight(name + ".weight", tensors[name + ".weight"])
        nodes.append(helper.make_node("MatMul", [state, matrix], [output], name=name))
        return output

    def skip_norm(state, skip, norm, bias, output):
        inputs = [state, skip, weight(norm + ".weight"), weight(norm + ".bias"), weight(bias)]
        return fused("SkipLayerNormalization", inputs, [output], epsilon=LAYER_NORM_EPS)

    # The runtime and fastembed speak int64, the fused operators int32.
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        nodes.append(helper.make_node("Cast", [name], [name + "_32"], name="Cast:" + name, to=TensorProto.INT32))

    embeddings = [
        weight(f"embeddings.{table}_embeddings.weight") for table in ("word", "position", "token_type")
    ]
    norm = [weight("embeddings.LayerNorm.weight"), weight("embeddings.LayerNorm.bias")]
    state = fused(
        "EmbedLayerNormalization",
        ["input_ids_32", "token_type_ids_32", *embeddings, *norm],
        # The operator insists on a second output, the number of mask entries per text. Attention is given the mask
        # itself instead, which assumes nothing about where the padding stands.
        ["embedded", "unused_mask_index"],
        epsilon=LAYER_NORM_EPS,
    )

    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        projections = [f"{prefix}attention.self.{name}" for name in ("query", "key", "value")]
        matrix = dense_weight(
            prefix + "attention.qkv.weight", np.concatenate([tensors[name + ".weight"] for name in projections])
        )
        bias = constant(
            prefix + "attention.qkv.bias", np.concatenate([tensors[name + ".bias"] for name in projections])
        )
        attended = fused(
            "Attention", [state, matrix, bias, "attention_mask_32"], [prefix + "attention"], num_heads=HEADS
        )
        attended = matmul(attended, prefix + "attention.output.dense")
        state = skip_norm(
            attended,
            state,
            prefix + "attention.output.LayerNorm",
            prefix + "attention.output.dense.bias",
            prefix + "attended",
        )
        inner = matmul(state, prefix + "intermediate.dense")
        inner = fused("BiasGelu", [inner, weight(prefix + "intermediate.dense.bias")], [prefix + "gelu"])
        inner = matmul(inner, prefix + "output.dense")
        last = layer == LAYERS - 1
        state = skip_norm(
            inner,
            state,
            prefix + "output.LayerNorm",
            prefix + "output.dense.bias",
            "last_hidden_state" if last else prefix + "state",
        )

    shape = ["batch", "tokens"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, HIDDEN])
    return helper.make_model(
        helper.make_graph(nodes, "minilm-l6", inputs, [output], initializers),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)],
        ir_version=IR_VERSION,
        producer_name="tool-router models/build",
    )


def save(model, path):
    """Deterministic bytes: the quantiser's map-typed metadata is sorted by the serialiser."""
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def load(path):
    """The counterpart of `save`."""
    return onnx.load(path)
