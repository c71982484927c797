package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.lucene.search.Explanation;
import org.semanticbm25.onnx.attention.AttentionFunction.Contribution;
import org.semanticbm25.onnx.attention.AttentionScorer;

/**
 * Rescores hits with the semantic BM25 that the first layers of a cross-encoder compute, see {@link
 * org.semanticbm25.onnx.attention.AttentionFunction}: an approximation of {@link
 * CrossEncoderRescorer} at a part of its time, whose scores can be taken apart to the last token.
 *
 * <pre class="prettyprint">
 * try (AttentionScorer scorer = AttentionScorer.open(model, attentionModel, layers, threads)) {
 *   TopDocs hits = searcher.search(query, 100);
 *   TopDocs best = AttentionRescorer.create(scorer, text, PassageSource.storedFields("body"))
 *       .rescore(searcher, hits, 10);
 * }
 * </pre>
 *
 * <p>All hits given are rescored and the best returned, as {@link RescoredDoc}s, which keep the
 * first pass's score; the hits given stay as they are. Ties go to the smaller document number. A
 * document without text is read as an empty one; if no hit has a text, the source is taken to be
 * wrong, and rescoring fails with an {@code IllegalArgumentException}.
 *
 * <p>Immutable; as thread-safe as its source of passages is.
 *
 * @lucene.experimental
 */
public final class AttentionRescorer extends PassageRescorer {
  private static final int SHOWN_MATCHES = 5;

  private final AttentionScorer scorer;
  private final String query;

  private AttentionRescorer(
      AttentionScorer scorer, String query, PassageSource passages, float firstPassWeight) {
    super(passages, firstPassWeight, firstPassWeight > 0, false);
    this.scorer = scorer;
    this.query = query;
  }

  /**
   * Scores with the function alone.
   *
   * @param scorer runs the layers and holds the function; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @return a rescorer of this one query
   */
  public static AttentionRescorer create(
      AttentionScorer scorer, String query, PassageSource passages) {
    return new AttentionRescorer(scorer, query, passages, 0);
  }

  /**
   * Scores with {@code semanticScore + weight * firstPassScore}.
   *
   * @param scorer runs the layers and holds the function; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @param weight 0, as {@link #create}, or greater, and finite; choose it on development queries,
   *     since the two scores have nothing to do with each other's scale
   * @return a rescorer of this one query
   * @throws IllegalArgumentException if the weight is out of its range
   */
  public static AttentionRescorer interpolated(
      AttentionScorer scorer, String query, PassageSource passages, float weight) {
    return new AttentionRescorer(scorer, query, passages, checkWeight(weight));
  }

  @Override
  float[] score(List<String> texts) throws IOException {
    return scorer.score(query, texts);
  }

  @Override
  String name() {
    return "semantic BM25";
  }

  @Override
  String symbol() {
    return "semanticScore";
  }

  /** Equals the score but for the last bits of a float. */
  @Override
  Explanation explain(String text) throws IOException {
    AttentionScorer.Reading reading = scorer.read(query, text);
    List<Explanation> parts = new ArrayList<>();
    parts.add(Explanation.match(scorer.function().bias(), "bias, of all scores"));
    for (Contribution contribution : reading.contributions()) {
      parts.add(explain(contribution, reading));
    }
    return Explanation.match(
        scorer.score(query, List.of(text))[0],
        "semanticScore, of attention in the first %s layers of %s, sum of:"
            .formatted(scorer.function().layers(), scorer.model().name()),
        parts);
  }

  private static Explanation explain(Contribution contribution, AttentionScorer.Reading reading) {
    double[] matches = contribution.fromPassage();
    List<Explanation> details = new ArrayList<>();
    details.add(
        Explanation.match(
            (float) contribution.fromIdf(),
            "from idf " + contribution.idf() + " of the token alone"));
    double others = contribution.sum() - contribution.fromIdf();
    for (int token : strongest(matches)) {
      details.add(
          Explanation.match(
              (float) matches[token],
              "attention to '%s', passage token %s"
                  .formatted(reading.passageTokens().get(token), token + 1)));
      others -= matches[token];
    }
    details.add(Explanation.match((float) others, "attention to the other passage tokens"));
    return Explanation.match(
        (float) contribution.sum(),
        "query token '%s', sum of:".formatted(reading.queryTokens().get(contribution.token())),
        details);
  }

  private static int[] strongest(double[] matches) {
    return IntStream.range(0, matches.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer token) -> -Math.abs(matches[token])))
        .limit(SHOWN_MATCHES)
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
