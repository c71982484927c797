"""Reads and writes the training lists, and splits them by query."""

import gzip
import hashlib
import json
import os

PASSAGES, LISTS = "passages.jsonl.gz", "lists.jsonl.gz"


def rows(folder, name):
    with gzip.open(os.path.join(folder, name), "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write(folder, name, rows):
    path = os.path.join(folder, name)
    with gzip.open(path + ".tmp", "wt", encoding="utf-8") as out:
        for row in rows:
            print(json.dumps(row), file=out)
    os.replace(path + ".tmp", path)


def passages(folder):
    """Texts by id."""
    return {row["_id"]: row["text"] for row in rows(folder, PASSAGES)}


def lists(folder):
    """Dictionaries with source, query, passages, and labels, teacher scores or neither."""
    return list(rows(folder, LISTS))


def is_development(query):
    """One query in twenty, the same in every source and every run."""
    key = " ".join(query.lower().split()).encode()
    return int(hashlib.sha256(key).hexdigest(), 16) % 20 == 0
