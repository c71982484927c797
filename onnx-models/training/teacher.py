"""Embeds all passages and queries with two bi-encoders, whose similarities teach the cross-encoder.

Writes <work>/<name>-passages.npy and -queries.npy: unit vectors as halves, in the order of the
passages file and of the sorted distinct queries. A finished file is not made again.
"""

import argparse
import os
import sys
import time

import numpy as np
import torch

import bert
import data
import material
from wordpiece import WordPiece

TOKENS = 256
BATCH_TOKENS = {"cpu": 1500, "cuda": 64000}


@torch.no_grad()
def embed(model, tokenizer, texts, pooling):
    """Unit vectors of texts."""
    device, pieces = material.device(), WordPiece(tokenizer)
    encoded = material.encode(tokenizer, texts, TOKENS - 2)
    order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
    vectors = np.zeros((len(texts), model.config["hidden"]), dtype=np.float16)
    start, began, told = 0, time.time(), time.time()
    while start < len(order):
        end = start + 1
        while end < len(order) and (end - start + 1) * len(encoded[order[end]]) <= BATCH_TOKENS[device]:
            end += 1
        batch = order[start:end]
        lengths = torch.tensor([len(encoded[i]) + 2 for i in batch])
        ids = torch.zeros(len(batch), int(lengths[-1]), dtype=torch.long)
        for row, i in enumerate(batch):
            ids[row, : lengths[row]] = torch.tensor([pieces.cls, *encoded[i].tolist(), pieces.sep])
        ids, lengths = ids.to(device), lengths.to(device)
        mask = (torch.arange(ids.shape[1], device=device)[None] < lengths[:, None]).long()
        with material.autocast():
            states = model.bert.states(ids, mask, torch.zeros_like(ids)).float()
        pooled = states[:, 0] if pooling == "cls" else (states * mask[..., None]).sum(1)
        vectors[batch] = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()
        start = end
        if time.time() - told > 30:
            rate, told = start / (time.time() - began), time.time()
            print(f"{start} of {len(order)}, {rate:.0f} a second", file=sys.stderr)
    return vectors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--backbones", required=True, help="folder of the backbones' jars")
    parser.add_argument("--work", required=True, help="folder to write to")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    queries = sorted({entry["query"] for entry in data.lists(arguments.data)})
    texts = list(data.passages(arguments.data).values())
    for name, (query_prefix, passage_prefix, pooling) in material.TEACHERS.items():
        jar = next(f for f in os.listdir(arguments.backbones) if name in f)
        model, tokenizer = bert.backbone(os.path.join(arguments.backbones, jar))
        model = model.to(material.device()).eval()
        for kind, inputs, prefix in (
            ("queries", queries, query_prefix),
            ("passages", texts, passage_prefix),
        ):
            target = os.path.join(arguments.work, f"{name}-{kind}.npy")
            if not os.path.exists(target):
                vectors = embed(model, tokenizer, [prefix + text for text in inputs], pooling)
                np.save(target + ".tmp.npy", vectors)
                os.replace(target + ".tmp.npy", target)


if __name__ == "__main__":
    main()
