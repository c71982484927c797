"""Adds lists whose queries are made of the passages themselves to a folder of training data.

A query is a passage, its first sentences, a middle part of it, a question together with sentences of a
passage that it is asked of, one sentence, or a passage's title. A list holds passages of BM25's first 30
and first 100, and random ones; training adds what the teachers would retrieve. "origin" names the
passage that the query's text was taken from: neither it nor its near duplicates would tell a learner
anything. Queries of more than 24 words are the source "long", others "made". The teachers read them as they
read any other: run teacher.py on the new folder.
"""

import argparse
import collections
import multiprocessing
import os
import random
import re
import shutil

import numpy as np

import data
import soft_terms

SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
WORDS = 12, 160  # of a query of several sentences
SENTENCE_WORDS = 5, 30
LONG = 24  # words; longer queries are a source of their own
K1, B = 0.9, 0.4


class Bm25:
    """BM25 over all passages, whose terms are those of an English analyzer."""

    def __init__(self, texts):
        words = soft_terms.counts_of_words(texts)
        self.vocabulary = soft_terms.Vocabulary(words, [])
        counts = [self.vocabulary.counts(some) for some in words]
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
        words = collections.Counter(soft_terms.surfaces(query))
        for term, times in zip(*self.vocabulary.counts(words)):
            postings = slice(self.starts[term], self.starts[term + 1])
            scores[self.rows[postings]] += times * self.vocabulary.idf[term] * self.values[postings]
        best = np.argpartition(-scores, count)[:count]
        return best[np.argsort(-scores[best], kind="stable")].tolist()


def sentence(text, rng):
    words = rng.choice(SENTENCE.split(" ".join(text.split()))).split()
    return words if SENTENCE_WORDS[0] <= len(words) <= SENTENCE_WORDS[1] else []


def part(text, questions, rng):
    """Whole sentences of a passage where there are some, at times with a question."""
    sentences = SENTENCE.split(" ".join(text.split()))
    kind = rng.randrange(4)
    size = rng.randint(*WORDS) if kind else WORDS[1]
    first = rng.randrange(len(sentences)) if kind > 1 else 0
    words = " ".join(sentences[first:]).split()[:size]
    if kind:
        ends = [i + 1 for i, word in enumerate(words) if word[-1] in ".!?"]
        words = words[: ends[-1]] if ends and ends[-1] >= WORDS[0] else words
    if kind == 3 and questions:
        question = rng.choice(questions)
        words = words[: WORDS[1] // 2]
        words = [question] + words if rng.random() < 0.5 else words + [question]
    return words if len(" ".join(words).split()) >= WORDS[0] else []


def queries(passages, questions, count, rng):
    """Queries, and the passages that they were taken from; None for those that are titles."""
    titles = [row["title"] for row in passages if 1 < len(row.get("title", "").split()) <= LONG]
    made = dict.fromkeys(rng.sample(titles, min(count // 4, len(titles))))
    while len(made) < count:
        row = rng.choice(passages)
        if rng.random() < 0.5:
            words = sentence(row["text"], rng)
        else:
            words = part(row["text"], questions.get(row["_id"], []), rng)
        if words:
            made[" ".join(words)] = row["_id"]
    return made


def candidates(query, origin):
    """Passages of a list; `bm25` and `ids` are what the process was forked with."""
    rng = random.Random(query)
    found = [p for p in bm25.first(query, 100) if ids[p] != origin]
    chosen = rng.sample(found[:30], 6) + rng.sample(found[30:], 4) + rng.sample(range(len(ids)), 2)
    if origin is None:
        chosen.append(found[0])
    return dict(
        source="long" if len(query.split()) > LONG else "made",
        query=query,
        passages=[ids[p] for p in dict.fromkeys(chosen)],
        origin=origin,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--out", required=True, help="folder for the lists, old and new, and passages")
    parser.add_argument("--queries", type=int, default=80000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    entries = data.lists(arguments.data)
    rows = list(data.rows(arguments.data, data.PASSAGES))
    questions = {}
    for entry in entries:
        best = max(zip(entry.get("labels") or entry["teacher"], entry["passages"]))[1]
        questions.setdefault(best, []).append(entry["query"])
    made = queries(rows, questions, arguments.queries, random.Random(arguments.seed))
    global bm25, ids
    ids, bm25 = [row["_id"] for row in rows], Bm25([row["text"] for row in rows])
    with multiprocessing.get_context("fork").Pool() as pool:
        entries += pool.starmap(candidates, made.items(), chunksize=256)
    shutil.copyfile(*(os.path.join(f, data.PASSAGES) for f in (arguments.data, arguments.out)))
    data.write(arguments.out, data.LISTS, entries)


if __name__ == "__main__":
    main()
