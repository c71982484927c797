package org.semanticbm25.eval.serve;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.semanticbm25.eval.ShellWord;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.WordEdit;

/**
 * What a user has set on the page.
 *
 * @param query the text; at most {@value #MAX_QUERY} characters
 * @param parameters of semantic BM25
 * @param edits factors of words
 * @param firstPassWeight of BM25's score beside the logit
 * @param also ids of passages to show whether they are found or not
 */
record Setting(
    String query,
    ScoringParameters parameters,
    Map<String, Float> edits,
    float firstPassWeight,
    List<String> also) {
  static final int MAX_QUERY = 2000;

  private static final int MAX_EDITS = 50;
  private static final int MAX_ALSO = 20;
  private static final int MAX_SOFT_TERMS = 16;
  private static final float MAX_FACTOR = 100f;

  /**
   * Reads what a page sends.
   *
   * @param values by name; those that are missing have their defaults
   * @throws IllegalArgumentException naming the value that is wrong
   */
  static Setting of(Map<String, String> values, ScoringParameters defaults) {
    String query = values.getOrDefault("q", "");
    if (query.length() > MAX_QUERY) {
      throw new IllegalArgumentException("q: longer than " + MAX_QUERY + " characters");
    }
    float softTerms = number(values, "soft", defaults.maxSoftTerms(), 0, MAX_SOFT_TERMS);
    if (softTerms != (int) softTerms) {
      throw new IllegalArgumentException("soft: must be a whole number, got: " + softTerms);
    }
    ScoringParameters parameters =
        new ScoringParameters(
            number(values, "k1", defaults.k1(), 0, 100),
            number(values, "b", defaults.b(), 0, 1),
            number(values, "threshold", defaults.threshold(), 0, 0.99f),
            defaults.exponent(),
            defaults.scale(),
            (int) softTerms,
            number(values, "blend", defaults.idfBlend(), 0, 1),
            defaults.weightExponent());
    return new Setting(
        query,
        parameters,
        edits(values.getOrDefault("edits", "")),
        number(values, "w", CrossEncoderRescorer.FIRST_PASS_WEIGHT, 0, 100),
        values.getOrDefault("also", "").lines().limit(MAX_ALSO).toList());
  }

  private static float number(
      Map<String, String> values, String name, float otherwise, float least, float most) {
    String text = values.get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      float value = Float.parseFloat(text);
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // as a number out of range
    }
    throw new IllegalArgumentException(
        "%s: must be a number from %s to %s, got: %s".formatted(name, least, most, text));
  }

  private static Map<String, Float> edits(String lines) {
    // indented: a word may begin as a comment does
    Map<String, Float> edits = Profile.parse("edits", lines.indent(1)).factors();
    edits.forEach(
        (word, factor) -> {
          if (factor > MAX_FACTOR) {
            throw new IllegalArgumentException(
                "edits: %s of '%s' is above %s".formatted(factor, word, MAX_FACTOR));
          }
        });
    if (edits.size() > MAX_EDITS) {
      throw new IllegalArgumentException("edits: more than " + MAX_EDITS);
    }
    return edits;
  }

  List<WordEdit> wordEdits() {
    List<WordEdit> all = new ArrayList<>();
    edits.forEach((word, factor) -> all.add(new WordEdit(word, factor, "page", "")));
    return all;
  }

  /**
   * The commands that write a model file of this setting and, where the weight of the first pass is
   * not the default, rerank with it.
   */
  String commands(CopiedCommands with) {
    return hasDefaultWeight()
        ? edit(with.edit())
        : String.format(
            Locale.ROOT,
            "%s%nsbm25 search --scorer cross-encoder --first-pass-weight %s%s %s",
            edit(with.edit()),
            firstPassWeight,
            with.search(),
            ShellWord.quoted(query));
  }

  private boolean hasDefaultWeight() {
    return firstPassWeight == CrossEncoderRescorer.FIRST_PASS_WEIGHT;
  }

  private String edit(String options) {
    String words =
        edits.entrySet().stream()
            .map(edit -> " " + ShellWord.quoted(edit.getKey() + "=" + edit.getValue()))
            .collect(Collectors.joining());
    return String.format(
        Locale.ROOT,
        "sbm25 edit%s%s --k1 %s --b %s --soft-terms %d --threshold %s --idf-blend %s -o mine.sbm25",
        words,
        options,
        parameters.k1(),
        parameters.b(),
        parameters.maxSoftTerms(),
        parameters.threshold(),
        parameters.idfBlend());
  }

  /** The Java expression that applies this setting to a field, with the model that it has. */
  String java(String field) {
    StringBuilder java = new StringBuilder();
    java.append(
        String.format(
            Locale.ROOT,
            "SemanticField.of(model, %s, analyzer)%n"
                + "    .withParameters(new ScoringParameters(%sf, %sf, %sf, %sf, %sf, %d, %sf, %sf))",
            literal(field),
            parameters.k1(),
            parameters.b(),
            parameters.threshold(),
            parameters.exponent(),
            parameters.scale(),
            parameters.maxSoftTerms(),
            parameters.idfBlend(),
            parameters.weightExponent()));
    if (!edits.isEmpty()) {
      java.append("\n    .withEdits(List.of(");
      java.append(
          edits.entrySet().stream()
              .map(
                  edit ->
                      String.format(
                          Locale.ROOT,
                          "new WordEdit(%s, %sf, \"\", \"\")",
                          literal(edit.getKey()),
                          edit.getValue()))
              .collect(Collectors.joining(", ")));
      java.append("))");
    }
    java.append(';');
    if (!hasDefaultWeight()) {
      java.append(
          String.format(
              Locale.ROOT,
              "%nCrossEncoderRescorer.interpolated(encoder, %s, passages, %sf);",
              literal(query),
              firstPassWeight));
    }
    return java.toString();
  }

  private static String literal(String text) {
    StringBuilder literal = new StringBuilder("\"");
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                literal.append('\\').append((char) c);
              } else if (c < ' ') {
                literal.append("\\u%04x".formatted(c));
              } else {
                literal.append((char) c);
              }
            });
    return literal.append('"').toString();
  }
}
