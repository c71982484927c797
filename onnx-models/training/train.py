"""Trains a cross-encoder from an encoder's weights and writes it as ONNX.

Every batch holds lists of one source and of like lengths. The target of a list is the softmax of
the teachers' mean standardised similarity, or of its mean with the logits of a larger cross-encoder
that was trained so before; where there are judgements, half of the target's mass lies on the relevant
passages. A squared-error term ties logits to one scale across queries.

The learning rate warms up, stays, and falls to zero over the last fifth of the training. The state
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
import material
from material import SCALE

LIMITS = {96: 0.45, 256: 0.35, 512: 0.2}  # tokens of a pair, by share of batches
LIMITS_LONG = {256: 0.4, 512: 0.6}  # of the source with long queries
POSITIONS = max(LIMITS)
QUERY_TOKENS = POSITIONS // 2


def pairs(source, queries, passages, limit):
    """Padded ids, mask and types; a query gets at most half of the limit."""
    rows = []
    for query, passage in zip(queries, passages):
        first = [source.cls, *source.query_tokens[query][: limit // 2 - 2].tolist(), source.sep]
        second = [*source.tokens[passage][: limit - len(first) - 1].tolist(), source.sep]
        rows.append((first, second))
    width = -(-max(len(first) + len(second) for first, second in rows) // 8) * 8
    inputs = np.zeros((3, len(rows), width), dtype=np.int64)
    for i, (first, second) in enumerate(rows):
        end = len(first) + len(second)
        inputs[0, i, :end] = first + second
        inputs[1, i, :end] = 1
        inputs[2, i, len(first) : end] = 1
    return torch.from_numpy(inputs)


class Batches:
    """The lists of one step, which depend on the seed and the step alone, as tensors."""

    def __init__(self, source, seed, lists, passages):
        self.source, self.seed, self.lists, self.passages = source, seed, lists, passages

    def __call__(self, step):
        rng = random.Random(f"{self.seed}/{step}")
        source = self.source.draw(rng)
        limits = LIMITS_LONG if source == "long" else LIMITS
        limit = rng.choices(list(limits), list(limits.values()))[0]
        count = max(2, self.lists * min(LIMITS) // limit)
        lists = self.source.batch(rng, source, count, self.passages, limit)
        width = max(len(some) for _, some in lists)
        teacher = torch.full((len(lists), width), math.nan)
        relevant = torch.zeros(len(lists), width)
        valid = torch.zeros(len(lists), width, dtype=torch.bool)
        for row, (item, some) in enumerate(lists):
            taught = self.source.teach(item, some)
            if taught is not None:
                teacher[row, : len(some)] = torch.from_numpy(taught)
            relevant[row, : len(some)] = torch.tensor(
                [float(item["labels"].get(p, 0) > 0) for p in some]
            )
            valid[row, : len(some)] = True
        queries = [item["query"] for item, some in lists for _ in some]
        passages = [passage for _, some in lists for passage in some]
        inputs = pairs(self.source, queries, passages, limit)
        return dict(inputs=inputs, teacher=teacher * SCALE, relevant=relevant, valid=valid)


def targets(teacher, relevant, valid):
    """What lists are to score, as probabilities [lists, passages].

    The teachers' logits are nan where they say nothing: of all valid passages of a list, or of none.
    """
    taught = (valid & ~teacher.isnan()).any(1, keepdim=True)
    logits = teacher.nan_to_num().masked_fill(~valid, -1e4)
    judged = relevant.sum(1, keepdim=True) > 0
    parts = torch.softmax(logits, 1) * taught
    parts = parts + relevant / relevant.sum(1, keepdim=True).clamp(min=1)
    return parts / (taught.float() + judged).clamp(min=1)


def divergence(target, scores, valid):
    """From the targets, of each list."""
    entropy = (target * target.clamp_min(1e-9).log()).sum(1)
    return entropy - (target * torch.log_softmax(scores.masked_fill(~valid, -1e4), 1)).sum(1)


def loss_of(model, larger, batch, frozen_layers):
    inputs, valid, teacher = batch["inputs"], batch["valid"], batch["teacher"]
    with material.autocast():
        scores = torch.zeros_like(teacher)
        scores[valid] = model.score(*inputs, frozen_layers).float()
        if larger:
            with torch.no_grad():
                seen = torch.zeros_like(teacher)
                seen[valid] = larger.score(*inputs).float()
                teacher = torch.where(teacher.isnan(), seen, (teacher + seen) / 2)
    loss = divergence(targets(teacher, batch["relevant"], valid), scores, valid).mean()
    known = valid & ~teacher.isnan()
    squared = ((scores - teacher.nan_to_num()).square() * known).sum() / known.sum().clamp(min=1)
    return loss + 0.02 * squared


def ndcg(gains, scores, depth=10):
    order = np.argsort(-np.asarray(scores), kind="stable")[:depth]
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.sort(gains)[::-1][:depth]
    best = (ideal * discounts[: len(ideal)]).sum()
    return (np.asarray(gains)[order] * discounts[: len(order)]).sum() / best if best > 0 else 0.0


@torch.no_grad()
def evaluate(model, source, lists):
    """nDCG@10 over development lists."""
    result, every, device = {}, [], material.device()
    for name, items in source.development.items():
        values = []
        for item in items[:lists]:
            passages = item["passages"]
            inputs = pairs(source, [item["query"]] * len(passages), passages, POSITIONS).to(device)
            with material.autocast():
                scores = model.score(*inputs).float().cpu().numpy()
            values.append(ndcg(source.gains(item), scores))
        if values:
            result[name] = round(float(np.mean(values)), 4)
            every += values
    result["mean"] = round(float(np.mean(every)), 4)
    return result


class Trainer:
    """A model, its optimizer and where they stand."""

    warmup = 200  # steps

    def __init__(self, model, groups, factors, arguments):
        self.model, self.arguments, self.factors = model, arguments, factors
        self.step, self.texts, self.seconds, self.best = 0, 0, 0.0, 0.0
        fused = dict(fused=True) if material.device() == "cuda" else {}
        groups = [dict(params=[p for p in group if p.requires_grad]) for group in groups]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, **fused)

    def path(self, name):
        return os.path.join(self.arguments.out, name)

    def progress(self):
        """From 0 to 1, at the end."""
        return max(self.step / self.arguments.steps, self.seconds / 60 / self.arguments.minutes)

    def set_rate(self):
        """Warm up, stay, fall over the last fifth."""
        factor = min(1.0, (self.step + 1) / self.warmup, max(0.0, 1 - self.progress()) / 0.2)
        for group, own in zip(self.optimizer.param_groups, self.factors):
            group["lr"] = self.arguments.rate * own * factor

    def _falling(self):
        return self.path(f"falling-{self.arguments.steps}.pt")

    def resume(self):
        for path in (self._falling(), self.path("checkpoint.pt")):
            if os.path.exists(path):
                state = torch.load(path, map_location=material.device(), weights_only=False)
                self.model.load_state_dict(state.pop("model"))
                self.optimizer.load_state_dict(state.pop("optimizer"))
                for name, value in state.items():
                    setattr(self, name, value)
                return

    def state(self):
        """What is kept beside model and optimizer."""
        return dict(step=self.step, texts=self.texts, seconds=self.seconds, best=self.best)

    def save(self):
        """The state before the rate falls stays as it is, for a longer run to go on from."""
        path = self._falling() if self.progress() > 0.8 else self.path("checkpoint.pt")
        weights = dict(model=self.model.state_dict(), optimizer=self.optimizer.state_dict())
        torch.save({**weights, **self.state()}, path + ".tmp")
        os.replace(path + ".tmp", path)

    def learn(self, loss):
        """Takes one step down the gradient."""
        self.set_rate()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1

    def note(self, entry):
        """Writes a line to the log and to standard output."""
        with open(self.path("log.jsonl"), "a", encoding="utf-8") as log:
            for out in (log, sys.stdout):
                print(json.dumps(entry), file=out, flush=True)

    def run(self, make, learn, check):
        """Learns to the end; checks and saves on the way."""
        device, since = material.device(), time.time()
        while self.progress() < 1:
            last = min(self.step + self.arguments.every, self.arguments.steps)
            for batch in material.loader(make, self.step, last):
                learn({name: value.to(device, non_blocking=True) for name, value in batch.items()})
                self.seconds += time.time() - since
                since = time.time()
                if self.progress() >= 1:
                    break
            check()
            self.save()


def export(model, path):
    """Inputs, outputs and node names as of a Hugging Face export; axes are free."""
    ones = torch.ones((2, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in names}
    twin = bert.CrossEncoder(**model.config)
    twin.load_state_dict(model.state_dict())
    bert.export(
        twin, (ones, ones, torch.zeros_like(ones)), path, names, ["logits"], {**axes, "logits": {0: "batch_size"}}
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--backbone", required=True, help="jar with the encoder to start from")
    parser.add_argument("--start", help="model.onnx or packed weights of an earlier training")
    parser.add_argument(
        "--teachers", help="folder that teacher.py wrote to (default: the scores in the lists)"
    )
    parser.add_argument("--larger", nargs=2, help="jar and model.onnx of a larger model that teaches too")
    parser.add_argument("--out", required=True, help="folder for model, checkpoints and log")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="at most")
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--lists", type=int, default=8, help="of short pairs in a batch")
    parser.add_argument("--passages", type=int, default=6, help="of a list")
    parser.add_argument("--development-lists", type=int, default=40, help="of a source")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--frozen-layers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    torch.manual_seed(arguments.seed)
    device = material.device()
    model, tokenizer = bert.backbone(arguments.backbone, POSITIONS)
    if arguments.start:
        bert.restore(model, arguments.start)
    with open(os.path.join(arguments.out, "tokenizer.json"), "w", encoding="utf-8") as file:
        file.write(tokenizer)
    model.to(device)
    frozen = arguments.frozen_layers
    for part in [model.bert.embeddings, *model.bert.encoder.layer[:frozen]]:
        part.requires_grad_(False)
    head = [*model.bert.pooler.parameters(), *model.classifier.parameters()]
    trainer = Trainer(model, [model.bert.encoder.parameters(), head], (1.0, 5.0), arguments)
    trainer.resume()
    source = material.Material(
        arguments.data, arguments.teachers, tokenizer, QUERY_TOKENS, POSITIONS - 8
    )
    larger = None
    if arguments.larger:
        larger, _ = bert.backbone(arguments.larger[0], POSITIONS)
        bert.restore(larger, arguments.larger[1])
        larger = larger.to(device).eval()
    losses = []

    def learn(batch):
        loss = loss_of(model, larger, batch, frozen)
        trainer.learn(loss)
        trainer.texts += int(batch["inputs"].shape[1])
        losses.append(loss.detach())

    def check():
        scores = evaluate(model, source, arguments.development_lists)
        trainer.note(
            dict(
                step=trainer.step,
                pairs=trainer.texts,
                seconds=round(trainer.seconds),
                loss=round(float(torch.stack(losses).mean()), 4),
                development=scores,
            )
        )
        losses.clear()
        if scores["mean"] > trainer.best:
            trainer.best = scores["mean"]
            export(model, trainer.path("model.onnx"))

    make = Batches(source, arguments.seed, arguments.lists, arguments.passages)
    trainer.run(make, learn, check)


if __name__ == "__main__":
    main()
