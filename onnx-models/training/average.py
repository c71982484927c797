"""Averages the weights of models of ours, the later trained from the earlier, and writes ONNX.

The mean of two such models is often better than either: it has what the later one learnt and keeps
more of what the earlier one knew.
"""

import argparse
import os

import bert
from train import POSITIONS, export


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", required=True, help="jar with the encoder they started from")
    parser.add_argument("--out", required=True, help="folder for model and tokenizer")
    parser.add_argument("models", nargs="+", help="model.onnx files, float or int8")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    states = []
    for path in arguments.models:
        model, tokenizer = bert.backbone(arguments.backbone, POSITIONS)
        bert.restore(model, path)
        states.append(model.state_dict())
    for name, weights in states[0].items():
        if weights.is_floating_point():
            weights.copy_(sum(state[name] for state in states) / len(states))
    model.load_state_dict(states[0])
    with open(os.path.join(arguments.out, "tokenizer.json"), "w", encoding="utf-8") as file:
        file.write(tokenizer)
    export(model, os.path.join(arguments.out, "model.onnx"))


if __name__ == "__main__":
    main()
