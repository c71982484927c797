"""Embeds all passages and queries with two bi-encoders, whose similarities teach the cross-encoder.

Writes <work>/<name>-passages.npy and -queries.npy: unit vectors as halves, in the order of the
passages file and of the sorted distinct queries; zeros for passages of sources that are learnt from
judgements only. A finished file is not made again.
"""

import argparse
import os
import sys
import time

import numpy as np
import torch

import bert
import data
from wordpiece import WordPiece

MAX_TOKENS = 144
BATCH_TOKENS = 1500

# prefixes and pooling as the authors of the two models prescribe
TEACHERS = {
    "bge-small-en-v15": ("Represent this sentence for searching relevant passages: ", "", "cls"),
    "e5-small-v2": ("query: ", "passage: ", "mean"),
}


def embed(model, tokenizer, texts, prefix, pooling, device):
    """Vectors of texts; of None, zeros."""
    encoded = [
        [tokenizer.cls] + tokenizer.encode(prefix + (text or ""))[: MAX_TOKENS - 2] + [tokenizer.sep]
        for text in texts
    ]
    order = sorted(
        (i for i, text in enumerate(texts) if text is not None), key=lambda i: len(encoded[i])
    )
    vectors = np.zeros((len(texts), model.config["hidden"]), dtype=np.float16)
    start, began = 0, time.time()
    while start < len(order):
        end = start + 1
        while end < len(order) and (end - start + 1) * len(encoded[order[end]]) <= BATCH_TOKENS:
            end += 1
        batch = order[start:end]
        width = len(encoded[batch[-1]])
        ids = torch.tensor([encoded[i] + [0] * (width - len(encoded[i])) for i in batch])
        lengths = torch.tensor([len(encoded[i]) for i in batch])
        mask = (torch.arange(width)[None] < lengths[:, None]).long()
        ids, mask = ids.to(device), mask.to(device)
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
            states = model.bert.states(ids, mask, torch.zeros_like(ids)).float()
        if pooling == "cls":
            pooled = states[:, 0]
        else:
            pooled = (states * mask[..., None]).sum(1)
        vectors[batch] = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()
        start = end
        if sys.stderr.isatty():
            rate = start / (time.time() - began)
            print(f"\r{start}/{len(order)} {rate:.0f}/s ", end="", file=sys.stderr)
    return vectors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--backbones", required=True, help="folder of the backbones' jars")
    parser.add_argument("--work", required=True, help="folder to write to")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    os.makedirs(arguments.work, exist_ok=True)
    lists = data.lists(arguments.data)
    queries = sorted({entry["query"] for entry in lists})
    taught = {
        passage
        for entry in lists
        if entry["source"] not in data.JUDGED_ONLY
        for passage in entry["passages"]
    }
    texts = [
        text if passage in taught else None
        for passage, text in data.passages(arguments.data).items()
    ]
    for name, (query_prefix, passage_prefix, pooling) in TEACHERS.items():
        jar = next(f for f in os.listdir(arguments.backbones) if name in f)
        model, tokenizer = bert.backbone(os.path.join(arguments.backbones, jar))
        model, pieces = model.to(device).eval(), WordPiece(tokenizer)
        for kind, inputs, prefix in (
            ("queries", queries, query_prefix),
            ("passages", texts, passage_prefix),
        ):
            target = os.path.join(arguments.work, f"{name}-{kind}.npy")
            if not os.path.exists(target):
                vectors = embed(model, pieces, inputs, prefix, pooling, device)
                np.save(target + ".tmp.npy", vectors)
                os.replace(target + ".tmp.npy", target)


if __name__ == "__main__":
    main()
