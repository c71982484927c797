"""Adapts a cross-encoder to a source of lists by one number a word: how far the word's embedding moves
along the IDF direction, the first singular direction of the embedding matrix. All else is kept.

Learns from the judgements of the source's training queries; the step that is best on its development
queries is written as ONNX.
"""

import argparse
import math
import os

import torch
from torch import nn

import bert
import material
from train import POSITIONS, QUERY_TOKENS, Batches, Trainer, evaluate, export, loss_of


class AlongIdf(nn.Module):
    """Word embeddings, each of which can move along the IDF direction."""

    def __init__(self, words):
        super().__init__()
        self.words = words
        self.shift = nn.Parameter(torch.zeros(words.num_embeddings))
        # the leading right singular vector of the matrix, not centred
        self.register_buffer("axis", torch.linalg.eigh(words.weight.T @ words.weight)[1][:, -1])

    def forward(self, ids):
        return self.words(ids) + self.shift[ids].unsqueeze(-1) * self.axis

    @torch.no_grad()
    def moved(self):
        """All embeddings, where they are now."""
        return self.words.weight + self.shift.unsqueeze(1) * self.axis


def write(model, path):
    """The model with its embeddings where they are now, as any other."""
    plain = bert.CrossEncoder(**model.config)
    weights = model.state_dict()
    prefix = "bert.embeddings.word_embeddings."
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith(prefix)}
    plain.load_state_dict({**kept, prefix + "weight": model.bert.embeddings.word_embeddings.moved()})
    export(plain, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--source", required=True, help="of the lists to learn from; judged")
    parser.add_argument("--backbone", required=True, help="jar with the encoder that the model began as")
    parser.add_argument("--start", required=True, help="model.onnx of the cross-encoder, float or int8; its embeddings are the backbone's")
    parser.add_argument("--out", required=True, help="folder for model, checkpoints and log")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--minutes", type=float, default=math.inf, help="at most")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--lists", type=int, default=8, help="of short pairs in a batch")
    parser.add_argument("--passages", type=int, default=6, help="of a list")
    parser.add_argument("--development-lists", type=int, default=40)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    torch.manual_seed(arguments.seed)
    model, tokenizer = bert.backbone(arguments.backbone, POSITIONS)
    bert.restore(model, arguments.start)
    with open(os.path.join(arguments.out, "tokenizer.json"), "w", encoding="utf-8") as file:
        file.write(tokenizer)
    model.requires_grad_(False)
    embeddings = model.bert.embeddings
    embeddings.word_embeddings = AlongIdf(embeddings.word_embeddings)
    model.to(material.device())
    shift = embeddings.word_embeddings.shift
    trainer = Trainer(model, [[shift]], [1.0], arguments)
    trainer.warmup = 10
    trainer.resume()
    source = material.Material(arguments.data, None, tokenizer, QUERY_TOKENS, POSITIONS - 8)
    if not (source.train.get(arguments.source) and source.development[arguments.source]):
        parser.error(f"--source {arguments.source}: no such lists, or too few, in {arguments.data}")
    source.draw = lambda rng: arguments.source
    source.development = {arguments.source: source.development[arguments.source]}

    def check():
        scores = evaluate(model, source, arguments.development_lists)
        moved = shift.detach()[shift != 0].abs()
        trainer.note(
            dict(
                step=trainer.step,
                seconds=round(trainer.seconds),
                moved=len(moved),
                median_shift=round(float(moved.median()), 4) if len(moved) else 0.0,
                development=scores,
            )
        )
        if scores["mean"] > trainer.best:
            trainer.best = scores["mean"]
            write(model, trainer.path("model.onnx"))

    def learn(batch):
        trainer.learn(loss_of(model, None, batch, 0))
        trainer.texts += int(batch["inputs"].shape[1])

    if trainer.step == 0:
        check()
    make = Batches(source, arguments.seed, arguments.lists, arguments.passages)
    trainer.run(make, learn, check)


if __name__ == "__main__":
    main()
