package org.semanticbm25.opensearch;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.jspecify.annotations.Nullable;
import org.opensearch.common.logging.HeaderWarning;
import org.opensearch.search.rescore.RescoreContext;
import org.opensearch.search.rescore.Rescorer;
import org.semanticbm25.lucene.PassageSource;

/**
 * Rescores the best hits of a shard. Hits after the window, and those without a text, come after
 * all that were scored, in the order of the first pass. If time is up, the first pass's hits stay
 * as they are, and the response has a warning.
 */
final class SemanticRescoreContext extends RescoreContext {
  // below what a model can give; floats of this size still tell scores apart
  private static final float LOWEST = -100_000f;
  private static final float LOWEST_SPAN = 100_000f;

  /**
   * What to rescore by.
   *
   * @param function that scores
   * @param model its name
   * @param text of the query
   * @param queryWeight weight of the first pass's score
   * @param rescoreQueryWeight weight of the model's score
   * @param timeout longest time to wait
   */
  record Request(
      Reranker.Function function,
      String model,
      String text,
      float queryWeight,
      float rescoreQueryWeight,
      Duration timeout) {
    float combine(float firstPass, float score) {
      return Math.max(LOWEST, queryWeight * firstPass + rescoreQueryWeight * score);
    }
  }

  private final Request request;
  private final PassageSource passages;
  private final Reranker reranker;

  SemanticRescoreContext(
      int windowSize, Request request, PassageSource passages, Reranker reranker) {
    super(windowSize, SemanticRescorer.INSTANCE);
    this.request = request;
    this.passages = passages;
    this.reranker = reranker;
  }

  /** Stateless: everything is in the context. */
  private enum SemanticRescorer implements Rescorer {
    INSTANCE;

    @Override
    public TopDocs rescore(TopDocs topDocs, IndexSearcher searcher, RescoreContext context)
        throws IOException {
      return ((SemanticRescoreContext) context).rescore(topDocs, searcher);
    }

    @Override
    public Explanation explain(
        int doc, IndexSearcher searcher, RescoreContext context, Explanation firstPass)
        throws IOException {
      return ((SemanticRescoreContext) context).explain(doc, searcher, firstPass);
    }
  }

  private TopDocs rescore(TopDocs topDocs, IndexSearcher searcher) throws IOException {
    int[] window =
        Arrays.stream(topDocs.scoreDocs).limit(getWindowSize()).mapToInt(d -> d.doc).toArray();
    Map<Integer, Float> scores = Map.of();
    try {
      scores = scores(searcher, window);
    } catch (TimeoutException e) {
      HeaderWarning.addWarning(
          "reranking with [{}] took more than [{}] on a shard, whose hits have the order of the query",
          request.model,
          request.timeout);
    }
    setRescoredDocs(scores.keySet());
    ScoreDoc[] hits = new ScoreDoc[topDocs.scoreDocs.length];
    for (int i = 0; i < hits.length; i++) {
      ScoreDoc hit = topDocs.scoreDocs[i];
      Float score = scores.get(hit.doc);
      hits[i] =
          new ScoreDoc(
              hit.doc,
              score == null ? unscored(hit.score) : request.combine(hit.score, score),
              hit.shardIndex);
    }
    // the sort is stable
    Arrays.sort(hits, Comparator.comparingDouble((ScoreDoc d) -> -d.score));
    return new TopDocs(topDocs.totalHits, hits);
  }

  /** Below all that is scored, on whatever shard, and in the order of the query. */
  private static float unscored(float firstPass) {
    float score = Math.max(0f, firstPass);
    return LOWEST - LOWEST_SPAN / (1 + score);
  }

  /** Scores by document, of those that have a text. */
  private Map<Integer, Float> scores(IndexSearcher searcher, int... window)
      throws IOException, TimeoutException {
    Map<Integer, String> texts = new TreeMap<>();
    float[] scores =
        reranker.score(
            request.function,
            request.model,
            request.text,
            () -> {
              texts.putAll(texts(searcher, window));
              return List.copyOf(texts.values());
            },
            request.timeout);
    Map<Integer, Float> byDoc = new HashMap<>();
    int i = 0;
    for (int doc : texts.keySet()) {
      byDoc.put(doc, scores[i++]);
    }
    return byDoc;
  }

  /** The texts of documents that have one, by document. */
  private Map<Integer, String> texts(IndexSearcher searcher, int... docs) throws IOException {
    Map<Integer, String> texts = new TreeMap<>();
    List<LeafReaderContext> leaves = searcher.getIndexReader().leaves();
    PassageSource.Passages open = null;
    LeafReaderContext leaf = null;
    for (int doc : Arrays.stream(docs).sorted().toArray()) {
      LeafReaderContext of = leaves.get(ReaderUtil.subIndex(doc, leaves));
      if (open == null || of != leaf) {
        leaf = of;
        open = passages.open(leaf);
      }
      String text = open.text(doc - of.docBase);
      if (text != null) {
        texts.put(doc, text);
      }
    }
    return texts;
  }

  private Explanation explain(int doc, IndexSearcher searcher, Explanation firstPass)
      throws IOException {
    float first = firstPass.getValue().floatValue();
    Float score = isRescored(doc) ? explained(searcher, doc) : null;
    if (score == null) {
      return Explanation.match(
          unscored(first), "not rescored, after all that are, in the order of:", firstPass);
    }
    return Explanation.match(
        request.combine(first, score),
        "query_weight * score + rescore_query_weight * rescored, from:",
        Explanation.match(request.queryWeight, "query_weight"),
        firstPass,
        Explanation.match(request.rescoreQueryWeight, "rescore_query_weight"),
        Explanation.match(
            score,
            "rescored, by %s of model %s, an estimate of relevance"
                .formatted(request.function.name().toLowerCase(Locale.ROOT), request.model)));
  }

  private @Nullable Float explained(IndexSearcher searcher, int doc) throws IOException {
    try {
      return scores(searcher, doc).get(doc);
    } catch (TimeoutException e) {
      throw new IOException("explaining: " + e.getMessage(), e);
    }
  }
}
