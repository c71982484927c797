"""What both trainings read: texts as tokens, lists of passages, and what the teachers say of them."""

import functools
import math
import multiprocessing
import os
import random

import numpy as np
import torch

import data
from wordpiece import WordPiece

TEACHERS = {  # prefixes and pooling as the authors of the two models prescribe
    "bge-small-en-v15": ("Represent this sentence for searching relevant passages: ", "", "cls"),
    "e5-small-v2": ("query: ", "passage: ", "mean"),
}
SHARES = {  # of batches, among the sources that there are
    "marco": 0.30,
    "dl21": 0.03,
    "dl22": 0.04,
    "squad": 0.11,
    "wikiqa": 0.05,
    "trecqa": 0.01,
    "medquad": 0.05,
    "nfcorpus": 0.09,
    "scifact": 0.06,
    "made": 0.15,  # where made_queries.py made some
    "long": 0.11,
}
MINED = 100  # passages a teacher finds for a query that has no judgements
DUPLICATE = 0.95  # cosine, by both teachers
SCALE = 2.5  # logits per standard deviation of the teachers' similarity


def device():
    return "cuda" if torch.cuda.is_available() else "cpu"


def autocast():
    """bfloat16 for products on a GPU or a processor that has it; on others it is several times slower."""
    return torch.autocast(device(), dtype=torch.bfloat16, enabled=device() == "cuda" or _has_bfloat16())


@functools.lru_cache
def _has_bfloat16():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            return any("_bf16" in line for line in file if line.startswith("flags"))
    except OSError:
        return False


def encode(tokenizer, texts, tokens):
    """The first tokens of texts, encoded by all cores."""
    size = 2000
    parts = [(tokenizer, texts[i : i + size], tokens) for i in range(0, len(texts), size)]
    with multiprocessing.get_context("fork").Pool() as pool:
        return [row for part in pool.imap(_encode, parts) for row in part]


def _encode(part):
    tokenizer, texts, tokens = part
    pieces = WordPiece(tokenizer)
    return [np.array(pieces.encode(text[: 8 * tokens])[:tokens], np.uint16) for text in texts]


class Material:
    """Tokens, teacher scores and lists; lists are split by query."""

    def __init__(self, folder, work, tokenizer, query_tokens, passage_tokens):
        texts = data.passages(folder)
        entries = data.lists(folder)
        self.queries = sorted({entry["query"] for entry in entries})
        self.texts = list(texts.values())
        pieces = WordPiece(tokenizer)
        self.cls, self.sep = pieces.cls, pieces.sep
        self.tokens = encode(tokenizer, self.texts, passage_tokens)
        self.query_tokens = encode(tokenizer, self.queries, query_tokens)
        self.vectors = [
            tuple(
                np.load(os.path.join(work, f"{name}-{kind}.npy")).astype(np.float32)
                for kind in ("queries", "passages")
            )
            for name in (TEACHERS if work else [])
        ]
        number = {key: i for i, key in enumerate(texts)}
        query_number = {query: i for i, query in enumerate(self.queries)}
        self.train = {source: [] for source in SHARES}
        self.development = {source: [] for source in SHARES}
        for entry in entries:
            if not (self.vectors or "labels" in entry or "teacher" in entry):
                continue  # nothing to learn from
            item = dict(
                query=query_number[entry["query"]],
                passages=[number[p] for p in dict.fromkeys(entry["passages"])],
                labels={number[p]: g for p, g in zip(entry["passages"], entry.get("labels", []))},
                teacher={number[p]: t for p, t in zip(entry["passages"], entry.get("teacher", []))},
                origin=number.get(entry.get("origin")),
            )
            item["passages"] = self._without_duplicates(item["origin"], item["passages"])
            held_out = data.is_development(entry["query"])
            (self.development if held_out else self.train)[entry["source"]].append(item)
        self._standardise()
        if self.vectors:
            self._mine()

    def _without_duplicates(self, origin, passages):
        """Passages that are not, nearly, the one that the query was taken from."""
        if origin is None or not self.vectors:
            return passages
        alike = np.logical_and.reduce(
            [some[passages] @ some[origin] > DUPLICATE for _, some in self.vectors]
        )
        return [p for p, same in zip(passages, alike) if not same and p != origin]

    def _standardise(self):
        """Mean and deviation of similarities over the listed pairs, for each teacher."""
        items = [item for items in self.train.values() for item in items]
        if not self.vectors:
            given = [score for item in items for score in item["teacher"].values()]
            self.moments = [(np.mean(given), np.std(given))]
            return
        listed = [(item["query"], passage) for item in items for passage in item["passages"]]
        queries, passages = np.array(random.Random(1).sample(listed, min(300_000, len(listed)))).T
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
        query = item["query"]
        return sum(
            (passage_vectors[passages] @ query_vectors[query] - mean) / deviation
            for (query_vectors, passage_vectors), (mean, deviation) in zip(self.vectors, self.moments)
        ) / len(self.vectors)

    @torch.no_grad()
    def _mine(self):
        """What the teachers would retrieve from the passages of the lists without judgements."""
        items = [i for lists in self.train.values() for i in lists if not i["labels"]]
        pool = np.array(sorted({p for item in items for p in item["passages"]}))
        kind = torch.float16 if device() == "cuda" else torch.float32

        def on_device(vectors):
            return torch.from_numpy(vectors).to(device(), kind)

        pools = [on_device(vectors[pool]) for _, vectors in self.vectors]
        for start in range(0, len(items), 256):
            some = items[start : start + 256]
            queries = [item["query"] for item in some]
            scores = sum(
                on_device(vectors[queries]) @ passages.T / float(deviation)
                for (vectors, _), passages, (_, deviation) in zip(self.vectors, pools, self.moments)
            )
            rows = [i for i, item in enumerate(some) if item["origin"] is not None]
            origins = [some[i]["origin"] for i in rows]
            alike = [
                on_device(vectors[origins]) @ passages.T > DUPLICATE
                for (_, vectors), passages in zip(self.vectors, pools)
            ]
            scores[rows] = scores[rows].masked_fill(alike[0] & alike[1], -math.inf)
            for item, found in zip(some, scores.topk(MINED, sorted=False).indices.cpu().numpy()):
                item["mined"] = pool[found].tolist()

    def sample(self, item, passages, rng):
        """Passages to learn from: with judgements a relevant one first, else half of them mined."""
        listed = item["passages"]
        if "mined" in item:
            some = rng.sample(listed, min(passages // 2, len(listed)))
            rest = [p for p in item["mined"] if p not in some]
            return some + rng.sample(rest, min(passages - len(some), len(rest)))
        relevant = [p for p in listed if item["labels"].get(p, 0) > 0]
        chosen = [rng.choice(relevant)] if relevant else []
        rest = [p for p in listed if p not in chosen]
        return chosen + rng.sample(rest, min(passages - len(chosen), len(rest)))

    def draw(self, rng):
        """A source, by its share among those that there are."""
        shares = {source: share for source, share in SHARES.items() if self.train[source]}
        return rng.choices(list(shares), list(shares.values()))[0]

    def batch(self, rng, source, count, passages, limit):
        """Items of a source with passages of like lengths, as pairs."""
        items = rng.choices(self.train[source], k=4 * count)
        chosen = [(item, self.sample(item, passages, rng)) for item in items]
        chosen = [pair for pair in chosen if len(pair[1]) > 1]
        chosen.sort(key=lambda pair: max(min(len(self.tokens[p]), limit) for p in pair[1]))
        start = rng.randrange(max(1, len(chosen) - count + 1))
        return chosen[start : start + count]

    def gains(self, item):
        """Of a development list: judgements, or the teachers' scores squared."""
        if item["labels"]:
            return np.array([item["labels"].get(p, 0.0) for p in item["passages"]])
        taught = self.teach(item, item["passages"])
        return ((taught - taught.min()) / max(taught.max() - taught.min(), 1e-6)) ** 2


class Steps(torch.utils.data.Dataset):
    """What the steps learn from, made by other processes where there are cores for it."""

    def __init__(self, make, steps):
        self.make, self.steps = make, steps

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, index):
        return self.make(self.steps[index])


def loader(make, first, last):
    """Batches of the steps from the first to before the last, in order."""
    workers = 6 if device() == "cuda" else 0
    steps = Steps(make, range(first, last))
    return torch.utils.data.DataLoader(
        steps,
        batch_size=None,
        num_workers=workers,
        pin_memory=workers > 0,
        multiprocessing_context="fork" if workers else None,
    )
