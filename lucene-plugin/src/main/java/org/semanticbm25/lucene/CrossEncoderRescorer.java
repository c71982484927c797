package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Rescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.semanticbm25.onnx.CrossEncoder;

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
 * <p>All hits given are rescored and the best returned, as {@link RescoredDoc}s, which keep the first
 * pass's score; the hits given stay as they are. Ties go to the smaller document number. A document
 * without text is read as an empty one.
 *
 * <p>Immutable; as thread-safe as its source of passages is.
 *
 * @lucene.experimental
 */
public final class CrossEncoderRescorer extends Rescorer {
  private final CrossEncoder encoder;
  private final String query;
  private final PassageSource passages;
  private final float firstPassWeight;

  private CrossEncoderRescorer(
      CrossEncoder encoder, String query, PassageSource passages, float firstPassWeight) {
    this.encoder = encoder;
    this.query = query;
    this.passages = passages;
    this.firstPassWeight = firstPassWeight;
  }

  /** Scores with the logit alone. */
  public static CrossEncoderRescorer create(
      CrossEncoder encoder, String query, PassageSource passages) {
    return new CrossEncoderRescorer(encoder, query, passages, 0);
  }

  /**
   * Scores with {@code logit + weight * firstPassScore}.
   *
   * @param weight greater than 0 and finite; choose it on development queries, since the two scores
   *     have nothing to do with each other's scale
   */
  public static CrossEncoderRescorer interpolated(
      CrossEncoder encoder, String query, PassageSource passages, float weight) {
    if (!(weight > 0 && Float.isFinite(weight))) {
      throw new IllegalArgumentException(
          "weight must be greater than 0 and finite, got: " + weight);
    }
    return new CrossEncoderRescorer(encoder, query, passages, weight);
  }

  @Override
  public TopDocs rescore(IndexSearcher searcher, TopDocs firstPassTopDocs, int topN)
      throws IOException {
    if (topN < 1) {
      throw new IllegalArgumentException("topN must be at least 1, got: " + topN);
    }
    ScoreDoc[] byDoc = firstPassTopDocs.scoreDocs.clone();
    Arrays.sort(byDoc, Comparator.comparingInt(hit -> hit.doc));
    if (firstPassWeight > 0) {
      requireScores(byDoc);
    }
    float[] logits = encoder.score(query, texts(searcher, byDoc));
    RescoredDoc[] hits = new RescoredDoc[byDoc.length];
    for (int i = 0; i < hits.length; i++) {
      hits[i] = new RescoredDoc(byDoc[i], combine(byDoc[i].score, logits[i]));
    }
    // the sort is stable
    Arrays.sort(hits, (a, b) -> Float.compare(b.score, a.score));
    return new TopDocs(
        firstPassTopDocs.totalHits, Arrays.copyOf(hits, Math.min(topN, hits.length)));
  }

  private static void requireScores(ScoreDoc[] hits) {
    for (ScoreDoc hit : hits) {
      if (Float.isNaN(hit.score)) {
        throw new IllegalArgumentException(
            "document %d has no score to interpolate with; search with scores, or sort by them"
                .formatted(hit.doc));
      }
    }
  }

  private float combine(float firstPassScore, float logit) {
    return firstPassWeight == 0 ? logit : logit + firstPassWeight * firstPassScore;
  }

  private List<String> texts(IndexSearcher searcher, ScoreDoc[] byDoc) throws IOException {
    List<LeafReaderContext> leaves = searcher.getLeafContexts();
    List<String> texts = new ArrayList<>(byDoc.length);
    LeafReaderContext leaf = null;
    PassageSource.Passages open = null;
    for (ScoreDoc hit : byDoc) {
      if (leaf == null || hit.doc >= leaf.docBase + leaf.reader().maxDoc()) {
        leaf = leaves.get(ReaderUtil.subIndex(hit.doc, leaves));
        open = passages.open(leaf);
      }
      String text = open.text(hit.doc - leaf.docBase);
      texts.add(text == null ? "" : text);
    }
    return texts;
  }

  /**
   * Explains a score. It equals that of {@link #rescore} but for the last bits of a float, or for more
   * if the model shares a scale among passages, see {@link CrossEncoder}.
   */
  @Override
  public Explanation explain(IndexSearcher searcher, Explanation firstPassExplanation, int docID)
      throws IOException {
    String text = texts(searcher, new ScoreDoc[] {new ScoreDoc(docID, 0)}).getFirst();
    float logit = encoder.score(query, List.of(text))[0];
    float firstPassScore = firstPassExplanation.getValue().floatValue();
    Explanation first =
        Explanation.match(
            firstPassExplanation.getValue(), "firstPassScore, of the first pass", firstPassExplanation);
    Explanation second =
        Explanation.match(
            logit, "logit, of cross-encoder " + encoder.model().name() + " that reads:", read(text));
    if (firstPassWeight == 0) {
      return Explanation.match(
          logit, "cross-encoder score, computed as logit; the first pass has no part in it", second, first);
    }
    return Explanation.match(
        combine(firstPassScore, logit),
        "cross-encoder score, computed as logit + weight * firstPassScore from:",
        second,
        Explanation.match(firstPassWeight, "weight, of the first pass's score"),
        first);
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
      details.add(Explanation.match(reading.queryCut(), "query tokens cut off, for they do not fit"));
    }
    if (reading.windows() > 1) {
      details.add(
          Explanation.match(
              reading.windows(),
              "windows of the passage, of %d tokens at most; the highest logit counts"
                  .formatted(reading.windowTokens())));
      read = tokens.size();
    }
    details.add(
        Explanation.match(read, "passage tokens: " + String.join(" ", tokens.subList(0, read))));
    if (read < tokens.size()) {
      details.add(
          Explanation.match(
              tokens.size() - read, "passage tokens cut off, for they do not fit"));
    }
    return details;
  }
}
