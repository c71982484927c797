"""Trains the encoder of contextual soft term frequencies and writes it as ONNX.

One forward pass over a passage alone gives, for any term t of a vocabulary,

  S(t, d) = tf(t, d) + max(0, scale * pool over tokens j of gate(h_j) * kernel(P h_j, Q e_t) - cut)
  kernel  = max(0, (cosine - threshold) / (1 - threshold)) ** 2
  score   = sum over query terms t of idf(t) * weight(t) * S / (S + k1 * (1 - b + b * length / mean length))

h_j is the last state of token j, e_t the term read alone by the start encoder, pooled over the term's
words. Terms are stems of words, as an English analyzer makes them. k1 is fixed: a free one grows on
short passages until repeated words of a long one count too much. A batch is several lists of one
source, whose IDF and mean length hold as those of an index would; every pair of a query and a
passage of the batch has a teacher score, so each query learns from its own list and from all
passages of the batch. A penalty on the squared mean contribution of random terms (as FLOPS
regularisation has it) keeps the number of stored terms small.
"""

import argparse
import collections
import functools
import json
import math
import os
import random
import re
import time

import numpy as np
import snowballstemmer
import torch
from torch import nn
from torch.nn import functional as F

import bert
import data
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
LONG_SHARE = 0.25
WAIT = 100  # steps before the penalty adapts
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


def bm25_idf(frequencies, passages):
    return np.log(1 + (passages - frequencies + 0.5) / (frequencies + 0.5))


class Vocabulary:
    """Terms of the training passages: IDF, and the words that each is made of."""

    def __init__(self, texts, queries):
        frequencies, forms = collections.Counter(), collections.defaultdict(collections.Counter)
        for text in texts:
            words = surfaces(text)
            for word in words:
                forms[stem(word)][word] += 1
            frequencies.update({stem(word) for word in words})
        for query in queries:
            for word in surfaces(query):
                forms[stem(word)][word] += 1
        self.terms = sorted(forms, key=lambda term: (-frequencies[term], term))
        self.number = {term: i for i, term in enumerate(self.terms)}
        df = np.array([frequencies[term] for term in self.terms], dtype=np.float32)
        self.idf = bm25_idf(df, len(texts))
        self.words = [forms[term].most_common(3) for term in self.terms]
        is_word = np.array([term.isalpha() and len(term) > 1 for term in self.terms])
        self.storable = np.flatnonzero((df >= MIN_PASSAGES) & is_word)

    def counts(self, text):
        """Term numbers and frequencies of a text; unknown terms are left out."""
        found = collections.Counter(
            self.number[s] for s in map(stem, surfaces(text)) if s in self.number
        )
        return np.array(list(found), dtype=np.int32), np.array(list(found.values()), np.float32)


def term_vectors(model, pieces, vocabulary):
    """Mean state of each term's words, each read alone, weighted by frequency; unit length."""
    words = sorted({word for forms in vocabulary.words for word, _ in forms})
    encoded = [pieces.encode(word)[:16] for word in words]
    order = sorted(range(len(words)), key=lambda i: len(encoded[i]))
    states = np.zeros((len(words), model.config["hidden"]), dtype=np.float32)
    for start in range(0, len(order), 512):
        some = order[start : start + 512]
        width = max(len(encoded[i]) for i in some) + 2
        ids = torch.zeros(len(some), width, dtype=torch.long)
        mask, inner = torch.zeros(len(some), width), torch.zeros(len(some), width)
        for row, i in enumerate(some):
            end = len(encoded[i]) + 2
            ids[row, :end] = torch.tensor([pieces.cls] + encoded[i] + [pieces.sep])
            mask[row, :end] = 1
            inner[row, 1 : end - 1] = 1
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            last = model.bert.states(ids, mask, torch.zeros_like(ids)).float()
        mean = (last * inner[..., None]).sum(1) / inner.sum(1, keepdim=True).clamp(min=1)
        states[some] = F.normalize(mean, dim=-1).numpy()
    row = {word: i for i, word in enumerate(words)}
    vectors = np.stack(
        [sum(n * states[row[w]] for w, n in forms) for forms in vocabulary.words]
    )
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def word_vectors(folder, vocabulary):
    """Unit vectors of terms, pooled from those of whole words: words.txt and words.f32 in a folder."""
    with open(os.path.join(folder, "words.txt"), encoding="utf-8") as lines:
        row = {line.rstrip("\n"): i for i, line in enumerate(lines)}
    table = np.fromfile(os.path.join(folder, "words.f32"), dtype="<f4").reshape(len(row), -1)
    vectors = np.zeros((len(vocabulary.terms), table.shape[1]), dtype=np.float32)
    for i, forms in enumerate(vocabulary.words):
        for word, count in forms:
            if word in row:
                vectors[i] += count * table[row[word]]
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def axes(vectors, dimensions):
    """Principal axes, without centring, [dimensions, hidden]."""
    values, columns = np.linalg.eigh(vectors.T @ vectors)
    return torch.from_numpy(columns[:, np.argsort(-values)[:dimensions]].T.copy())


class SoftTerms(nn.Module):
    def __init__(self, encoder, states, vectors, pool, exponent):
        super().__init__()
        hidden, width = states.shape[1], vectors.shape[1]
        self.bert, self.pool, self.exponent = encoder, pool, exponent
        self.passage = nn.Linear(hidden, DIMENSIONS, bias=False)
        self.term = nn.Linear(width, DIMENSIONS, bias=False)
        if width == hidden:
            start = axes(vectors[:30000], DIMENSIONS)
            self.term.weight.data.copy_(start)
        else:
            nn.init.eye_(self.term.weight)
            start = np.linalg.lstsq(states[:30000], vectors[:30000], rcond=None)[0].T.copy()
            start = torch.from_numpy(start)
        self.passage.weight.data.copy_(start)
        self.gate = nn.Linear(hidden, 1)
        self.weight = nn.Linear(width, 1)
        for part in (self.gate, self.weight):
            nn.init.zeros_(part.weight)
            nn.init.constant_(part.bias, 0.5413)  # softplus gives 1
        starts = dict(threshold=0.4, scale=2.0, cut=0.02, b=0.3, temperature=1.0)
        self.scalars = nn.ParameterDict({n: nn.Parameter(torch.tensor(v)) for n, v in starts.items()})

    def read(self, ids, mask, frozen):
        """Unit vectors [passages, tokens, dimensions] and gates [passages, tokens] of passages."""
        attend = self.bert.mask(mask)
        with torch.autocast(ids.device.type, dtype=torch.bfloat16):
            with torch.no_grad():
                states = self.bert.embeddings(ids, torch.zeros_like(ids))
                for layer in self.bert.encoder.layer[:frozen]:
                    states = layer(states, states, attend)
            for layer in self.bert.encoder.layer[frozen:]:
                states = layer(states, states, attend)
            vectors = self.passage(states)
        gates = F.softplus(self.gate(states.float())).squeeze(-1) * mask
        return F.normalize(vectors.float(), dim=-1), gates

    def soft(self, terms, vectors, gates):
        """Soft frequencies [passages, terms] of terms given by their vectors [terms, hidden]."""
        s = self.scalars
        queries = F.normalize(self.term(terms), dim=-1)
        flat = vectors.reshape(-1, vectors.shape[-1])
        with torch.autocast(flat.device.type, dtype=torch.bfloat16):
            cosine = flat @ queries.T
        kernel = F.relu((cosine.float() - s["threshold"]) / (1 - s["threshold"])) ** self.exponent
        each = (kernel * gates.reshape(-1, 1)).view(*gates.shape, -1)
        pooled = each.sum(1) if self.pool == "sum" else each.amax(1)
        return F.relu(F.softplus(s["scale"]) * pooled - s["cut"].clamp(min=0))

    def saturate(self, soft, literal, lengths):
        """Contributions [passages, terms] before IDF and weight, in [0, 1). Lengths are relative."""
        s = self.scalars
        frequency = soft + literal
        b = s["b"].clamp(0, 1)
        return frequency / (frequency + K1 * (1 - b + b * lengths[:, None]))

    def weights(self, terms):
        return F.softplus(self.weight(terms)).squeeze(-1)


class Material(train.Material):
    """Adds terms to what the training of the cross-encoder reads."""

    def __init__(self, folder, work, tokenizer, encoder, cache, words):
        super().__init__(folder, work, tokenizer)
        self.pieces = WordPiece(tokenizer)
        texts = list(data.passages(folder).values())
        queries = sorted({entry["query"] for entry in data.lists(folder)})
        self.vocabulary = Vocabulary(texts, queries)
        self.counts = [self.vocabulary.counts(text) for text in texts]
        self.queries = [self.vocabulary.counts(query)[0].tolist() for query in queries]
        if not os.path.exists(cache):
            np.save(cache + ".tmp.npy", term_vectors(encoder, self.pieces, self.vocabulary))
            os.replace(cache + ".tmp.npy", cache)
        self.states_of_terms = np.load(cache)
        vectors = word_vectors(words, self.vocabulary) if words else self.states_of_terms
        self.vectors_of_terms = torch.from_numpy(vectors)
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
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(width)[None] < lengths[:, None]).float()


def batch(material, seed, step, lists):
    """The lists of one step, which depend on the seed and the step alone."""
    rng = random.Random(f"{seed}/{step}")
    source = material.draw(rng)
    limit = LONG if rng.random() < LONG_SHARE else SHORT
    count = lists if limit == SHORT else lists // 2
    items = rng.choices(material.train[source], k=3 * count)
    chosen = [(item, material.sample(item, rng)) for item in items]
    chosen.sort(key=lambda pair: max(min(len(material.tokens[p]), limit) for p in pair[1]))
    start = rng.randrange(len(chosen) - count + 1)
    return source, chosen[start : start + count], limit


def target(material, item, passages):
    """What a query's scores over passages are to be, as probabilities; None if nothing tells."""
    parts = []
    taught = material.teach(item, passages)
    if taught is not None:
        parts.append(torch.softmax(torch.from_numpy(taught).float() * train.SCALE, 0))
    relevant = torch.tensor([float(item["labels"].get(p, 0) > 0) for p in passages])
    if relevant.sum() > 0:
        parts.append(relevant / relevant.sum())
    return sum(parts) / len(parts) if parts else None


def divergence(target, scores):
    entropy = (target * target.clamp_min(1e-9).log()).sum()
    return entropy - (target * torch.log_softmax(scores, 0)).sum()


def loss_of(model, material, source, lists, limit, arguments, rng):
    """Distillation loss and penalty of one batch."""
    passages = list(dict.fromkeys(p for _, some in lists for p in some))
    row = {p: i for i, p in enumerate(passages)}
    counts = [material.counts[p] for p in passages]
    lengths = relative_lengths(counts, material.means[source])
    terms = list(dict.fromkeys(t for item, _ in lists for t in material.queries[item["query"]]))
    column = {t: i for i, t in enumerate(terms)}
    drawn = torch.from_numpy(rng.choice(material.vocabulary.storable, RANDOM_TERMS))
    vectors, gates = model.read(
        *padded(material.pieces, [material.tokens[p].tolist() for p in passages], limit),
        arguments.frozen_layers,
    )
    every = torch.cat([torch.tensor(terms, dtype=torch.long), drawn])
    states = material.vectors_of_terms[every]
    soft = model.soft(states, vectors, gates)
    weights = model.weights(states)
    matched = model.saturate(soft[:, : len(terms)], literal(counts, terms), lengths)
    matched = matched * weights[: len(terms)] * material.idfs[source][terms]
    added = model.saturate(soft[:, len(terms) :], 0.0, lengths)
    added = added * weights[len(terms) :] * material.idf[drawn]
    penalty = added.mean(0).square().mean() + arguments.mass * added.mean()
    temperature = F.softplus(model.scalars["temperature"])
    loss, known = 0.0, 0
    for item, own in lists:
        columns = [column[t] for t in material.queries[item["query"]]]
        scores = temperature * matched[:, columns].sum(1)
        for some, share in ((own, 1.0), (passages, arguments.in_batch)):
            wanted = target(material, item, some)
            if wanted is not None:
                loss = loss + share * divergence(wanted, scores[[row[p] for p in some]])
        known += 1
    stored = (soft[:, len(terms) :] > 0).float().mean() * len(material.vocabulary.storable)
    return loss / known, penalty, float(stored)


@torch.no_grad()
def scores_of(model, material, tokens, counts, mean, terms, idf, frozen):
    """Weighted contributions [passages, terms], and stored soft terms a passage."""
    states = material.vectors_of_terms[terms]
    worth = model.weights(states) * idf
    probe = np.random.default_rng(0).choice(material.vocabulary.storable, 1024, replace=False)
    probes = material.vectors_of_terms[torch.from_numpy(probe)]
    out, stored = torch.zeros(len(tokens), len(terms)), torch.zeros(len(tokens))
    order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
    for start in range(0, len(order), 32):
        some = order[start : start + 32]
        vectors, gates = model.read(
            *padded(material.pieces, [tokens[i] for i in some], LONG), frozen
        )
        chosen = [counts[i] for i in some]
        soft = model.soft(torch.cat([states, probes]), vectors, gates)
        literals = literal(chosen, terms)
        lengths = relative_lengths(chosen, mean)
        out[some] = model.saturate(soft[:, : len(terms)], literals, lengths) * worth
        stored[some] = (soft[:, len(terms) :] > 0).float().mean(1)
    return out, float(stored.mean() * len(material.vocabulary.storable))


def evaluate_lists(model, material, lists, frozen):
    """nDCG@10 over development lists, as `train.evaluate` has it."""
    result, every = {}, []
    for source, items in material.development.items():
        values = []
        for item in items[:lists]:
            passages = item["passages"]
            terms = material.queries[item["query"]]
            if not terms:
                continue
            tokens = [material.tokens[p].tolist() for p in passages]
            counts = [material.counts[p] for p in passages]
            mean, idf = material.means[source], material.idfs[source][terms]
            scores, _ = scores_of(model, material, tokens, counts, mean, terms, idf, frozen)
            gains = np.array([item["labels"].get(p, 0.0) for p in passages])
            if not item["labels"]:
                taught = material.teach(item, passages)
                gains = ((taught - taught.min()) / max(taught.max() - taught.min(), 1e-6)) ** 2
            values.append(train.ndcg(gains, scores.sum(1).numpy()))
        if values:
            result[source] = round(float(np.mean(values)), 4)
            every += values
    result["mean"] = round(float(np.mean(every)), 4)
    return result


class Collection:
    """A BEIR folder's development queries, searched in full with what would be stored."""

    def __init__(self, place, material, limit=300):
        folder, split = place.rsplit(":", 1)
        self.name = os.path.basename(folder)
        rows = [json.loads(line) for line in open(os.path.join(folder, "corpus.jsonl"), encoding="utf-8")]
        texts = [(row.get("title", "") + " " + row["text"]).strip() for row in rows]
        self.number = {row["_id"]: i for i, row in enumerate(rows)}
        self.tokens = [material.pieces.encode(text[: 6 * LONG])[: LONG - 2] for text in texts]
        self.counts = [material.vocabulary.counts(text) for text in texts]
        queries = {}
        for line in open(os.path.join(folder, "queries.jsonl"), encoding="utf-8"):
            row = json.loads(line)
            queries[row["_id"]] = row["text"]
        self.gains = collections.defaultdict(dict)
        for line in list(open(os.path.join(folder, "qrels", split + ".tsv"), encoding="utf-8"))[1:]:
            query, passage, grade = line.split("\t")
            if split != "train" or data.is_development(queries[query]):
                self.gains[query][passage] = float(grade)
        keep = sorted(self.gains)[:limit]
        self.gains = {query: self.gains[query] for query in keep}
        self.queries = {q: material.vocabulary.counts(queries[q])[0].tolist() for q in keep}
        self.mean = mean_length(self.counts)
        self.terms = sorted({t for some in self.queries.values() for t in some})
        self.idf = collection_idf(self.counts, len(material.idf))[self.terms]

    def evaluate(self, model, material, frozen):
        column = {t: i for i, t in enumerate(self.terms)}
        scores, stored = scores_of(
            model, material, self.tokens, self.counts, self.mean, self.terms, self.idf, frozen
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
    """The parameters of soft terms learn at rates of their own."""

    def __init__(self, model, arguments):
        self.model, self.arguments, self.device = model, arguments, "cpu"
        self.step, self.pairs, self.best = 0, 0, 0.0
        model.bert.embeddings.requires_grad_(False)
        for layer in model.bert.encoder.layer[: arguments.frozen_layers]:
            layer.requires_grad_(False)
        body = [p for p in model.bert.encoder.parameters() if p.requires_grad]
        parts = [model.passage, model.term, model.gate, model.weight]
        head = [p for part in parts for p in part.parameters()]
        self.factors = (1.0, 4.0, 40.0)
        groups = [dict(params=g) for g in (body, head, list(model.scalars.parameters()))]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        self.kl, self.penalty, self.stored = [], [], []
        self.strength, self.smooth = arguments.penalty, None

    def _state(self):
        return dict(strength=self.strength, smooth=self.smooth)

    def _adapt(self, stored):
        """Raises or lowers the strength of the penalty until as many terms are stored as asked for."""
        self.smooth = stored if self.smooth is None else 0.97 * self.smooth + 0.03 * stored
        if self.step > WAIT:
            ratio = max(self.smooth, 1.0) / self.arguments.terms
            self.strength = min(max(self.strength * ratio**0.01, 1e-2), 1e5)

    def learn(self, material):
        arguments = self.arguments
        for group, factor in zip(self.optimizer.param_groups, self.factors):
            group["lr"] = factor * train.rate(self.step, arguments.steps, arguments.rate, 100)
        source, lists, limit = batch(material, arguments.seed, self.step, arguments.lists)
        rng = np.random.default_rng([arguments.seed, self.step])
        loss, penalty, stored = loss_of(self.model, material, source, lists, limit, arguments, rng)
        self._adapt(stored)
        self.optimizer.zero_grad()
        (loss + self.strength * penalty).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.pairs += sum(len(some) for _, some in lists)
        for values, value in zip(
            (self.kl, self.penalty, self.stored), (float(loss.detach()), float(penalty.detach()), stored)
        ):
            values.append(value)

    def report(self, since):
        means = [round(float(np.mean(v)), 4) for v in (self.kl, self.penalty, self.stored)]
        scalars = {n: round(float(v.detach()), 3) for n, v in self.model.scalars.items()}
        entry = dict(
            step=self.step,
            passages=self.pairs,
            seconds=round(time.time() - since),
            loss=means[0],
            penalty=means[1],
            stored=means[2],
            strength=round(self.strength, 2),
            scalars=scalars,
        )
        self.kl, self.penalty, self.stored = [], [], []
        return entry


def run(trainer, material, collections_):
    arguments = trainer.arguments
    end, since = time.time() + 60 * arguments.minutes, time.time()
    with open(os.path.join(arguments.out, "log.jsonl"), "a", encoding="utf-8") as log:

        def note(entry):
            print(json.dumps(entry), file=log, flush=True)
            print(json.dumps(entry), flush=True)

        while trainer.step < arguments.steps and time.time() < end:
            trainer.learn(material)
            last = trainer.step == arguments.steps
            if trainer.step % 50 == 0 or last:
                note(trainer.report(since))
            if trainer.step % 250 == 0:
                trainer.save()
            if trainer.step % arguments.every == 0 or last:
                trainer.model.eval()
                frozen = len(trainer.model.bert.encoder.layer)
                checks = dict(lists=evaluate_lists(trainer.model, material, 40, frozen))
                for some in collections_:
                    checks[some.name] = some.evaluate(trainer.model, material, frozen)
                note(dict(step=trainer.step, development=checks))
                torch.save(trainer.model.state_dict(), trainer._path(f"step-{trainer.step}.pt"))
                trainer.model.train()
    trainer.save()


def parser_of_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--backbone", required=True, help="jar with the encoder to start from")
    parser.add_argument("--start", help="weights of a former run to start from, as step-N.pt")
    parser.add_argument("--teachers", help="folder that teacher.py wrote to")
    parser.add_argument("--out", required=True, help="folder for model, checkpoints and log")
    parser.add_argument(
        "--collection", action="append", default=[], help="BEIR folder:split to search, for development"
    )
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop, to be resumed")
    parser.add_argument("--every", type=int, default=1000, help="steps between development checks")
    parser.add_argument("--lists", type=int, default=8, help=f"of {train.PASSAGES} passages in a batch")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--frozen-layers", type=int, default=2)
    parser.add_argument("--in-batch", type=float, default=0.5, help="weight of the loss over a batch")
    parser.add_argument("--terms", type=float, default=100, help="soft terms to store of a passage")
    parser.add_argument("--penalty", type=float, default=5.0, help="strength at the beginning")
    parser.add_argument("--mass", type=float, default=0.2, help="weight of the mean in the penalty")
    parser.add_argument("--words", help="folder of words.txt and words.f32, vectors of whole words")
    parser.add_argument("--pool", choices=["sum", "max"], default="sum")
    parser.add_argument("--exponent", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser


def main():
    arguments = parser_of_arguments().parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    torch.manual_seed(arguments.seed)
    encoder, tokenizer = bert.backbone(arguments.backbone, LONG)
    cache = os.path.join(arguments.out, "terms.npy")
    material = Material(
        arguments.data, arguments.teachers, tokenizer, encoder, cache, arguments.words
    )
    vectors = material.vectors_of_terms.numpy()
    model = SoftTerms(
        encoder.bert, material.states_of_terms, vectors, arguments.pool, arguments.exponent
    )
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start))
    trainer = Trainer(model, arguments)
    trainer.resume()
    run(trainer, material, [Collection(place, material) for place in arguments.collection])


if __name__ == "__main__":
    main()
