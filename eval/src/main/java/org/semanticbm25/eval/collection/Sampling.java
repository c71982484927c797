package org.semanticbm25.eval.collection;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Draws some of many. */
public final class Sampling {
  private Sampling() {}

  /** At most so many of them, in an order that is random but always the same. */
  public static <T> List<T> draw(Collection<T> all, int count) {
    List<T> shuffled = new ArrayList<>(all);
    Collections.shuffle(shuffled, new Random(42));
    return shuffled.subList(0, Math.min(count, shuffled.size()));
  }
}
