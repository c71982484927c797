package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.search.Explanation;
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
 * document without text is read as an empty one.
 *
 * <p>Immutable; as thread-safe as its source of passages is.
 *
 * @lucene.experimental
 */
public final class CrossEncoderRescorer extends PassageRescorer {
  private final CrossEncoder encoder;
  private final String query;

  private CrossEncoderRescorer(
      CrossEncoder encoder, String query, PassageSource passages, float firstPassWeight) {
    super(passages, firstPassWeight);
    this.encoder = encoder;
    this.query = query;
  }

  /**
   * Scores with the logit alone.
   *
   * @param encoder scores pairs; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @return a rescorer of this one query
   */
  public static CrossEncoderRescorer create(
      CrossEncoder encoder, String query, PassageSource passages) {
    return new CrossEncoderRescorer(encoder, query, passages, 0);
  }

  /**
   * Scores with {@code logit + weight * firstPassScore}.
   *
   * @param encoder scores pairs; not closed here
   * @param query text of the query
   * @param passages texts of the hits
   * @param weight greater than 0 and finite; choose it on development queries, since the two scores
   *     have nothing to do with each other's scale
   * @return a rescorer of this one query
   * @throws IllegalArgumentException if the weight is out of its range
   */
  public static CrossEncoderRescorer interpolated(
      CrossEncoder encoder, String query, PassageSource passages, float weight) {
    return new CrossEncoderRescorer(encoder, query, passages, checkWeight(weight));
  }

  @Override
  float[] score(List<String> texts) throws IOException {
    return encoder.score(query, texts);
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
