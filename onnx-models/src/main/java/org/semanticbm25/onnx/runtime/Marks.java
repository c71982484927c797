package org.semanticbm25.onnx.runtime;

import org.semanticbm25.onnx.graph.OnnxGraph;

/** Which sets of tokens attention is summed over, see {@link OnnxGraph#MARKS}. */
public enum Marks {
  /** The passage, and the separator after it. */
  PASSAGE_AND_SEPARATOR {
    @Override
    int count(int length) {
      return 2;
    }

    @Override
    int mark(int token, boolean isPassage, boolean isSeparator) {
      return isPassage ? 0 : isSeparator ? 1 : NONE;
    }
  },
  /** Each token of the passage by itself, at its position in the input. */
  EACH_TOKEN {
    @Override
    int count(int length) {
      return length;
    }

    @Override
    int mark(int token, boolean isPassage, boolean isSeparator) {
      return isPassage ? token : NONE;
    }
  };

  static final int NONE = -1;

  /** Number of sets in an input of a length. */
  abstract int count(int length);

  /**
   * The set that a token belongs to, or {@link #NONE}.
   *
   * @param token position in the input
   * @param isPassage whether it is part of the passage
   * @param isSeparator whether it is the separator after the passage
   */
  abstract int mark(int token, boolean isPassage, boolean isSeparator);
}
