package org.semanticbm25.similarity.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How much words count for a user, a group or a request. It is applied to queries, so that neither
 * index nor model changes: see {@code SemanticField.withProfile}.
 *
 * <p>A factor multiplies the score of a word as a query term and, where soft terms come from the
 * query, its weight as one: 1 changes nothing, 0 blocks the word. It is the controllable retrieval
 * of Lu, Chen and Eickhoff, who scale a token's entry in the IDF direction, at query time.
 * Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class Profile {
  /** Largest factor. */
  public static final float MAX_FACTOR = 1000f;

  private final Map<String, Float> factors;

  private Profile(Map<String, Float> factors) {
    this.factors = Collections.unmodifiableMap(factors);
  }

  /**
   * Makes a profile.
   *
   * @param factors by word as it is written in texts, each in [0, {@value #MAX_FACTOR}]
   * @return the profile
   * @throws IllegalArgumentException if a factor is out of range or a word is blank
   */
  public static Profile of(Map<String, Float> factors) {
    factors.forEach(Profile::check);
    return new Profile(new LinkedHashMap<>(factors));
  }

  private static void check(String word, Float factor) {
    if (!(factor >= 0f && factor <= MAX_FACTOR)) {
      throw new IllegalArgumentException(
          "illegal factor: %s of '%s', must be in [0, %s]".formatted(factor, word, MAX_FACTOR));
    }
    if (word.isBlank()) {
      throw new IllegalArgumentException("illegal word: it is blank");
    }
  }

  /**
   * Reads lines of the form {@code word=factor}. Blank lines, and those that begin with {@code #},
   * say nothing. Of several lines for a word the last counts.
   *
   * @param name of the text, for messages
   * @param text the lines
   * @return the profile
   * @throws IllegalArgumentException if a line is wrong; the message has its number
   */
  public static Profile parse(String name, String text) {
    Map<String, Float> factors = new LinkedHashMap<>();
    int number = 0;
    for (String line : text.split("\\R", -1)) {
      number++;
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      int equals = line.lastIndexOf('=');
      String word = line.substring(0, Math.max(0, equals)).strip();
      try {
        float factor = Float.parseFloat(line.substring(equals + 1));
        check(word, factor);
        factors.put(word, factor);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "%s, line %s: must be word=factor, as in laptop=2, with a factor of 0 to %s, is: %s"
                .formatted(name, number, MAX_FACTOR, line.strip()),
            e);
      }
    }
    return new Profile(factors);
  }

  /**
   * The factors.
   *
   * @return by word, in the order in which they were given
   */
  public Map<String, Float> factors() {
    return factors;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Profile that && factors.equals(that.factors);
  }

  @Override
  public int hashCode() {
    return factors.hashCode();
  }

  @Override
  public String toString() {
    return "Profile" + factors;
  }
}
