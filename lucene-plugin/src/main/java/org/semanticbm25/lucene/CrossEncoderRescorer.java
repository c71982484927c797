package org.semanticbm25.lucene;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.apache.lucene.search.Explanation;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;

/**
 * Gives the hits of a first pass the scores of a cross-encoder, which reads the query and each
 * document's text together.
 *
 * <pre class="prettyprint">
 * TopDocs hits = searcher.search(query, 100);
 * TopDocs best = CrossEncoderRescorer.create(encoder, "cheap laptops", PassageSource.storedFields("body"))
 *     .rescore(searcher, hits, 10);
 * </pre>
 *
 * <p>All hits given are rescored and the best returned, as {@link RescoredDoc}s, which keep the
 * first pass's score; the hits given stay as they are. Ties go to the smaller document number. A
 * document without text is read as an empty one, or keeps the first pass's score, see {@link
 * #withFallbackToFirstPassScore}; if no hit has a text, the source is taken to be wrong, and
 * rescoring fails with an {@code IllegalArgumentException}.
 *
 * <p>The first pass has a small part in the score, {@value #FIRST_PASS_WEIGHT} times its own,
 * unless {@link #interpolated} says otherwise: it knows how rare a word is, and on queries unlike
 * those that the model learnt from, long ones among them, the logit alone may rank worse than BM25.
 * The weight is for scores of the size of BM25's; beside much smaller ones, such as cosines, it
 * hardly counts. Hits without scores, as of a search that sorts by a field, are refused: rescore
 * them by {@code interpolated} with weight 0.
 *
 * <p>Immutable; as thread-safe as its source of passages is.
 *
 * @lucene.experimental
 */
public final class CrossEncoderRescorer extends PassageRescorer {
  /** Weight of the first pass's score by default, for the scale of BM25. */
  public static final float FIRST_PASS_WEIGHT = 0.1f;

  private final CrossEncoder encoder;
  private final String query;
  private final @Nullable Duration timeout;

  private CrossEncoderRescorer(
      CrossEncoder encoder,
      String query,
      PassageSource passages,
      float firstPassWeight,
      boolean needsScores,
      boolean fallback,
      @Nullable Duration timeout) {
    super(passages, firstPassWeight, needsScores, fallback);
    this.encoder = encoder;
    this.query = query;
    this.timeout = timeout;
  }

  /**
   * Scores with {@code logit + FIRST_PASS_WEIGHT * firstPassScore}.
   *
   * @param encoder scores pairs; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @return a rescorer of this one query, for hits with scores
   */
  public static CrossEncoderRescorer create(
      CrossEncoder encoder, String query, PassageSource passages) {
    return interpolated(encoder, query, passages, FIRST_PASS_WEIGHT);
  }

  /**
   * Scores as {@link #create} does, but a document without text with the first pass's score.
   *
   * @param encoder scores pairs; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @return a rescorer of this one query, for hits with scores
   */
  public static CrossEncoderRescorer withFallbackToFirstPassScore(
      CrossEncoder encoder, String query, PassageSource passages) {
    return new CrossEncoderRescorer(encoder, query, passages, FIRST_PASS_WEIGHT, true, true, null);
  }

  /**
   * Scores with {@code logit + weight * firstPassScore}.
   *
   * @param encoder scores pairs; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @param weight 0, for the logit alone, or greater, and finite; choose it on development queries,
   *     since the two scores have nothing to do with each other's scale
   * @return a rescorer of this one query
   * @throws IllegalArgumentException if the weight is out of its range
   */
  public static CrossEncoderRescorer interpolated(
      CrossEncoder encoder, String query, PassageSource passages, float weight) {
    return new CrossEncoderRescorer(
        encoder, query, passages, checkWeight(weight), weight > 0, false, null);
  }

  /**
   * Limits the time that the cross-encoder has, from the moment when {@link #rescore} has read the
   * texts. When it is up, the work is stopped and {@code rescore} fails with an {@code IOException}
   * whose cause is a {@code TimeoutException}, so that the caller can go on with the hits of the
   * first pass.
   *
   * @param limit longest time
   * @return a rescorer that is otherwise as this one
   */
  public CrossEncoderRescorer withTimeout(Duration limit) {
    return new CrossEncoderRescorer(
        encoder, query, passages, firstPassWeight, needsScores, fallback, limit);
  }

  @Override
  float[] score(List<String> texts) throws IOException {
    if (timeout == null) {
      return encoder.score(query, texts);
    }
    try {
      return encoder.score(query, texts, timeout);
    } catch (TimeoutException e) {
      throw new IOException("rescoring: " + e.getMessage(), e);
    }
  }

  @Override
  String name() {
    return "cross-encoder";
  }

  @Override
  String symbol() {
    return "logit";
  }

  /**
   * Equals the score but for the last bits of a float, or for more if the model shares a scale
   * among passages, see {@link CrossEncoder}.
   */
  @Override
  Explanation explain(String text) throws IOException {
    return Explanation.match(
        encoder.score(query, List.of(text))[0],
        "logit, of cross-encoder " + encoder.model().name() + " that reads:",
        read(text));
  }

  private List<Explanation> read(String text) {
    CrossEncoder.Reading reading = encoder.read(query, text);
    List<String> tokens = reading.passageTokens();
    int read = Math.min(tokens.size(), reading.windowTokens());
    List<Explanation> details = new ArrayList<>();
    details.add(
        Explanation.match(
            reading.queryTokens().size(),
            "query tokens: " + String.join(" ", reading.queryTokens())));
    if (reading.queryCut() > 0) {
      details.add(
          Explanation.match(reading.queryCut(), "query tokens cut off, for they do not fit"));
    }
    if (reading.windows() > 1) {
      details.add(
          Explanation.match(
              reading.windows(),
              "windows of the passage, of %s tokens at most; the highest logit counts"
                  .formatted(reading.windowTokens())));
      read = tokens.size();
    }
    details.add(
        Explanation.match(read, "passage tokens: " + String.join(" ", tokens.subList(0, read))));
    if (read < tokens.size()) {
      details.add(
          Explanation.match(tokens.size() - read, "passage tokens cut off, for they do not fit"));
    }
    return details;
  }
}
