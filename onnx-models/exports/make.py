"""Exports small cross-encoders of several architectures to ONNX, as their users do, with what PyTorch
makes of a few pairs. ExportsCheck compares. Weights are random, drawn wide enough to tell scores apart.

Needs torch, transformers, tokenizers, onnx and onnxscript.
"""

import argparse
import gzip
import json
import os
import shutil

import tokenizers
import torch
import transformers as hf
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

PAIRS = [
    ("cheap laptops", "The notebook costs little and its battery lasts for a day."),
    ("what causes a fever", "An infection raises the temperature of the body."),
    ("rail travel", "Résumé: trains, buses & planes -- all late in 2019!"),
    ("a query", ""),
]
SPECIAL = {"bert": ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"), "roberta": ("<s>", "</s>", "<pad>", "<unk>", "<mask>")}


def tokenizer(kind, family, size, texts, cased=False):
    """A tokenizer of a kind of vocabulary that has learnt from texts."""
    cls, sep, pad, unk, mask = SPECIAL[family]
    names = [cls, pad, sep, unk, mask] if family == "roberta" else [pad, unk, cls, sep, mask]
    if kind == "wordpiece":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token=unk))
        made.normalizer = normalizers.BertNormalizer(lowercase=not cased)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=names)
    elif kind == "bpe":
        made = tokenizers.Tokenizer(models.BPE(unk_token=unk))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=names,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
    else:
        made = tokenizers.Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=names, unk_token=unk)
    made.train_from_iterator(texts, trainer)
    ids = [(name, made.token_to_id(name)) for name in (cls, sep)]
    if family == "roberta":
        pair = f"{cls} $A {sep} {sep} $B {sep}"
    else:
        pair = f"{cls} $A {sep} $B:1 {sep}:1"
    made.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=pair, special_tokens=ids
    )
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return hf.PreTrainedTokenizerFast(
        model_input_names=inputs if family == "bert" else [inputs[0], inputs[2]],
        tokenizer_object=made,
        cls_token=cls,
        sep_token=sep,
        pad_token=pad,
        unk_token=unk,
        mask_token=mask,
        model_max_length=128,
    )


def shape(layers=4, hidden=48, heads=4):
    return dict(
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=2 * hidden,
        num_labels=1,
    )


def architectures():
    """name: (configuration class, its values, kind of vocabulary, family of special tokens, cased)."""
    distil = dict(n_layers=4, dim=48, n_heads=4, hidden_dim=96, num_labels=1)
    wide = dict(max_position_embeddings=130, pad_token_id=1)
    return {
        "bert-2-layers": (hf.BertConfig, shape(2), "wordpiece", "bert", False),
        "bert-4-layers": (hf.BertConfig, shape(), "wordpiece", "bert", False),
        "bert-12-layers": (hf.BertConfig, shape(12, 96, 6), "wordpiece", "bert", False),
        "bert-cased": (hf.BertConfig, shape(), "wordpiece", "bert", True),
        "distilbert": (hf.DistilBertConfig, distil, "wordpiece", "bert", False),
        "electra": (hf.ElectraConfig, dict(shape(), embedding_size=48), "wordpiece", "bert", False),
        "electra-factored": (hf.ElectraConfig, dict(shape(), embedding_size=24), "wordpiece", "bert", False),
        "roberta": (hf.RobertaConfig, dict(shape(), type_vocab_size=1, **wide), "bpe", "roberta", True),
        "xlm-roberta": (hf.XLMRobertaConfig, dict(shape(), type_vocab_size=1, **wide), "unigram", "roberta", True),
        "modernbert": (
            hf.ModernBertConfig,
            dict(shape(), global_attn_every_n_layers=2, local_attention=16, pad_token_id=0, reference_compile=False),
            "bpe",
            "bert",
            True,
        ),
        "deberta": (
            hf.DebertaV2Config,
            dict(shape(), relative_attention=True, position_buckets=32, pos_att_type=["p2c", "c2p"], pad_token_id=1),
            "unigram",
            "roberta",
            True,
        ),
    }


def draw(model):
    """Weights as a trained model's: random ones of the usual deviation make all states alike."""
    generator = torch.Generator().manual_seed(1)
    for name, weights in model.named_parameters():
        if weights.dim() == 2:
            deviation = 0.5 if "embedding" in name else 1.5 / weights.shape[1] ** 0.5
            weights.data = deviation * torch.randn(weights.shape, generator=generator)


def export(name, attention, dynamo, texts, out):
    config_class, values, kind, family, cased = architectures()[name]
    pieces = tokenizer(kind, family, 2000, texts, cased)
    config = config_class(vocab_size=len(pieces), **values)
    model = hf.AutoModelForSequenceClassification.from_config(config, attn_implementation=attention)
    draw(model)
    model.eval()
    os.makedirs(out)
    config.save_pretrained(out)
    pieces.save_pretrained(out)
    inputs = pieces(*zip(*PAIRS), padding=True, return_tensors="pt")
    if "type_vocab_size" not in values and hasattr(config, "type_vocab_size") and config.type_vocab_size > 1:
        names = ["input_ids", "attention_mask", "token_type_ids"]
    else:
        names = ["input_ids", "attention_mask"]
    inputs = {key: inputs[key] for key in names}
    with torch.no_grad():
        logits = model(**inputs).logits
    axes = {key: {0: "batch_size", 1: "sequence_length"} for key in names}
    arguments = dict(input_names=names, output_names=["logits"])
    if dynamo:
        arguments["dynamic_shapes"] = {key: {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC} for key in names}
        arguments["external_data"] = False
    else:
        arguments.update(dynamic_axes={**axes, "logits": {0: "batch_size"}}, opset_version=17)
    torch.onnx.export(model, (), os.path.join(out, "model.onnx"), kwargs=inputs, dynamo=dynamo, **arguments)
    with open(os.path.join(out, "expected.json"), "w", encoding="utf-8") as file:
        pairs = [dict(query=q, passage=p, logit=float(l)) for (q, p), l in zip(PAIRS, logits)]
        json.dump(pairs, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", required=True, help="passages.jsonl.gz for the vocabularies")
    parser.add_argument("--out", required=True, help="folder to make")
    arguments = parser.parse_args()
    with gzip.open(arguments.texts, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for _, line in zip(range(5000), lines)]
    for name in architectures():
        for attention in ("eager", "sdpa"):
            for dynamo in (False, True):
                out = os.path.join(arguments.out, f"{name}_{attention}_{'dynamo' if dynamo else 'trace'}")
                shutil.rmtree(out, ignore_errors=True)
                torch.manual_seed(1)
                try:
                    export(name, attention, dynamo, texts, out)
                    print(out, "made")
                except Exception as problem:  # PyTorch's exporters cannot do all
                    shutil.rmtree(out, ignore_errors=True)
                    print(out, "cannot be exported:", repr(problem).splitlines()[0][:200])


if __name__ == "__main__":
    main()
