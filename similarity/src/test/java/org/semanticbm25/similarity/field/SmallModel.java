package org.semanticbm25.similarity.field;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermProjection;
import org.semanticbm25.similarity.model.WordTable;

/** A model of a few words in four dimensions. */
final class SmallModel {
  static final ScoringParameters PARAMETERS =
      new ScoringParameters(1.2f, 0.75f, 0.7f, 1f, 0.8f, 8, 0f, 1f);

  private static final Map<String, float[]> WORDS = new LinkedHashMap<>();

  static {
    WORDS.put("the", new float[] {0.5f, 0.5f, 0.5f, 0.5f});
    WORDS.put("laptop", new float[] {1, 0, 0, 0});
    WORDS.put("laptops", new float[] {1, 0.2f, 0, 0});
    WORDS.put("notebook", new float[] {1, -0.2f, 0, 0});
    WORDS.put("car", new float[] {0, 1, 0, 0});
    WORDS.put("automobile", new float[] {0.1f, 1, 0, 0});
    WORDS.put("banana", new float[] {0, 0, 1, 0});
    WORDS.put("cheap", new float[] {0, 0, 0, 1});
    WORDS.put("inexpensive", new float[] {0, 0, 0.1f, 1});
  }

  private SmallModel() {}

  /** All words weigh 1. */
  static SemanticBM25Model make() {
    return make(new float[4]);
  }

  /**
   * @param weights direction of the logarithm of a word's weight
   */
  static SemanticBM25Model make(float[] weights) {
    TermProjection projection =
        new TermProjection(new float[4], TermProjection.identity(4).matrix(), weights);
    List<String> words = List.copyOf(WORDS.keySet());
    float[][] states = WORDS.values().toArray(float[][]::new);
    int[] frequencies = new int[states.length];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.max(1, 80 - 10 * i);
    }
    List<String> pieces = new ArrayList<>(words);
    pieces.addAll(List.of("lap", "##pad", "resume"));
    float[][] pieceStates = new float[pieces.size()][];
    float[] idf = new float[pieces.size()];
    for (int i = 0; i < pieceStates.length; i++) {
      pieceStates[i] = i < states.length ? states[i] : new float[] {1, 0, 0, 0};
      idf[i] = -1.5f + 0.3f * i;
    }
    return new SemanticBM25Model(
        new Provenance("small", "00", "1", "now", Map.of()),
        PARAMETERS,
        pieces,
        idf,
        SemanticBM25Model.LAST_LAYER,
        pieceStates,
        projection,
        WordTable.of(100, words, frequencies, states, projection));
  }
}
