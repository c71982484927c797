package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute;
import org.apache.lucene.analysis.tokenattributes.PositionLengthAttribute;
import org.apache.lucene.analysis.tokenattributes.TermToBytesRefAttribute;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.WordEdit;

/** How much the terms of a field count, by edits and profiles of words. Immutable. */
final class TermFactors {
  static final TermFactors NONE = new TermFactors(Map.of());

  private static final float LEAST = 1e-6f;
  private static final float MOST = 1e6f;

  private final Map<BytesRef, Float> factors;

  private TermFactors(Map<BytesRef, Float> factors) {
    this.factors = factors;
  }

  /** Those of edits; of several for a term the last counts. */
  static TermFactors of(List<WordEdit> edits, String field, Analyzer analyzer) {
    Map<BytesRef, Float> factors = new HashMap<>();
    for (WordEdit edit : edits) {
      terms(edit.word(), field, analyzer).forEach(term -> factors.put(term, edit.weight()));
    }
    return new TermFactors(factors);
  }

  /** Those of a profile; of words that share a term the product counts. */
  static TermFactors of(Profile profile, String field, Analyzer analyzer) {
    Map<BytesRef, Float> factors = new HashMap<>();
    profile
        .factors()
        .forEach(
            (word, factor) ->
                terms(word, field, analyzer)
                    .forEach(term -> factors.merge(term, factor, TermFactors::product)));
    return new TermFactors(factors);
  }

  /** The terms that stand for a whole word: parts of a synonym of several words do not. */
  private static Set<BytesRef> terms(String word, String field, Analyzer analyzer) {
    List<Token> tokens = tokens(word, field, analyzer);
    int start = tokens.stream().mapToInt(Token::start).min().orElse(0);
    int end = tokens.stream().mapToInt(Token::end).max().orElse(0);
    Set<BytesRef> terms = new HashSet<>();
    for (Token token : tokens) {
      if (token.start == start && token.end == end) {
        terms.add(token.term);
      }
    }
    boolean isParts = terms.isEmpty() && !tokens.isEmpty();
    if (isParts || !word.strip().matches("\\S+")) {
      throw new IllegalArgumentException(
          "illegal word '" + word + "': it is several words to the analyzer; give each of them");
    }
    return terms;
  }

  /** A term of a token stream, and the positions between which it lies. */
  private record Token(BytesRef term, int start, int end) {}

  private static List<Token> tokens(String word, String field, Analyzer analyzer) {
    List<Token> tokens = new ArrayList<>();
    try (TokenStream stream = analyzer.tokenStream(field, word)) {
      TermToBytesRefAttribute term = stream.addAttribute(TermToBytesRefAttribute.class);
      PositionIncrementAttribute step = stream.addAttribute(PositionIncrementAttribute.class);
      PositionLengthAttribute length = stream.addAttribute(PositionLengthAttribute.class);
      stream.reset();
      for (int position = 0; stream.incrementToken(); ) {
        position += step.getPositionIncrement();
        BytesRef bytes = BytesRef.deepCopyOf(term.getBytesRef());
        tokens.add(new Token(bytes, position, position + length.getPositionLength()));
      }
      stream.end();
    } catch (IOException e) {
      throw new UncheckedIOException("analysis of '" + word + "' failed", e);
    }
    return tokens;
  }

  /** In a range where scores are finite, and 0 only if a factor is. */
  private static float product(float a, float b) {
    return a == 0f || b == 0f ? 0f : (float) Math.clamp((double) a * b, LEAST, MOST);
  }

  /** The products of these factors and others. */
  TermFactors times(TermFactors others) {
    Map<BytesRef, Float> product = new HashMap<>(factors);
    others.factors.forEach((term, factor) -> product.merge(term, factor, TermFactors::product));
    return new TermFactors(product);
  }

  /** The factor of a term, 1 if it has none. */
  float of(BytesRef term) {
    return factors.getOrDefault(term, 1f);
  }
}
