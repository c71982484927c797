"""Adds lists of long queries, made of the passages themselves, to a folder of training data.

A query is a passage, its first sentences, a middle part of it, or a question together with sentences
of a passage that it is asked of. A list holds passages of BM25's first 30 and first 100, and random
ones; training adds what the teachers would retrieve. "exclude" names the passage that the query was
taken from and its near duplicates, which would tell a learner nothing. The teachers read the queries
as they read any other: run teacher.py on the new folder.
"""

import argparse
import gzip
import json
import os
import random
import re
import shutil

import numpy as np

import data
import soft_terms
from teacher import TEACHERS

SOURCE = "long"
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
WORDS = 12, 160  # of a query
DUPLICATE = 0.95  # cosine, by both teachers
K1, B = 0.9, 0.4


class Bm25:
    """BM25 over all passages, whose terms are those of an English analyzer."""

    def __init__(self, texts):
        self.vocabulary = soft_terms.Vocabulary(texts, [])
        counts = [self.vocabulary.counts(text) for text in texts]
        lengths = np.array([frequencies.sum() for _, frequencies in counts], dtype=np.float32)
        norms = K1 * (1 - B + B * lengths / lengths.mean())
        terms = np.concatenate([numbers for numbers, _ in counts])
        rows = np.repeat(np.arange(len(counts)), [len(numbers) for numbers, _ in counts])
        frequencies = np.concatenate([frequencies for _, frequencies in counts])
        order = np.argsort(terms, kind="stable")
        self.rows = rows[order]
        self.values = (frequencies / (frequencies + norms[rows]))[order]
        self.starts = np.searchsorted(terms[order], np.arange(len(self.vocabulary.terms) + 1))
        self.passages = len(counts)

    def first(self, query, count):
        """The best passages, best first."""
        scores = np.zeros(self.passages, dtype=np.float32)
        for term, times in zip(*self.vocabulary.counts(query)):
            postings = slice(self.starts[term], self.starts[term + 1])
            scores[self.rows[postings]] += times * self.vocabulary.idf[term] * self.values[postings]
        best = np.argpartition(-scores, count)[:count]
        return best[np.argsort(-scores[best], kind="stable")]


def part(text, questions, rng):
    """A long query made of a passage; None if the passage is too short."""
    sentences = SENTENCE.split(" ".join(text.split()))
    kind = rng.randrange(4)
    size = rng.randint(*WORDS) if kind else WORDS[1]
    first = rng.randrange(len(sentences)) if kind > 1 else 0
    words = " ".join(sentences[first:]).split()[:size]
    if kind:  # whole sentences where there are some
        ends = [i + 1 for i, word in enumerate(words) if word[-1] in ".!?"]
        words = words[: ends[-1]] if ends and ends[-1] >= WORDS[0] else words
    if kind == 3 and questions:
        question = rng.choice(questions)
        words = words[: WORDS[1] // 2]
        words = [question] + words if rng.random() < 0.5 else words + [question]
    query = " ".join(words)
    return query if len(query.split()) >= WORDS[0] else None


def near_duplicates(vectors, row):
    alike = [(some[row] @ some.T).astype(np.float32) > DUPLICATE for some in vectors]
    return np.flatnonzero(np.logical_and.reduce(alike))


def make(passages, entries, vectors, count, seed):
    """Lists of long queries."""
    rng = random.Random(seed)
    ids, texts = list(passages), list(passages.values())
    row = {key: i for i, key in enumerate(ids)}
    taught = [entry for entry in entries if entry["source"] not in data.JUDGED_ONLY]
    questions = {}
    for entry in taught:
        best = max(zip(entry.get("labels") or entry["teacher"], entry["passages"]))[1]
        questions.setdefault(best, []).append(entry["query"])
    pool = np.array(sorted({row[p] for entry in taught for p in entry["passages"]}))
    bm25 = Bm25([texts[i] for i in pool])
    vectors = [some[pool].astype(np.float32) for some in vectors]
    made = {}
    while len(made) < count:
        here = rng.randrange(len(pool))
        query = part(texts[pool[here]], questions.get(ids[pool[here]]), rng)
        if query is None:
            continue
        exclude = near_duplicates(vectors, here)
        found = [p for p in bm25.first(query, 100).tolist() if p not in exclude]
        chosen = rng.sample(found[:30], 6) + rng.sample(found[30:], 4)
        chosen += [p for p in rng.sample(range(len(pool)), 2) if p not in exclude]
        made[query] = dict(
            source=SOURCE,
            query=query,
            passages=[ids[pool[p]] for p in chosen],
            exclude=[ids[pool[p]] for p in exclude],
        )
    return list(made.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--teachers", required=True, help="folder that teacher.py wrote to")
    parser.add_argument("--out", required=True, help="folder for the lists, old and new, and passages")
    parser.add_argument("--queries", type=int, default=15000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    entries = data.lists(arguments.data)
    vectors = [
        np.load(os.path.join(arguments.teachers, f"{name}-passages.npy")) for name in TEACHERS
    ]
    entries += make(
        data.passages(arguments.data), entries, vectors, arguments.queries, arguments.seed
    )
    shutil.copyfile(*(os.path.join(f, data.PASSAGES) for f in (arguments.data, arguments.out)))
    path = os.path.join(arguments.out, data.LISTS)
    with gzip.open(path + ".tmp", "wt", encoding="utf-8") as out:
        for entry in entries:
            print(json.dumps(entry), file=out)
    os.replace(path + ".tmp", path)


if __name__ == "__main__":
    main()
