package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.semanticbm25.eval.collection.RankingSystem;

/** How the time of a search grows, top 10, analysis of the text included. */
public final class SearchGrowth {
  private static final int[] WORDS = {1, 2, 4, 8};

  private static final int TOP = 10;
  private static final int WARM_UP = 300;
  private static final int ROUNDS = 600;

  private SearchGrowth() {}

  /**
   * Grows what systems differ in.
   *
   * @param task what is timed
   * @param size what grows
   * @param systems by size
   * @param queries texts that take turns
   */
  public static Growth of(
      String task, String size, SortedMap<Integer, RankingSystem> systems, List<String> queries)
      throws IOException {
    return Growth.measure(
        task,
        size,
        systems,
        WARM_UP,
        ROUNDS,
        (system, round) -> search(system, queries.get(round % queries.size())));
  }

  /**
   * Grows the words of a query.
   *
   * @param texts where queries come from
   */
  public static Growth words(String task, RankingSystem system, GeneratedText texts)
      throws IOException {
    SortedMap<Integer, List<String>> queries = new TreeMap<>();
    for (int words : WORDS) {
      queries.put(words, Stream.generate(() -> texts.query(words)).limit(WARM_UP).toList());
    }
    return Growth.measure(
        task,
        "words of a query",
        queries,
        WARM_UP,
        ROUNDS,
        (some, round) -> search(system, some.get(round % WARM_UP)));
  }

  private static void search(RankingSystem system, String text) throws IOException {
    system.searcher().search(system.query(text), TOP);
  }
}
