package org.semanticbm25.eval.latency;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.math3.distribution.ZipfDistribution;
import org.apache.commons.math3.random.Well19937c;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * Texts of words that are drawn from a model's vocabulary by Zipf's law, the more frequent ones
 * more often. The same seed gives the same texts. Not thread-safe.
 */
public final class GeneratedText {
  private static final int STOP_RANKS = 50;

  private final List<String> words;
  private final Random random;
  private final ZipfDistribution all;
  private final ZipfDistribution content;

  /** Draws from the words of a model. */
  public GeneratedText(SemanticBM25Model model, long seed) {
    this.words = words(model);
    this.random = new Random(seed);
    this.all = new ZipfDistribution(new Well19937c(seed), words.size(), 1);
    this.content = new ZipfDistribution(new Well19937c(seed), words.size() - STOP_RANKS, 1);
  }

  private static List<String> words(SemanticBM25Model model) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < model.wordpieces().size(); i++) {
      String piece = model.wordpieces().piece(i);
      if (piece.matches("[a-z]{2,}")) {
        words.add(piece);
      }
    }
    return words;
  }

  /** A passage of some words. */
  public String passage(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(words.get(all.sample() - 1)).append(' ');
    }
    return text.toString();
  }

  /** A passage of 20 to 99 words. */
  public String passage() {
    return passage(20 + random.nextInt(80));
  }

  /** A query of some words, no stop words. */
  public String query(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(words.get(STOP_RANKS + content.sample() - 1)).append(' ');
    }
    return text.toString();
  }

  /** A query of 2 to 6 words. */
  public String query() {
    return query(2 + random.nextInt(5));
  }

  /** A word that no vocabulary has: three words in one. */
  String newWord() {
    return words.get(random.nextInt(words.size()))
        + words.get(random.nextInt(words.size()))
        + words.get(random.nextInt(words.size()));
  }
}
