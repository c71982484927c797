package org.semanticbm25.similarity.field;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.Sha256;
import org.semanticbm25.similarity.model.TermVectors;
import org.semanticbm25.similarity.model.WordTable;

/**
 * What a model knows of the terms of a field: for each a vector, a weight and an IDF value.
 *
 * <p>The terms are those that the field's analyzer makes of the words of the model's {@link
 * WordTable}. Words that share a term are pooled: the vector is the mean of their unit vectors, the
 * weight their geometric mean, both by frequency. A word that becomes no term, or several, is left
 * out. Immutable and thread-safe.
 */
final class FieldTerms {
  private final String analysis;
  private final SortedTerms terms;
  private final TermVectors vectors;
  private final float[] weights;
  private final float[] idf;

  private FieldTerms(
      String analysis, SortedTerms terms, TermVectors vectors, float[] weights, float[] idf) {
    this.analysis = analysis;
    this.terms = terms;
    this.vectors = vectors;
    this.weights = weights;
    this.idf = idf;
  }

  /** Analyses the words of a model. */
  static FieldTerms of(SemanticBM25Model model, String field, Analyzer analyzer) {
    WordTable words = model.words();
    MessageDigest digest = Sha256.begin();
    Map<BytesRef, List<Integer>> wordsOfTerms = new TreeMap<>();
    for (int i = 0; i < words.size(); i++) {
      List<BytesRef> analysed = Analysis.terms(analyzer, field, words.word(i));
      analysed.forEach(term -> digest.update(term.bytes, term.offset, term.length));
      digest.update((byte) 0);
      // a single letter that a stemmer leaves stands for too much
      if (analysed.size() == 1
          && analysed.getFirst().length > 1
          && !Float.isNaN(model.idfOfWord(i))) {
        wordsOfTerms.computeIfAbsent(analysed.getFirst(), t -> new ArrayList<>(1)).add(i);
      }
    }
    TermVectors.Builder vectors = new TermVectors.Builder(words.vectors().dimensions());
    float[] weights = new float[wordsOfTerms.size()];
    float[] idf = new float[weights.length];
    int i = 0;
    for (List<Integer> pool : wordsOfTerms.values()) {
      if (pool.size() == 1) {
        vectors.add(words.vectors(), pool.getFirst());
      } else {
        vectors.add(meanVector(words, pool));
      }
      weights[i] = (float) Math.exp(mean(words, pool, w -> Math.log(words.weight(w))));
      idf[i++] = (float) mean(words, pool, model::idfOfWord);
    }
    SortedTerms.Builder terms = new SortedTerms.Builder();
    wordsOfTerms.keySet().forEach(terms::add);
    return new FieldTerms(
        HexFormat.of().formatHex(digest.digest(), 0, 8),
        terms.build(),
        vectors.build(),
        weights,
        idf);
  }

  /** Mean over words, by their frequency. */
  private static double mean(WordTable words, List<Integer> pool, IntToDoubleFunction value) {
    double sum = 0;
    double all = 0;
    for (int word : pool) {
      sum += words.frequency(word) * value.applyAsDouble(word);
      all += words.frequency(word);
    }
    return sum / all;
  }

  private static float[] meanVector(WordTable words, List<Integer> pool) {
    float[] mean = new float[words.vectors().dimensions()];
    for (int word : pool) {
      float[] unit = words.vectors().unit(word);
      for (int d = 0; d < mean.length; d++) {
        mean[d] += words.frequency(word) * unit[d];
      }
    }
    return mean;
  }

  /** These terms and those of {@code added} that are not among them. */
  FieldTerms with(AttachedTerms added) {
    SortedTerms.Builder allTerms = new SortedTerms.Builder();
    TermVectors.Builder allVectors = new TermVectors.Builder(vectors.dimensions());
    float[] allWeights = new float[size() + added.size()];
    float[] allIdf = new float[size() + added.size()];
    int own = 0;
    int other = 0;
    while (own < size() || other < added.size()) {
      int order = order(own, added, other);
      int i = allTerms.size();
      allTerms.add(order <= 0 ? term(own) : added.term(other));
      allVectors.add(order <= 0 ? vectors : added.vectors(), order <= 0 ? own : other);
      allWeights[i] = order <= 0 ? weights[own] : added.weight(other);
      allIdf[i] = order <= 0 ? idf[own] : added.idf(other);
      own += order <= 0 ? 1 : 0;
      other += order >= 0 ? 1 : 0;
    }
    return new FieldTerms(
        analysis,
        allTerms.build(),
        allVectors.build(),
        Arrays.copyOf(allWeights, allTerms.size()),
        Arrays.copyOf(allIdf, allTerms.size()));
  }

  /** Which of two terms comes first; one behind the end comes last. */
  private int order(int own, AttachedTerms added, int other) {
    if (own == size()) {
      return 1;
    }
    return other == added.size() ? -1 : term(own).compareTo(added.term(other));
  }

  /** Digest of what the analyzer makes of the model's words. */
  String analysis() {
    return analysis;
  }

  int size() {
    return weights.length;
  }

  /** Whether the terms and their IDF values are the same. */
  boolean hasIdfOf(FieldTerms other) {
    return this == other || (Arrays.equals(idf, other.idf) && terms.equals(other.terms));
  }

  /** Position of a term, or -1. */
  int ordinal(BytesRef term) {
    return terms.ordinal(term);
  }

  BytesRef term(int ordinal) {
    return terms.get(ordinal);
  }

  TermVectors vectors() {
    return vectors;
  }

  float weight(int ordinal) {
    return weights[ordinal];
  }

  /** Without a unit: see {@link SemanticBM25Model#idf(int)}. */
  float idf(int ordinal) {
    return idf[ordinal];
  }
}
