"""BERT's uncased WordPiece, from a tokenizer.json: the same ids as Hugging Face's tokenizers."""

import json
import re
import unicodedata

ASCII_WORD = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
PLAIN = re.compile(r"[\t\n\r -~]*")


class WordPiece:
    def __init__(self, tokenizer_json):
        model = json.loads(tokenizer_json)["model"]
        self.vocabulary = model["vocab"]
        self.pieces = {}
        self.cls, self.sep, self.unknown = (
            self.vocabulary[token] for token in ("[CLS]", "[SEP]", "[UNK]")
        )

    def encode(self, text):
        """Ids of a text, without [CLS] and [SEP]."""
        ids = []
        for word in words(text):
            known = self.pieces.get(word)
            if known is None:
                known = self.pieces[word] = self._split(word)
            ids.extend(known)
        return ids

    def _split(self, word):
        if len(word) > 100:
            return [self.unknown]
        ids, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else "##" + word[start:end]
                if piece in self.vocabulary:
                    ids.append(self.vocabulary[piece])
                    start = end
                    break
            else:
                return [self.unknown]
        return ids


def words(text):
    """Lower-cased words without accents; punctuation and CJK characters stand alone."""
    if PLAIN.fullmatch(text):
        return ASCII_WORD.findall(text.lower())
    out = []
    for char in text:
        if char in "\t\n\r":
            out.append(" ")
        elif char in "\0\ufffd" or unicodedata.category(char).startswith("C"):
            continue
        elif _is_cjk(ord(char)):
            out.append(f" {char} ")
        else:
            out.append(" " if char.isspace() else char)
    normal = unicodedata.normalize("NFD", "".join(out))
    plain = "".join(c for c in normal if unicodedata.category(c) != "Mn").lower()
    return "".join(f" {c} " if _is_punctuation(c) else c for c in plain).split()


def _is_punctuation(char):
    ascii_sign = char.isascii() and char.isprintable() and not char.isalnum() and char != " "
    return ascii_sign or unicodedata.category(char).startswith("P")


def _is_cjk(code):
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )
