"""Trains the encoder of contextual soft term frequencies and writes it as ONNX.

One forward pass over a passage alone gives, for any term t of a vocabulary,

  S(t, d) = tf(t, d) + max(0, scale * sum over tokens j of gate(h_j) * kernel(P h_j, e_t) - cut)
  kernel  = max(0, (cosine - threshold) / (1 - threshold)) ** 2
  score   = sum over query terms t of idf(t) * weight(t) * S / (S + k1 * (1 - b + b * length / mean length))

h_j is the last state of token j. e_t is Q s_t + r_t: s_t the term read alone by the start encoder, pooled
over the term's words, r_t what is learnt of the term itself; weight(t) likewise. Terms are stems of words,
as an English analyzer makes them. k1 is fixed: a free one grows on short passages until repeated words of a
long one count too much. A batch is several lists of one source, whose IDF and mean length hold as those of
an index would; every pair of a query and a passage of the batch has a teacher score, so each query learns
from its own list and from all passages of the batch. A penalty on the squared mean contribution of random
terms (as FLOPS regularisation has it) keeps the number of stored terms small.
"""

import argparse
import collections
import functools
import json
import math
import multiprocessing
import os
import random
import re

import numpy as np
import snowballstemmer
import torch
from torch import nn
from torch.nn import functional as F

import bert
import data
import material
import train
from wordpiece import WordPiece

STOP = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there"
    " these they this to was will with".split()
)
WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
DIMENSIONS = 64
K1 = 4.0
SHORT, LONG = 112, 256  # tokens of a passage
LONG_SHARE = 0.3
WAIT = 200  # steps before the penalty adapts
RANDOM_TERMS = 512  # of a step, for the penalty
MIN_PASSAGES = 4  # a term of fewer is not stored as a soft term
STEM = snowballstemmer.stemmer("porter")


@functools.lru_cache(1_000_000)
def stem(word):
    return STEM.stemWord(word)


def surfaces(text):
    """Words as Lucene's EnglishAnalyzer has them before stemming."""
    words = (word.lower().replace("\u2019", "'") for word in WORD.findall(text))
    words = (word[:-2] if word.endswith("'s") else word for word in words)
    return [word for word in words if word not in STOP]


def _counts_of_words(texts):
    return [collections.Counter(surfaces(text)) for text in texts]


def counts_of_words(texts):
    """Of each text, by all cores."""
    parts = [texts[i : i + 2000] for i in range(0, len(texts), 2000)]
    with multiprocessing.get_context("fork").Pool() as pool:
        return [words for part in pool.imap(_counts_of_words, parts) for words in part]


def bm25_idf(frequencies, passages):
    return np.log(1 + (passages - frequencies + 0.5) / (frequencies + 0.5))


class Vocabulary:
    """Terms of the training passages and queries: IDF, and the words that each is made of."""

    def __init__(self, passages, queries):
        """Of the counts of their words."""
        frequencies, forms = collections.Counter(), collections.defaultdict(collections.Counter)
        for words in passages:
            for word, count in words.items():
                forms[stem(word)][word] += count
            frequencies.update({stem(word) for word in words})
        for words in queries:
            for word, count in words.items():
                forms[stem(word)][word] += count
        self.terms = sorted(forms, key=lambda term: (-frequencies[term], term))
        self.number = {term: i for i, term in enumerate(self.terms)}
        df = np.array([frequencies[term] for term in self.terms], dtype=np.float32)
        self.idf = bm25_idf(df, len(passages))
        self.words = [forms[term].most_common(3) for term in self.terms]
        is_word = np.array([term.isalpha() and len(term) > 1 for term in self.terms])
        self.storable = np.flatnonzero((df >= MIN_PASSAGES) & is_word)

    def counts(self, words):
        """Term numbers and frequencies of a text's words; unknown terms are left out."""
        found = collections.Counter()
        for word, count in words.items():
            term = self.number.get(stem(word))
            if term is not None:
                found[term] += count
        return np.array(list(found), dtype=np.int32), np.array(list(found.values()), np.float32)


@torch.no_grad()
def term_vectors(model, pieces, vocabulary):
    """Mean state of each term's words, each read alone, weighted by frequency; unit length."""
    device = material.device()
    words = sorted({word for forms in vocabulary.words for word, _ in forms})
    encoded = [pieces.encode(word)[:16] for word in words]
    order = sorted(range(len(words)), key=lambda i: len(encoded[i]))
    states = np.zeros((len(words), model.config["hidden"]), dtype=np.float32)
    for start in range(0, len(order), 512):
        some = order[start : start + 512]
        ids, mask = padded(pieces, [encoded[i] for i in some], 18)
        inner = mask * (ids != pieces.cls) * (ids != pieces.sep)
        ids, mask, inner = ids.to(device), mask.to(device), inner.to(device)
        with material.autocast():
            last = model.bert.states(ids, mask, torch.zeros_like(ids)).float()
        mean = (last * inner[..., None]).sum(1) / inner.sum(1, keepdim=True).clamp(min=1)
        states[some] = F.normalize(mean, dim=-1).cpu().numpy()
    row = {word: i for i, word in enumerate(words)}
    vectors = np.stack([sum(n * states[row[w]] for w, n in forms) for forms in vocabulary.words])
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def axes(vectors, dimensions):
    """Principal axes, without centring, [dimensions, hidden]."""
    values, columns = np.linalg.eigh(vectors.T @ vectors)
    return torch.from_numpy(columns[:, np.argsort(-values)[:dimensions]].T.copy())


class SoftTerms(nn.Module):
    """What is learnt: the encoder, projections, gates, weights, the scalars of the formula."""

    def __init__(self, encoder, states, storable):
        """Of the terms' states; those that can be stored have vectors and weights of their own."""
        super().__init__()
        hidden = states.shape[1]
        self.bert = encoder
        self.register_buffer("states", torch.from_numpy(states), persistent=False)
        slots = torch.full((len(states),), len(storable))
        slots[torch.from_numpy(storable)] = torch.arange(len(storable))
        self.register_buffer("slots", slots, persistent=False)
        self.passage = nn.Linear(hidden, DIMENSIONS, bias=False)
        self.term = nn.Linear(hidden, DIMENSIONS, bias=False)
        start = axes(states[:30000], DIMENSIONS)
        self.term.weight.data.copy_(start)
        self.passage.weight.data.copy_(start)
        self.gate = nn.Linear(hidden, 1)
        self.weight = nn.Linear(hidden, 1)
        for part in (self.gate, self.weight):
            nn.init.zeros_(part.weight)
            nn.init.constant_(part.bias, 0.5413)  # softplus gives 1
        self.own = nn.Embedding(len(storable) + 1, DIMENSIONS + 1, padding_idx=len(storable))
        nn.init.zeros_(self.own.weight)
        starts = dict(threshold=0.4, scale=2.0, cut=0.02, b=0.3, temperature=1.0)
        self.scalars = nn.ParameterDict({n: nn.Parameter(torch.tensor(v)) for n, v in starts.items()})

    def read(self, ids, mask, frozen):
        """Unit vectors [passages, tokens, dimensions] and gates [passages, tokens] of passages."""
        attend = self.bert.mask(mask)
        with material.autocast():
            with torch.no_grad():
                states = self.bert.embeddings(ids, torch.zeros_like(ids))
                for layer in self.bert.encoder.layer[:frozen]:
                    states = layer(states, states, attend)
            for layer in self.bert.encoder.layer[frozen:]:
                states = layer(states, states, attend)
            vectors = self.passage(states)
        gates = F.softplus(self.gate(states.float())).squeeze(-1) * mask
        return F.normalize(vectors.float(), dim=-1), gates

    def terms(self, numbers):
        """Unit vectors [terms, dimensions] and weights [terms]."""
        states, own = self.states[numbers], self.own(self.slots[numbers])
        vectors = F.normalize(self.term(states) + own[:, :DIMENSIONS], dim=-1)
        return vectors, F.softplus(self.weight(states).squeeze(-1) + own[:, DIMENSIONS])

    def soft(self, terms, vectors, gates):
        """Soft frequencies [passages, terms] of terms given by their unit vectors."""
        s = self.scalars
        flat = vectors.reshape(-1, vectors.shape[-1])
        with material.autocast():
            cosine = flat @ terms.T
        kernel = F.relu((cosine.float() - s["threshold"]) / (1 - s["threshold"])) ** 2
        summed = (kernel * gates.reshape(-1, 1)).view(*gates.shape, -1).sum(1)
        return F.relu(F.softplus(s["scale"]) * summed - s["cut"].clamp(min=0))

    def saturate(self, soft, literal, lengths):
        """Contributions [passages, terms] before IDF and weight, in [0, 1). Lengths are relative."""
        frequency = soft + literal
        b = self.scalars["b"].clamp(0, 1)
        return frequency / (frequency + K1 * (1 - b + b * lengths[:, None]))


class Material(material.Material):
    """Adds terms to what the training of the cross-encoder reads."""

    def __init__(self, folder, work, tokenizer, encoder, cache):
        super().__init__(folder, work, tokenizer, 1, LONG - 2)
        self.pieces = WordPiece(tokenizer)
        texts, queries = counts_of_words(self.texts), counts_of_words(self.queries)
        self.vocabulary = Vocabulary(texts, queries)
        self.counts = [self.vocabulary.counts(words) for words in texts]
        self.query_terms = [self.vocabulary.counts(words)[0].tolist() for words in queries]
        if not os.path.exists(cache):
            vectors = term_vectors(encoder.to(material.device()), self.pieces, self.vocabulary)
            np.save(cache + ".tmp.npy", vectors)
            os.replace(cache + ".tmp.npy", cache)
        self.states = np.load(cache)
        self.idf = torch.from_numpy(self.vocabulary.idf)
        counts = {source: self._counts(source) for source in self.train}
        self.means = {source: mean_length(some) for source, some in counts.items()}
        self.idfs = {source: collection_idf(some, len(self.idf)) for source, some in counts.items()}

    def _counts(self, source):
        items = self.train[source] + self.development[source]
        return [self.counts[p] for p in sorted({p for item in items for p in item["passages"]})]


def collection_idf(counts, terms):
    """BM25's IDF of all terms in a collection."""
    frequencies = np.zeros(terms, dtype=np.float32)
    for numbers, _ in counts:
        frequencies[numbers] += 1
    return torch.from_numpy(bm25_idf(frequencies, len(counts)))


def mean_length(counts):
    """Terms of a passage on average, at least 1."""
    return max(1.0, float(np.mean([frequencies.sum() for _, frequencies in counts] or [1.0])))


def relative_lengths(counts, mean):
    return torch.tensor([float(frequencies.sum()) / mean for _, frequencies in counts])


def literal(counts, terms):
    """Frequencies [passages, terms]."""
    column = {term: i for i, term in enumerate(terms)}
    out = torch.zeros(len(counts), len(terms))
    for row, (numbers, frequencies) in enumerate(counts):
        for number, frequency in zip(numbers.tolist(), frequencies.tolist()):
            if number in column:
                out[row, column[number]] = frequency
    return out


def padded(pieces, tokens, limit):
    rows = [[pieces.cls, *some[: limit - 2], pieces.sep] for some in tokens]
    width = -(-max(map(len, rows)) // 8) * 8
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(width)[None] < lengths[:, None]).float()


class Batches:
    """What one step learns from, which depends on the seed and the step alone, as tensors."""

    def __init__(self, source, seed, lists, passages):
        self.source, self.seed, self.lists, self.passages = source, seed, lists, passages

    def __call__(self, step):
        source, rng = self.source, random.Random(f"{self.seed}/{step}")
        name = source.draw(rng)
        limit = LONG if rng.random() < LONG_SHARE else SHORT
        count = self.lists if limit == SHORT else self.lists // 2
        lists = source.batch(rng, name, count, self.passages, limit)
        passages = list(dict.fromkeys(p for _, some in lists for p in some))
        row = {p: i for i, p in enumerate(passages)}
        counts = [source.counts[p] for p in passages]
        ids, mask = padded(source.pieces, [source.tokens[p].tolist() for p in passages], limit)
        terms = list(dict.fromkeys(t for item, _ in lists for t in source.query_terms[item["query"]]))
        column = {t: i for i, t in enumerate(terms)}
        asks = torch.zeros(len(lists), len(terms))
        own = torch.zeros(len(lists), len(passages), dtype=torch.bool)
        teacher = torch.full((len(lists), len(passages)), math.nan)
        relevant = torch.zeros(len(lists), len(passages))
        for i, (item, some) in enumerate(lists):
            asks[i, [column[t] for t in source.query_terms[item["query"]]]] = 1
            own[i, [row[p] for p in some]] = True
            known = passages if source.vectors else some
            taught = source.teach(item, known)
            if taught is not None:
                teacher[i, [row[p] for p in known]] = torch.from_numpy(taught)
            relevant[i] = torch.tensor([float(item["labels"].get(p, 0) > 0) for p in passages])
        drawn = np.random.default_rng([self.seed, step]).choice(
            source.vocabulary.storable, RANDOM_TERMS
        )
        return dict(
            ids=ids,
            mask=mask,
            terms=torch.cat([torch.tensor(terms, dtype=torch.long), torch.from_numpy(drawn)]),
            literal=literal(counts, terms),
            lengths=relative_lengths(counts, source.means[name]),
            idf=torch.cat([source.idfs[name][terms], source.idf[drawn]]),
            asks=asks,
            own=own,
            teacher=teacher * material.SCALE,
            relevant=relevant,
        )


def loss_of(model, batch, arguments):
    """Distillation loss, penalty, and share of random terms that are stored."""
    vectors, gates = model.read(batch["ids"], batch["mask"], arguments.frozen_layers)
    terms, weights = model.terms(batch["terms"])
    soft, worth = model.soft(terms, vectors, gates), weights * batch["idf"]
    asked, lengths = batch["asks"].shape[1], batch["lengths"]
    matched = model.saturate(soft[:, :asked], batch["literal"], lengths) * worth[:asked]
    added = model.saturate(soft[:, asked:], 0.0, lengths) * worth[asked:]
    penalty = added.mean(0).square().mean() + arguments.mass * added.mean()
    scores = F.softplus(model.scalars["temperature"]) * (batch["asks"] @ matched.T)
    loss = 0.0
    known = ~batch["teacher"].isnan() | (batch["relevant"].sum(1, keepdim=True) > 0)
    for valid, share in ((batch["own"], 1.0), (known, arguments.in_batch)):
        target = train.targets(batch["teacher"], batch["relevant"] * valid, valid)
        loss = loss + share * train.divergence(target, scores, valid).mean()
    return loss, penalty, (soft[:, asked:] > 0).float().mean()


@torch.no_grad()
def scores_of(model, source, tokens, counts, mean, terms, idf):
    """Weighted contributions [passages, terms], and stored soft terms a passage."""
    device, frozen = material.device(), len(model.bert.encoder.layer)
    vectors, weights = model.terms(torch.tensor(terms, device=device))
    storable = source.vocabulary.storable
    probe = np.random.default_rng(0).choice(storable, min(1024, len(storable)), replace=False)
    probes, _ = model.terms(torch.from_numpy(probe).to(device))
    worth = weights * idf.to(device)
    out, stored = torch.zeros(len(tokens), len(terms)), torch.zeros(len(tokens))
    order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
    for start in range(0, len(order), 32):
        some = order[start : start + 32]
        ids, mask = padded(source.pieces, [tokens[i].tolist() for i in some], LONG)
        chosen = [counts[i] for i in some]
        read = model.read(ids.to(device), mask.to(device), frozen)
        soft = model.soft(torch.cat([vectors, probes]), *read)
        literals = literal(chosen, terms).to(device)
        lengths = relative_lengths(chosen, mean).to(device)
        out[some] = (model.saturate(soft[:, : len(terms)], literals, lengths) * worth).cpu()
        stored[some] = (soft[:, len(terms) :] > 0).float().mean(1).cpu()
    return out, float(stored.mean() * len(storable))


def evaluate_lists(model, source, lists):
    """nDCG@10 over development lists, as `train.evaluate` has it."""
    result, every = {}, []
    for name, items in source.development.items():
        values = []
        for item in items[:lists]:
            passages, terms = item["passages"], source.query_terms[item["query"]]
            if not terms:
                continue
            tokens = [source.tokens[p] for p in passages]
            counts = [source.counts[p] for p in passages]
            idf = source.idfs[name][terms]
            scores, _ = scores_of(model, source, tokens, counts, source.means[name], terms, idf)
            values.append(train.ndcg(source.gains(item), scores.sum(1).numpy()))
        if values:
            result[name] = round(float(np.mean(values)), 4)
            every += values
    result["mean"] = round(float(np.mean(every)), 4)
    return result


class Collection:
    """A BEIR folder's development queries, searched in full with what would be stored."""

    def __init__(self, place, source, tokenizer, limit=300):
        folder, split = place.rsplit(":", 1)
        self.name = os.path.basename(folder)
        rows = [json.loads(line) for line in open(os.path.join(folder, "corpus.jsonl"), encoding="utf-8")]
        texts = [(row.get("title", "") + " " + row["text"]).strip() for row in rows]
        self.number = {row["_id"]: i for i, row in enumerate(rows)}
        self.tokens = material.encode(tokenizer, texts, LONG - 2)
        self.counts = [source.vocabulary.counts(words) for words in counts_of_words(texts)]
        queries = {}
        for line in open(os.path.join(folder, "queries.jsonl"), encoding="utf-8"):
            row = json.loads(line)
            queries[row["_id"]] = row["text"]
        gains = collections.defaultdict(dict)
        for line in list(open(os.path.join(folder, "qrels", split + ".tsv"), encoding="utf-8"))[1:]:
            query, passage, grade = line.split("\t")
            if split != "train" or data.is_development(queries[query]):
                gains[query][passage] = float(grade)
        self.gains = {query: gains[query] for query in sorted(gains)[:limit]}
        words = counts_of_words([queries[q] for q in self.gains])
        self.queries = {q: source.vocabulary.counts(w)[0].tolist() for q, w in zip(self.gains, words)}
        self.mean = mean_length(self.counts)
        self.terms = sorted({t for some in self.queries.values() for t in some})
        self.idf = collection_idf(self.counts, len(source.idf))[self.terms]

    def evaluate(self, model, source):
        column = {t: i for i, t in enumerate(self.terms)}
        scores, stored = scores_of(
            model, source, self.tokens, self.counts, self.mean, self.terms, self.idf
        )
        ndcg, recall = [], []
        for query, gains in self.gains.items():
            total = scores[:, [column[t] for t in self.queries[query]]].sum(1).numpy()
            top = np.argsort(-total, kind="stable")[:100]
            dense = np.zeros(len(total))
            for passage, grade in gains.items():
                dense[self.number[passage]] = grade
            ndcg.append(train.ndcg(dense, total))
            recall.append((dense[top] > 0).sum() / max((dense > 0).sum(), 1))
        return dict(
            ndcg=round(float(np.mean(ndcg)), 4),
            recall=round(float(np.mean(recall)), 4),
            stored=round(stored, 1),
        )


class Trainer(train.Trainer):
    """The parameters of soft terms learn at rates of their own, and the penalty adapts."""

    def __init__(self, model, arguments):
        model.bert.embeddings.requires_grad_(False)
        for layer in model.bert.encoder.layer[: arguments.frozen_layers]:
            layer.requires_grad_(False)
        parts = [model.passage, model.term, model.gate, model.weight]
        head = [p for part in parts for p in part.parameters()]
        groups = [model.bert.encoder.parameters(), head, [model.own.weight], model.scalars.parameters()]
        super().__init__(model, groups, (1.0, 4.0, 10.0, 40.0), arguments)
        self.strength, self.smooth = arguments.penalty, None

    def state(self):
        return dict(**super().state(), strength=self.strength, smooth=self.smooth)

    def adapt(self, stored):
        """Raises or lowers the strength of the penalty until as many terms are stored as asked for."""
        self.smooth = stored if self.smooth is None else 0.97 * self.smooth + 0.03 * stored
        if self.step > WAIT:
            ratio = max(self.smooth, 1.0) / self.arguments.terms
            self.strength = min(max(self.strength * ratio**0.01, 1e-2), 1e5)


def parser_of_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--backbone", required=True, help="jar with the encoder to start from")
    parser.add_argument("--start", help="weights of a former run to start from, as weights-N.pt")
    parser.add_argument("--teachers", help="folder that teacher.py wrote to")
    parser.add_argument("--out", required=True, help="folder for model, checkpoints and log")
    parser.add_argument(
        "--collection", action="append", default=[], help="BEIR folder:split to search, for development"
    )
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="at most")
    parser.add_argument("--every", type=int, default=1000, help="steps between checkpoints")
    parser.add_argument("--lists", type=int, default=8, help="of short passages in a batch")
    parser.add_argument("--passages", type=int, default=6, help="of a list")
    parser.add_argument("--development-lists", type=int, default=40, help="of a source")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--frozen-layers", type=int, default=2)
    parser.add_argument("--in-batch", type=float, default=0.5, help="weight of the loss over a batch")
    parser.add_argument("--terms", type=float, default=150, help="soft terms to store of a passage")
    parser.add_argument("--penalty", type=float, default=5.0, help="strength at the beginning")
    parser.add_argument("--mass", type=float, default=0.2, help="weight of the mean in the penalty")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def main():
    arguments = parser_of_arguments().parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    torch.manual_seed(arguments.seed)
    encoder, tokenizer = bert.backbone(arguments.backbone, LONG)
    cache = os.path.join(arguments.out, "terms.npy")
    source = Material(arguments.data, arguments.teachers, tokenizer, encoder, cache)
    model = SoftTerms(encoder.bert, source.states, source.vocabulary.storable)
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start))
    trainer = Trainer(model.to(material.device()), arguments)
    trainer.resume()
    places = [Collection(place, source, tokenizer) for place in arguments.collection]
    seen = []

    def learn(batch):
        loss, penalty, stored = loss_of(model, batch, arguments)
        trainer.learn(loss + trainer.strength * penalty)
        stored = float(stored) * len(source.vocabulary.storable)
        trainer.adapt(stored)
        trainer.texts += len(batch["ids"])
        seen.append((float(loss.detach()), float(penalty.detach()), stored))

    def check():
        means = [round(float(mean), 4) for mean in np.mean(seen, 0)]
        seen.clear()
        checks = dict(lists=evaluate_lists(model, source, arguments.development_lists))
        for place in places:
            checks[place.name] = place.evaluate(model, source)
        trainer.note(
            dict(
                step=trainer.step,
                passages=trainer.texts,
                seconds=round(trainer.seconds),
                loss=means[0],
                penalty=means[1],
                stored=means[2],
                strength=round(trainer.strength, 2),
                scalars={n: round(float(v.detach()), 3) for n, v in model.scalars.items()},
                development=checks,
            )
        )
        torch.save(model.state_dict(), trainer.path(f"weights-{trainer.step}.pt"))

    make = Batches(source, arguments.seed, arguments.lists, arguments.passages)
    trainer.run(make, learn, check)


if __name__ == "__main__":
    main()
