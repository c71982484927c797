"""Writes what soft_terms.py trained: the encoder as ONNX, and the terms as a contextual model file.

The terms' file names the encoder by its SHA-256, so it is written last:

  export_soft_terms.py --run RUN --weights RUN/weights-N.pt ... --encoder OUT
  sbm25 model quantize OUT OUT-int8
  export_soft_terms.py --run RUN --weights RUN/weights-N.pt ... --terms OUT-int8
"""

import argparse
import datetime
import hashlib
import os
import struct
import zlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import bert
import data
import soft_terms

NAME = "semanticbm25-contextual-l6-v2"
CODEC, VERSION = "ContextualModel", 2
CODEC_MAGIC = 0x3FD76C17  # of Lucene's CodecUtil, as are header and footer below
FILE = "terms.contextual"
LITERAL = 0.5  # weight of BM25 beside, which training does not know


class Encoder(nn.Module):
    """What an index needs: unit vectors and gates of a passage's tokens."""

    def __init__(self, model):
        super().__init__()
        self.bert, self.passage, self.gate = model.bert, model.passage, model.gate

    def forward(self, input_ids, attention_mask):
        states = self.bert.states(input_ids, attention_mask, torch.zeros_like(input_ids))
        vectors = F.normalize(self.passage(states), dim=-1)
        return vectors, F.softplus(self.gate(states)).squeeze(-1)


def write_encoder(model, tokenizer, folder):
    os.makedirs(folder, exist_ok=True)
    ones = torch.ones((2, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "vectors", "gates"]
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in names}
    path = os.path.join(folder, "model.onnx")
    bert.export(Encoder(model), (ones, ones), path, names[:2], names[2:], axes)
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as out:
        out.write(tokenizer)


def vint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(string):
    encoded = string.encode()
    return vint(len(encoded)) + encoded


def floats(numbers):
    return np.asarray(numbers, dtype="<f4").tobytes()


def quantized(vectors):
    """A byte a component; the largest is 127."""
    return np.round(vectors / np.abs(vectors).max(1, keepdims=True) * 127).astype(np.int8)


@torch.no_grad()
def content(model, vocabulary, encoder):
    """The file between header and footer, as Java's ContextualModel writes it.

    Weights are relative to those of terms that are not in the file, which count 1.
    """
    with open(encoder, "rb") as graph:
        sha256 = hashlib.sha256(graph.read()).hexdigest()
    numbers = vocabulary.storable
    vectors, weights = (some.numpy() for some in model.terms(torch.from_numpy(numbers)))
    others = np.setdiff1d(np.arange(len(vocabulary.terms)), numbers)
    weights = weights / model.terms(torch.from_numpy(others))[1].mean().item()
    s = {name: float(value) for name, value in model.scalars.items()}
    created = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = [text(string) for string in (NAME, sha256, "soft_terms.py", created)] + [vint(0)]
    b, cut = min(max(s["b"], 0.0), 1.0), max(s["cut"], 0.0)
    scale = float(F.softplus(torch.tensor(s["scale"])))
    parts.append(floats([soft_terms.K1, b, s["threshold"], scale, cut, LITERAL]))
    parts.append(vint(len(numbers)))
    parts += [text(vocabulary.words[i][0][0]) for i in numbers]
    parts += [floats(weights), floats(vocabulary.idf[numbers])]
    parts += [vint(vectors.shape[1]), quantized(vectors).tobytes()]
    return b"".join(parts)


def write_terms(body, path):
    header = struct.pack(">i", CODEC_MAGIC) + text(CODEC) + struct.pack(">i", VERSION)
    signed = ~CODEC_MAGIC
    file = header + body + struct.pack(">ii", signed, 0)
    with open(path + ".tmp", "wb") as out:
        out.write(file + struct.pack(">q", zlib.crc32(file)))
    os.replace(path + ".tmp", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder that was trained on")
    parser.add_argument("--backbone", required=True, help="jar that training started from")
    parser.add_argument("--run", required=True, help="folder that soft_terms.py wrote to")
    parser.add_argument("--weights", required=True, help="weights-N.pt of that folder")
    parser.add_argument("--encoder", help="folder to write model.onnx and tokenizer.json to")
    parser.add_argument("--terms", help=f"folder with the final model.onnx, to write {FILE} to")
    arguments = parser.parse_args()
    encoder, tokenizer = bert.backbone(arguments.backbone, soft_terms.LONG)
    passages = soft_terms.counts_of_words(list(data.passages(arguments.data).values()))
    queries = sorted({entry["query"] for entry in data.lists(arguments.data)})
    vocabulary = soft_terms.Vocabulary(passages, soft_terms.counts_of_words(queries))
    states = np.load(os.path.join(arguments.run, "terms.npy"))
    model = soft_terms.SoftTerms(encoder.bert, states, vocabulary.storable)
    model.load_state_dict(torch.load(arguments.weights))
    if arguments.encoder:
        write_encoder(model, tokenizer, arguments.encoder)
    if arguments.terms:
        body = content(model, vocabulary, os.path.join(arguments.terms, "model.onnx"))
        write_terms(body, os.path.join(arguments.terms, FILE))


if __name__ == "__main__":
    main()
