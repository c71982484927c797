"""BERT with a relevance head, named as Hugging Face names it, so that its ONNX export looks alike.

Weights are read from the ONNX export of an encoder; `forward` follows the original computation,
`score` computes the same logits for training with the last layer reduced to [CLS].
"""

import inspect
import os
import zipfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

FUSED = hasattr(F, "scaled_dot_product_attention")  # not in PyTorch 1


class Embeddings(nn.Module):
    def __init__(self, vocabulary, positions, hidden):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, hidden)
        self.position_embeddings = nn.Embedding(positions, hidden)
        self.token_type_embeddings = nn.Embedding(2, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)
        self.register_buffer("position_ids", torch.arange(positions).unsqueeze(0), persistent=False)

    def forward(self, input_ids, token_type_ids):
        positions = self.position_ids[:, : input_ids.shape[1]]
        words = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.LayerNorm(words + self.position_embeddings(positions))


class SelfAttention(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads, self.width = heads, hidden // heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)

    def _split(self, states):
        return states.view(states.shape[0], -1, self.heads, self.width).transpose(1, 2)

    def forward(self, readers, states, mask):
        queries = self._split(self.query(readers))
        keys = self._split(self.key(states))
        values = self._split(self.value(states))
        if FUSED and not torch.onnx.is_in_onnx_export():
            context = F.scaled_dot_product_attention(queries, keys, values, mask.to(queries.dtype))
        else:
            scores = torch.matmul(queries, keys.transpose(-1, -2)) / self.width**0.5
            context = torch.matmul(torch.softmax(scores + mask, dim=-1), values)
        context = context.transpose(1, 2).contiguous()
        return context.view(context.shape[0], -1, self.heads * self.width)


class Output(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.dense = nn.Linear(width, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, states, residual):
        return self.LayerNorm(self.dense(states) + residual)


class Attention(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.self = SelfAttention(hidden, heads)
        self.output = Output(hidden, hidden)

    def forward(self, readers, states, mask):
        return self.output(self.self(readers, states, mask), readers)


class Intermediate(nn.Module):
    def __init__(self, hidden, width):
        super().__init__()
        self.dense = nn.Linear(hidden, width)
        self.intermediate_act_fn = nn.GELU()

    def forward(self, states):
        return self.intermediate_act_fn(self.dense(states))


class Layer(nn.Module):
    def __init__(self, hidden, heads, width):
        super().__init__()
        self.attention = Attention(hidden, heads)
        self.intermediate = Intermediate(hidden, width)
        self.output = Output(width, hidden)

    def forward(self, readers, states, mask):
        attended = self.attention(readers, states, mask)
        return self.output(self.intermediate(attended), attended)


class Encoder(nn.Module):
    def __init__(self, layers, hidden, heads, width):
        super().__init__()
        self.layer = nn.ModuleList(Layer(hidden, heads, width) for _ in range(layers))

    def forward(self, states, mask):
        for layer in self.layer:
            states = layer(states, states, mask)
        return states


class Pooler(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)
        self.activation = nn.Tanh()

    def forward(self, states):
        return self.activation(self.dense(states[:, 0]))


class Bert(nn.Module):
    def __init__(self, vocabulary, positions, layers, hidden, heads, width):
        super().__init__()
        self.embeddings = Embeddings(vocabulary, positions, hidden)
        self.encoder = Encoder(layers, hidden, heads, width)
        self.pooler = Pooler(hidden)

    @staticmethod
    def mask(attention_mask):
        """0 where a token is, -10,000 where padding is: safe in half precision too."""
        return (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * -10000.0

    def states(self, input_ids, attention_mask, token_type_ids):
        """Last hidden states, [batch, tokens, hidden]."""
        embedded = self.embeddings(input_ids, token_type_ids)
        return self.encoder(embedded, self.mask(attention_mask))

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.pooler(self.states(input_ids, attention_mask, token_type_ids))


class CrossEncoder(nn.Module):
    """BertForSequenceClassification with one label."""

    def __init__(self, vocabulary, positions, layers, hidden, heads, width):
        super().__init__()
        self.config = dict(
            vocabulary=vocabulary,
            positions=positions,
            layers=layers,
            hidden=hidden,
            heads=heads,
            width=width,
        )
        self.bert = Bert(vocabulary, positions, layers, hidden, heads, width)
        self.classifier = nn.Linear(hidden, 1)
        for dense in (self.bert.pooler.dense, self.classifier):
            nn.init.normal_(dense.weight, std=0.02)
            nn.init.zeros_(dense.bias)

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.classifier(self.bert(input_ids, attention_mask, token_type_ids))

    def score(self, input_ids, attention_mask, token_type_ids, frozen_layers=0):
        """Logits, [batch]. The first layers can be kept out of the gradient."""
        bert = self.bert
        mask = bert.mask(attention_mask)
        states = bert.embeddings(input_ids, token_type_ids)
        for number, layer in enumerate(bert.encoder.layer[:-1]):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= frozen_layers):
                states = layer(states, states, mask)
        states = bert.encoder.layer[-1](states[:, :1], states, mask)
        return self.classifier(bert.pooler(states)).squeeze(-1)


def backbone(jar, positions=512):
    """A cross-encoder with a new head, and the tokenizer.json, from a jar that holds an encoder."""
    with zipfile.ZipFile(jar) as archive:
        names = archive.namelist()
        graph_name = next(name for name in names if name.endswith(".onnx"))
        tokenizer_name = next(name for name in names if name.endswith("tokenizer.json"))
        graph = onnx.load_model_from_string(archive.read(graph_name)).graph
        tokenizer = archive.read(tokenizer_name).decode()
    weights = _weights(graph)
    table = "embeddings.position_embeddings.weight"
    weights[table] = weights[table][:positions]
    vocabulary, hidden = weights["embeddings.word_embeddings.weight"].shape
    layers = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("encoder.layer."))
    model = CrossEncoder(
        vocabulary=vocabulary,
        positions=weights[table].shape[0],
        layers=layers,
        hidden=hidden,
        heads=12,  # of all MiniLM-size encoders; a graph does not tell
        width=weights["encoder.layer.0.intermediate.dense.bias"].shape[0],
    )
    missing, unexpected = model.bert.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.startswith("pooler.") for name in missing), missing
    return model, tokenizer


def restore(model, path):
    """Takes over all weights of an ONNX file that `train.py` wrote, float or in our int8, or of the
    .npz that `pack.py` made of one, but the embeddings, which training leaves as they are."""
    missing, unexpected = model.load_state_dict(trained(path), strict=False)
    kept = [name for name in model.state_dict() if ".embeddings." in name]
    assert not unexpected and sorted(missing) == sorted(kept), (missing, unexpected)


def trained(path):
    """Weights by their PyTorch names, without those of the embeddings."""
    if path.endswith(".npz"):
        return {name: torch.tensor(array.astype("f4")) for name, array in np.load(path).items()}
    weights = _weights(onnx.load(path).graph)
    return {name: tensor for name, tensor in weights.items() if ".embeddings." not in name}


def export(model, inputs, path, input_names, output_names, axes):
    """Writes ONNX whose nodes are named as those of a Hugging Face export."""
    older = dict(dynamo=False) if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        model.eval().cpu(),
        inputs,
        path + ".tmp",
        input_names=input_names,
        output_names=output_names,
        dynamic_axes=axes,
        opset_version=14,
        **older,
    )
    os.replace(path + ".tmp", path)


def _weights(graph):
    """Weights by their PyTorch names: a graph keeps those of all but the dense matrices."""
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    weights = {
        name: torch.tensor(tensor.copy())
        for name, tensor in tensors.items()
        if name.startswith(("embeddings.", "encoder.", "bert.", "classifier."))
        and not name.endswith("position_ids")
        and "/int8" not in name
    }
    for node in graph.node:
        if node.op_type in ("MatMul", "MatMulInteger") and node.input[1] in tensors:
            name = node.name.strip("/").split("/MatMul")[0].replace("/", ".") + ".weight"
            matrix = tensors[node.input[1]]
            if node.op_type == "MatMulInteger":
                matrix = matrix * tensors[node.input[1] + "/scale"]
            weights[name] = torch.tensor(matrix.T.copy())
    return weights
