"""Reads the training lists and splits them by query."""

import gzip
import hashlib
import json
import os

PASSAGES, LISTS = "passages.jsonl.gz", "lists.jsonl.gz"
JUDGED_ONLY = {"medquad"}  # sources without teachers: long passages, each with its one question


def passages(folder):
    """Texts by id."""
    with gzip.open(os.path.join(folder, PASSAGES), "rt", encoding="utf-8") as lines:
        return {entry["_id"]: entry["text"] for entry in map(json.loads, lines)}


def lists(folder):
    """Dictionaries with source, query, passages, and labels or teacher scores."""
    with gzip.open(os.path.join(folder, LISTS), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def is_development(query):
    """One query in twenty, the same in every source and every run."""
    key = " ".join(query.lower().split()).encode()
    return int(hashlib.sha256(key).hexdigest(), 16) % 20 == 0
