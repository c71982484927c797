package org.semanticbm25.opensearch;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.opensearch.common.logging.HeaderWarning;
import org.opensearch.search.rescore.RescoreContext;
import org.opensearch.search.rescore.Rescorer;
import org.semanticbm25.lucene.PassageSource;

/**
 * Rescores the best hits of a shard. Hits after the window, and those without a text, come after
 * all that were scored, in the order of the first pass. If time is up, the first pass's hits stay as
 * they are, and the response has a warning.
 */
final class SemanticRescoreContext extends RescoreContext {
  // below what a model can give
  private static final float UNSCORED = -100_000f;

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
      return queryWeight * firstPass + rescoreQueryWeight * score;
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
    int window = Math.min(getWindowSize(), topDocs.scoreDocs.length);
    Map<Integer, String> texts =
        texts(searcher, Arrays.stream(topDocs.scoreDocs).limit(window).mapToInt(d -> d.doc));
    if (texts.isEmpty()) {
      return topDocs;
    }
    float[] scores;
    try {
      scores = score(new ArrayList<>(texts.values()));
    } catch (TimeoutException e) {
      HeaderWarning.addWarning(
          "reranking with [{}] took more than [{}] on a shard, whose hits have the order of the query",
          request.model,
          request.timeout);
      return topDocs;
    }
    setRescoredDocs(texts.keySet());
    int[] docs = texts.keySet().stream().mapToInt(Integer::intValue).toArray();
    ScoreDoc[] hits = new ScoreDoc[topDocs.scoreDocs.length];
    for (int i = 0; i < hits.length; i++) {
      ScoreDoc hit = topDocs.scoreDocs[i];
      int at = i < window ? Arrays.binarySearch(docs, hit.doc) : -1;
      float score =
          at >= 0 ? request.combine(hit.score, scores[at]) : UNSCORED - i;
      hits[i] = new ScoreDoc(hit.doc, score, hit.shardIndex);
    }
    Arrays.sort(
        hits, Comparator.comparingDouble((ScoreDoc d) -> -d.score).thenComparingInt(d -> d.doc));
    return new TopDocs(topDocs.totalHits, hits);
  }

  private float[] score(List<String> texts) throws IOException, TimeoutException {
    return reranker.score(request.function, request.model, request.text, texts, request.timeout);
  }

  /** The texts of documents that have one, by document. */
  private Map<Integer, String> texts(IndexSearcher searcher, IntStream docs)
      throws IOException {
    Map<Integer, String> texts = new TreeMap<>();
    List<LeafReaderContext> leaves = searcher.getIndexReader().leaves();
    PassageSource.Passages open = null;
    LeafReaderContext leaf = null;
    for (int doc : docs.sorted().toArray()) {
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
    String text = texts(searcher, IntStream.of(doc)).get(doc);
    if (!isRescored(doc) || text == null) {
      return Explanation.match(
          firstPass.getValue(), "not rescored, in the order of the query, by:", firstPass);
    }
    float score = scoreOf(text);
    float first = firstPass.getValue().floatValue();
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

  private float scoreOf(String text) throws IOException {
    try {
      return score(List.of(text))[0];
    } catch (TimeoutException e) {
      throw new IOException("explaining: " + e.getMessage(), e);
    }
  }
}
