package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.DocIdSetIterator;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.crossencoder.PairScorer;

/**
 * Reranks runs with a model that reads query and passage, on an index made by {@link TextIndex}
 * that holds their passages, as the rescorers of the Lucene plugin do.
 */
public final class Reranker {
  private final IndexReader reader;
  private final PassageTexts passages;
  private final int depth;

  /**
   * @param depth hits of a query that are rescored; those after them stay below
   */
  public Reranker(IndexReader reader, int depth) {
    this.reader = reader;
    this.passages = new PassageTexts(reader, PassageSource.storedFields(TextIndex.CONTENTS));
    this.depth = depth;
  }

  /** A hit of the first pass, and where its passage is. */
  private record Candidate(int doc, Hit hit) {}

  /**
   * Reranks a run: with scores of a model plus weight times those of the run. Queries without a
   * text are left out; hits that are not in the index stay below the others.
   *
   * @param weight 0 or greater
   */
  public Run rerank(
      Run run, Map<String, String> texts, PairScorer scorer, float weight, Progress progress)
      throws IOException {
    Map<String, List<Hit>> reranked = new LinkedHashMap<>();
    for (Map.Entry<String, List<Hit>> query : run.hits().entrySet()) {
      String text = texts.get(query.getKey());
      if (text != null) {
        reranked.put(query.getKey(), rerank(query.getValue(), text, scorer, weight));
        progress.report("reranking", reranked.size(), run.hits().size());
      }
    }
    return new Run(reranked);
  }

  private List<Hit> rerank(List<Hit> hits, String query, PairScorer scorer, float weight)
      throws IOException {
    List<Candidate> candidates = new ArrayList<>();
    for (Hit hit : hits.subList(0, Math.min(depth, hits.size()))) {
      int doc = document(hit.id());
      if (doc >= 0) {
        candidates.add(new Candidate(doc, hit));
      }
    }
    // ties go to the smaller document, as in a search
    candidates.sort(Comparator.comparingInt(Candidate::doc));
    int[] docs = candidates.stream().mapToInt(Candidate::doc).toArray();
    float[] scores = scorer.score(query, passages.of(docs));
    List<Hit> reranked = new ArrayList<>();
    for (int i = 0; i < scores.length; i++) {
      Hit first = candidates.get(i).hit;
      reranked.add(new Hit(first.id(), scores[i] + weight * first.score()));
    }
    reranked.sort(Comparator.comparingDouble(hit -> -hit.score()));
    return Run.withRest(reranked, hits);
  }

  private int document(String id) throws IOException {
    for (LeafReaderContext leaf : reader.leaves()) {
      PostingsEnum postings = leaf.reader().postings(new Term(TextIndex.ID, id), PostingsEnum.NONE);
      if (postings != null && postings.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
        return leaf.docBase + postings.docID();
      }
    }
    return -1;
  }
}
