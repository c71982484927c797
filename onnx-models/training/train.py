"""Trains a cross-encoder from an encoder's weights and writes it as ONNX.

Every batch holds lists of one source and of like lengths. The target of a list is the softmax of
the teachers' mean standardised similarity; where there are judgements, half of the target's mass
lies on the relevant passages. A squared-error term ties logits to one scale across queries.

The learning rate warms up, stays, and falls to zero over the last fifth of the steps. The state
before the fall is kept, so that a run with more --steps goes on from there.
"""

import argparse
import json
import math
import os
import random
import sys
import time

import numpy as np
import torch

import bert
import data
from teacher import TEACHERS
from wordpiece import WordPiece

SOURCES = {  # share of batches
    "marco": 0.46,
    "dl21": 0.04,
    "dl22": 0.05,
    "squad": 0.13,
    "wikiqa": 0.06,
    "trecqa": 0.01,
    "medquad": 0.08,
    "nfcorpus": 0.10,
    "scifact": 0.07,
    "long": 0.20,  # where long_queries.py made some
}
LISTS, PASSAGES = 8, 6  # of short pairs; half as many lists of long ones
SHORT, LONG = 96, 256  # tokens of a pair; the model gets no position beyond
LONG_SHARE = 0.35
MINED = 100  # passages a teacher finds for a query that has no judgements
SCALE = 2.5  # logits per standard deviation of the teachers' similarity


class Material:
    """Tokens, teacher scores and lists; lists are split by query."""

    def __init__(self, folder, work, tokenizer):
        pieces = WordPiece(tokenizer)
        self.cls, self.sep = pieces.cls, pieces.sep
        texts = data.passages(folder)
        self.tokens = [
            np.array(pieces.encode(text[: 6 * LONG])[:LONG], dtype=np.uint16)
            for text in texts.values()
        ]
        number = {key: i for i, key in enumerate(texts)}
        entries = data.lists(folder)
        names = sorted({entry["query"] for entry in entries})
        self.query_tokens = [pieces.encode(query)[:64] for query in names]
        query_number = {query: i for i, query in enumerate(names)}
        self.vectors = [
            tuple(
                np.load(os.path.join(work, f"{name}-{kind}.npy")).astype(np.float32)
                for kind in ("queries", "passages")
            )
            for name in (TEACHERS if work else [])
        ]
        self.train = {source: [] for source in SOURCES}
        self.development = {source: [] for source in SOURCES}
        for entry in entries:
            item = dict(
                query=query_number[entry["query"]],
                passages=[number[p] for p in dict.fromkeys(entry["passages"])],
                labels={number[p]: g for p, g in zip(entry["passages"], entry.get("labels", []))},
                teacher={number[p]: t for p, t in zip(entry["passages"], entry.get("teacher", []))},
                taught=entry["source"] not in data.JUDGED_ONLY,
                exclude={number[p] for p in entry.get("exclude", [])},
            )
            held_out = data.is_development(entry["query"])
            (self.development if held_out else self.train)[entry["source"]].append(item)
        self._standardise()
        if self.vectors:
            self._mine()

    def _standardise(self):
        """Mean and deviation of similarities over the listed pairs, for each teacher."""
        items = [item for items in self.train.values() for item in items if item["taught"]]
        if not self.vectors:
            given = [score for item in items for score in item["teacher"].values()]
            self.moments = [(np.mean(given), np.std(given))]
            return
        listed = [(item["query"], passage) for item in items for passage in item["passages"]]
        queries, passages = map(np.array, zip(*listed))
        self.moments = []
        for query_vectors, passage_vectors in self.vectors:
            similarity = np.einsum("ij,ij->i", query_vectors[queries], passage_vectors[passages])
            self.moments.append((similarity.mean(), similarity.std()))

    def teach(self, item, passages):
        """The teachers' mean standardised similarity; None if there is none for these passages."""
        if not self.vectors:
            if not item["teacher"]:
                return None
            mean, deviation = self.moments[0]
            given = np.array([item["teacher"][p] for p in passages], dtype=np.float32)
            return (given - np.float32(mean)) / np.float32(deviation)
        if not item["taught"]:
            return None
        query = item["query"]
        return sum(
            (passage_vectors[passages] @ query_vectors[query] - mean) / deviation
            for (query_vectors, passage_vectors), (mean, deviation) in zip(
                self.vectors, self.moments
            )
        ) / len(self.vectors)

    def _mine(self):
        """What the teachers would retrieve from the passages of the lists without judgements."""
        items = [i for lists in self.train.values() for i in lists if not i["labels"]]
        pool = np.array(sorted({p for item in items for p in item["passages"]}))
        pools = [(passage_vectors[pool]) for _, passage_vectors in self.vectors]
        for start in range(0, len(items), 256):
            some = items[start : start + 256]
            queries = [item["query"] for item in some]
            scores = sum(
                (query_vectors[queries] @ vectors.T - mean) / deviation
                for (query_vectors, _), vectors, (mean, deviation) in zip(
                    self.vectors, pools, self.moments
                )
            )
            top = np.argpartition(-scores, MINED, axis=1)[:, :MINED]
            for item, found in zip(some, top):
                item["mined"] = [p for p in pool[found].tolist() if p not in item["exclude"]]

    def sample(self, item, rng):
        """Passages to learn from: with judgements a relevant one first, else half of them mined."""
        listed = item["passages"]
        if "mined" in item:
            some = rng.sample(listed, min(PASSAGES // 2, len(listed)))
            rest = [p for p in item["mined"] if p not in some]
            return some + rng.sample(rest, PASSAGES - len(some))
        relevant = [p for p in listed if item["labels"].get(p, 0) > 0]
        chosen = [rng.choice(relevant)] if relevant else []
        rest = [p for p in listed if p not in chosen]
        return chosen + rng.sample(rest, min(PASSAGES - len(chosen), len(rest)))

    def draw(self, rng):
        """A source, by its share among those that there are."""
        shares = {source: share for source, share in SOURCES.items() if self.train[source]}
        return rng.choices(list(shares), list(shares.values()))[0]

    def pairs(self, queries, passages, limit, device):
        """Padded inputs of a model."""
        rows = []
        for query, passage in zip(queries, passages):
            first = [self.cls] + self.query_tokens[query] + [self.sep]
            second = self.tokens[passage][: limit - len(first) - 1].tolist() + [self.sep]
            rows.append((first, second))
        width = max(len(first) + len(second) for first, second in rows)
        inputs = np.zeros((3, len(rows), width), dtype=np.int64)
        for i, (first, second) in enumerate(rows):
            end = len(first) + len(second)
            inputs[0, i, :end] = first + second
            inputs[1, i, :end] = 1
            inputs[2, i, len(first) : end] = 1
        return torch.from_numpy(inputs).to(device)


def batch(material, seed, step):
    """The lists of one step, which depend on the seed and the step alone."""
    rng = random.Random(f"{seed}/{step}")
    source = material.draw(rng)
    limit = LONG if rng.random() < LONG_SHARE else SHORT
    count = LISTS if limit == SHORT else LISTS // 2
    items = rng.choices(material.train[source], k=4 * count)
    lists = [(item, material.sample(item, rng)) for item in items]
    lists.sort(key=lambda chosen: max(min(len(material.tokens[p]), limit) for p in chosen[1]))
    start = rng.randrange(len(lists) - count + 1)
    return lists[start : start + count], limit


def list_loss(item, passages, scores, material):
    """Divergence from the target, and the squared error against the teachers' logits."""
    targets = []
    squared = 0.0
    taught = material.teach(item, passages)
    if taught is not None:
        logits = torch.from_numpy(taught).to(scores) * SCALE
        targets.append(torch.softmax(logits, 0))
        squared = 0.02 * (scores - logits).square().mean()
    relevant = torch.tensor([float(item["labels"].get(p, 0) > 0) for p in passages]).to(scores)
    if relevant.sum() > 0:
        targets.append(relevant / relevant.sum())
    if not targets:
        return squared
    target = sum(targets) / len(targets)
    entropy = (target * target.clamp_min(1e-9).log()).sum()
    return entropy - (target * torch.log_softmax(scores, 0)).sum() + squared


def loss_of(model, material, lists, limit, frozen_layers, device):
    queries = [item["query"] for item, passages in lists for _ in passages]
    passages = [passage for _, some in lists for passage in some]
    ids, mask, types = material.pairs(queries, passages, limit, device)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = model.score(ids, mask, types, frozen_layers).float()
    loss, start = 0.0, 0
    for item, some in lists:
        scores = logits[start : start + len(some)]
        start += len(some)
        loss = loss + list_loss(item, some, scores, material)
    return loss / len(lists)


def ndcg(gains, scores, depth=10):
    order = np.argsort(-np.asarray(scores), kind="stable")[:depth]
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.sort(gains)[::-1][:depth]
    best = (ideal * discounts[: len(ideal)]).sum()
    return (np.asarray(gains)[order] * discounts[: len(order)]).sum() / best if best > 0 else 0.0


def evaluate(model, material, lists, device):
    """nDCG@10 over development lists: gains are judgements, or the teachers' scores squared."""
    result, every = {}, []
    for source, items in material.development.items():
        values = []
        for item in items[:lists]:
            passages = item["passages"]
            inputs = material.pairs([item["query"]] * len(passages), passages, LONG, device)
            with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
                scores = model.score(*inputs).float().cpu().numpy()
            gains = np.array([item["labels"].get(p, 0.0) for p in passages])
            if not item["labels"]:
                taught = material.teach(item, passages)
                gains = ((taught - taught.min()) / max(taught.max() - taught.min(), 1e-6)) ** 2
            values.append(ndcg(gains, scores))
        if values:
            result[source] = round(float(np.mean(values)), 4)
            every += values
    result["mean"] = round(float(np.mean(every)), 4)
    return result


def rate(step, steps, peak, warmup=200):
    """Warm up, stay, fall over the last fifth."""
    return peak * min(1.0, (step + 1) / warmup, (steps - step) / (0.2 * steps))


class Trainer:
    """A model, its optimizer and where they stand."""

    def __init__(self, model, arguments, device):
        self.model, self.arguments, self.device = model, arguments, device
        self.step, self.pairs, self.best = 0, 0, 0.0
        layers = model.bert.encoder.layer
        for part in [model.bert.embeddings, *layers[: arguments.frozen_layers]]:
            part.requires_grad_(False)
        head = [*model.bert.pooler.parameters(), *model.classifier.parameters()]
        body = [p for layer in layers[arguments.frozen_layers :] for p in layer.parameters()]
        self.factors = (1.0, 5.0)
        groups = [dict(params=body), dict(params=head)]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01)

    def _path(self, name):
        return os.path.join(self.arguments.out, name)

    def _checkpoint(self):
        """The state before the rate falls stays as it is, for a longer run to go on from."""
        falling = self.step > 0.8 * self.arguments.steps
        return self._path(f"falling-{self.arguments.steps}.pt" if falling else "checkpoint.pt")

    def resume(self):
        for path in (self._path(f"falling-{self.arguments.steps}.pt"), self._path("checkpoint.pt")):
            if os.path.exists(path):
                state = torch.load(path, map_location=self.device)
                self.model.load_state_dict(state["model"])
                self.optimizer.load_state_dict(state["optimizer"])
                for name, value in state.items():
                    if name not in ("model", "optimizer"):
                        setattr(self, name, value)
                return

    def _state(self):
        """What a kind of training keeps beside model and optimizer."""
        return {}

    def save(self):
        state = dict(
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            step=self.step,
            pairs=self.pairs,
            best=self.best,
            **self._state(),
        )
        torch.save(state, self._checkpoint() + ".tmp")
        os.replace(self._checkpoint() + ".tmp", self._checkpoint())

    def learn(self, material):
        """One step; returns the loss."""
        arguments = self.arguments
        for group, factor in zip(self.optimizer.param_groups, self.factors):
            group["lr"] = factor * rate(self.step, arguments.steps, arguments.rate)
        lists, limit = batch(material, arguments.seed, self.step)
        loss = loss_of(self.model, material, lists, limit, arguments.frozen_layers, self.device)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.pairs += sum(len(some) for _, some in lists)
        return float(loss.detach())

    def check(self, material):
        """Scores the development queries; the best model so far is written as ONNX."""
        scores = evaluate(
            self.model, material, self.arguments.development_lists, self.device
        )
        if scores["mean"] > self.best:
            self.best = scores["mean"]
            export(self.model, self._path("model.onnx"))
        return scores


def export(model, path):
    """Inputs, outputs and node names as of a Hugging Face export; axes are free."""
    ones = torch.ones((2, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in names}
    twin = bert.CrossEncoder(**model.config)
    twin.load_state_dict(model.state_dict())
    torch.onnx.export(
        twin.eval(),
        (ones, ones, torch.zeros_like(ones)),
        path + ".tmp",
        input_names=names,
        output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "batch_size"}},
        opset_version=14,
    )
    os.replace(path + ".tmp", path)


def run(trainer, material):
    """Learns until the last step or until time is up; checks and saves on the way."""
    arguments = trainer.arguments
    end = time.time() + 60 * arguments.minutes
    losses, since, seen = [], time.time(), trainer.pairs
    with open(os.path.join(arguments.out, "log.jsonl"), "a", encoding="utf-8") as log:
        while trainer.step < arguments.steps and time.time() < end:
            losses.append(trainer.learn(material))
            if trainer.step % arguments.every == 0 or trainer.step == arguments.steps:
                seconds = time.time() - since
                entry = dict(
                    step=trainer.step,
                    pairs=trainer.pairs,
                    loss=round(float(np.mean(losses)), 4),
                    per_second=round((trainer.pairs - seen) / seconds, 1),
                    development=trainer.check(material),
                )
                for out in (log, sys.stdout):
                    print(json.dumps(entry), file=out, flush=True)
                trainer.save()
                losses, since, seen = [], time.time(), trainer.pairs
    trainer.save()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--backbone", required=True, help="jar with the encoder to start from")
    parser.add_argument("--start", help="model.onnx of an earlier training to go on from")
    parser.add_argument(
        "--teachers", help="folder that teacher.py wrote to (default: the scores in the lists)"
    )
    parser.add_argument("--out", required=True, help="folder for model, checkpoints and log")
    parser.add_argument("--steps", type=int, default=6000, help=f"of {LISTS * PASSAGES} pairs at most")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop, to be resumed")
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--development-lists", type=int, default=40, help="of a source")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--frozen-layers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(arguments.seed)
    model, tokenizer = bert.backbone(arguments.backbone, LONG)
    if arguments.start:
        bert.restore(model, arguments.start)
    with open(os.path.join(arguments.out, "tokenizer.json"), "w", encoding="utf-8") as file:
        file.write(tokenizer)
    trainer = Trainer(model.to(device), arguments, device)
    trainer.resume()
    run(trainer, Material(arguments.data, arguments.teachers, tokenizer))


if __name__ == "__main__":
    main()
