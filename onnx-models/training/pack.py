"""Writes what training has changed of a model as halves, a quarter of the size of its ONNX file.

The .npz serves wherever a model.onnx is to be started from: train.py --start, average.py.
"""

import argparse
import os

import numpy as np

import bert


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="model.onnx")
    parser.add_argument("packed", help=".npz to write")
    arguments = parser.parse_args()
    weights = bert.trained(arguments.model)
    with open(arguments.packed + ".tmp", "wb") as out:
        np.savez_compressed(out, **{name: w.numpy().astype(np.float16) for name, w in weights.items()})
    os.replace(arguments.packed + ".tmp", arguments.packed)


if __name__ == "__main__":
    main()
