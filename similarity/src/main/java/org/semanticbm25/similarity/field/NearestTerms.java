package org.semanticbm25.similarity.field;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Keeps the nearest of the terms that it is offered. Not thread-safe. */
final class NearestTerms {
  /** A term of the field that is near another one. */
  record Neighbour(int term, float cosine) {}

  private final int most;
  private final int self;
  // what the next term must exceed
  private float least;
  // of equal cosines the first term is kept
  private final PriorityQueue<Neighbour> queue =
      new PriorityQueue<>(
          Comparator.comparingDouble(Neighbour::cosine)
              .thenComparing(Neighbour::term, Comparator.reverseOrder()));

  /**
   * @param most number of terms that are kept
   * @param self a term that is left out, or -1
   */
  NearestTerms(int most, int self) {
    this.most = most;
    this.self = self;
  }

  /** Takes a term if it is near enough. Terms must be offered in ascending order. */
  void offer(int term, float cosine) {
    if (cosine > least && term != self) {
      queue.add(new Neighbour(term, Math.min(1f, cosine)));
      if (queue.size() > most) {
        queue.remove();
      }
      least = queue.size() < most ? 0f : queue.element().cosine();
    }
  }

  /** Those that were kept, the nearest first. */
  List<Neighbour> best() {
    List<Neighbour> nearest = new ArrayList<>();
    while (!queue.isEmpty()) {
      nearest.add(queue.remove());
    }
    Collections.reverse(nearest);
    return nearest;
  }
}
