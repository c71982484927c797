package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.context.SoftTermEncoder.WordShare;
import org.semanticbm25.similarity.field.ContextualField;

/**
 * Adds to the explanation of a contextual score which words of the passage made the soft
 * frequencies: reads the passage again. Thread-safe.
 *
 * @lucene.experimental
 */
public final class SoftTermExplainer {
  private static final int SHOWN = 5;

  private final ContextualField field;
  private final SoftTermEncoder encoder;

  /**
   * For any number of explanations.
   *
   * @param field that was searched
   * @param encoder of its model
   */
  public SoftTermExplainer(ContextualField field, SoftTermEncoder encoder) {
    this.field = field;
    this.encoder = encoder;
  }

  /**
   * Explains a score further.
   *
   * @param scored explanation of a query by {@link ContextualField#query}
   * @param query its text
   * @param passage text of the document; null if it is not known
   * @return the explanation with a part for each term of the query that words of the passage stand
   *     for; the same if there are none
   * @throws IOException if the neural model fails
   */
  public Explanation explain(Explanation scored, String query, @Nullable String passage)
      throws IOException {
    if (passage == null || !scored.isMatch()) {
      return scored;
    }
    List<BytesRef> known =
        field.queryTerms(query).stream().filter(term -> field.number(term).isPresent()).toList();
    if (known.isEmpty()) {
      return scored;
    }
    List<List<WordShare>> words =
        encoder.explain(
            passage, known.stream().mapToInt(term -> field.number(term).getAsInt()).toArray());
    List<Explanation> parts = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      if (!words.get(i).isEmpty()) {
        parts.add(part(known.get(i), words.get(i)));
      }
    }
    if (parts.isEmpty()) {
      return scored;
    }
    parts.addFirst(scored);
    return Explanation.match(scored.getValue(), "contextual score, and what it is made of:", parts);
  }

  private static Explanation part(BytesRef term, List<WordShare> words) {
    double sum = words.stream().mapToDouble(WordShare::share).sum();
    return Explanation.match(
        sum,
        "words of the passage that stand for '" + term.utf8ToString() + "', before the norm:",
        words.stream()
            .limit(SHOWN)
            .map(word -> Explanation.match(word.share(), word.word()))
            .toList());
  }
}
