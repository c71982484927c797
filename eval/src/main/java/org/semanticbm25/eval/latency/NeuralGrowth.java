package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;

/** How the time of reranking and of enriching grows, on texts that are generated. */
public final class NeuralGrowth {
  private static final int[] CANDIDATES = {1, 10, 30, 100};
  private static final int[] WORDS = {25, 50, 100, 200};
  private static final int QUERY_WORDS = 6;
  private static final int PASSAGE_WORDS = 60;
  private static final int FEW = 10;
  private static final int ENRICHED = 16;
  private static final int WARM_UP = 2;
  private static final int ROUNDS = 20;

  private NeuralGrowth() {}

  /**
   * Reranks: grows candidates, and the words of ten candidates.
   *
   * @param texts where queries and passages come from
   */
  public static List<Growth> rerank(CrossEncoder encoder, GeneratedText texts) throws IOException {
    String query = texts.query(QUERY_WORDS);
    List<Growth> growth = new ArrayList<>();
    growth.add(
        Growth.measure(
            "rerank passages of %d words".formatted(PASSAGE_WORDS),
            "candidates",
            passages(CANDIDATES, candidates -> passages(texts, candidates, PASSAGE_WORDS)),
            WARM_UP,
            ROUNDS,
            (passages, round) -> encoder.score(query, passages)));
    growth.add(
        Growth.measure(
            "rerank %d candidates".formatted(FEW),
            "words of a passage",
            passages(WORDS, words -> passages(texts, FEW, words)),
            WARM_UP,
            ROUNDS,
            (passages, round) -> encoder.score(query, passages)));
    return growth;
  }

  /**
   * Finds soft terms in context: grows the words of passages.
   *
   * @param texts where passages come from
   */
  public static List<Growth> enrich(SoftTermEncoder encoder, GeneratedText texts)
      throws IOException {
    return List.of(
        Growth.measure(
            "enrich %d passages".formatted(ENRICHED),
            "words of a passage",
            passages(WORDS, words -> passages(texts, ENRICHED, words)),
            WARM_UP,
            ROUNDS,
            (passages, round) -> encoder.encode(passages)));
  }

  /** Passages by size. */
  private static SortedMap<Integer, List<String>> passages(
      int[] sizes, IntFunction<List<String>> make) {
    SortedMap<Integer, List<String>> passages = new TreeMap<>();
    for (int size : sizes) {
      passages.put(size, make.apply(size));
    }
    return passages;
  }

  private static List<String> passages(GeneratedText texts, int count, int words) {
    return Stream.generate(() -> texts.passage(words)).limit(count).toList();
  }
}
