package org.semanticbm25.onnx.runtime;

import java.util.ArrayList;
import java.util.List;
import org.semanticbm25.onnx.runtime.PairBatch.Window;

/** How a passage is scored that does not fit into a cross-encoder beside the query. */
public enum LongPassages {
  /** By as many tokens from its beginning as fit. */
  FIRST_WINDOW {
    @Override
    int[] encode(PairTokenizer tokenizer, String passage, int room) {
      return tokenizer.encodeStart(passage, room);
    }

    @Override
    public List<Window> windows(int passage, int tokens, int room) {
      return List.of(new Window(passage, 0, Math.min(tokens, room)));
    }
  },
  /** By the highest logit of windows that overlap by half and together hold all of it. */
  BEST_WINDOW {
    @Override
    int[] encode(PairTokenizer tokenizer, String passage, int room) {
      return tokenizer.encode(passage);
    }

    @Override
    public List<Window> windows(int passage, int tokens, int room) {
      List<Window> windows = new ArrayList<>();
      int start = 0;
      while (start + room < tokens) {
        windows.add(new Window(passage, start, start + room));
        start += (room + 1) / 2;
      }
      windows.add(new Window(passage, start, tokens));
      return windows;
    }
  };

  /** As many tokens of a passage as are needed. */
  abstract int[] encode(PairTokenizer tokenizer, String passage, int room);

  /**
   * Windows of a passage, at least one.
   *
   * @param passage number of the passage, kept in each window
   * @param tokens number of its tokens, 0 or more
   * @param room tokens of a window at most, at least 1
   * @return windows in the order of the passage; of a passage without tokens an empty one
   */
  public abstract List<Window> windows(int passage, int tokens, int room);
}
