"""Adds passages on computing and many other subjects, with titles as queries, to a folder of training data.

The passages are the descriptions of Debian's packages (a Translation-en.xz of Debian's archive), whose
titles are their short descriptions, and the entries of the Free On-line Dictionary of Computing
(foldoc.dict.dz of Debian's package dict-foldoc), whose titles are the words that they explain.
Passages get a "title", which made_queries.py makes queries of.
"""

import argparse
import gzip
import lzma
import os
import re
import shutil

import data

WORDS = 12  # of a passage, at least
CHARACTERS = 2000
ENTRY = re.compile(r"^(?=\S)", re.M)


def packages(path):
    """Titles and texts; descriptions that begin alike, as those of a library's parts do, count once."""
    seen = set()
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for block in lines.read().split("\n\n"):
            title, _, text = block.partition("Description-en: ")[2].partition("\n")
            text = " ".join(line for line in text.split("\n") if line.strip() != ".")
            text = " ".join(text.split())
            if text[:100] not in seen:
                seen.add(text[:100])
                yield title, text


def dictionary(path):
    """Titles and texts; links lose their braces, sources and dates at the end stay away."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        for entry in ENTRY.split(lines.read()):
            title, _, text = entry.partition("\n")
            text = re.split(r"\n\s*(?:\[|\(\d{4}-)", text)[0]
            yield title, " ".join(re.sub(r"[{}]", "", text).split())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of lists.jsonl.gz, passages.jsonl.gz")
    parser.add_argument("--packages", required=True, help="Translation-en.xz")
    parser.add_argument("--dictionary", required=True, help="foldoc.dict.dz")
    parser.add_argument("--out", required=True, help="folder for the lists and all passages")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    shutil.copyfile(*(os.path.join(f, data.LISTS) for f in (arguments.data, arguments.out)))
    rows = list(data.rows(arguments.data, data.PASSAGES))
    for name, texts in (
        ("package", packages(arguments.packages)),
        ("dictionary", dictionary(arguments.dictionary)),
    ):
        rows += [
            dict(_id=f"{name}-{i}", text=text[:CHARACTERS], title=title)
            for i, (title, text) in enumerate(texts)
            if len(text.split()) >= WORDS
        ]
    data.write(arguments.out, data.PASSAGES, rows)


if __name__ == "__main__":
    main()
