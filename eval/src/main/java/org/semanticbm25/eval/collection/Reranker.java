package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Rescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.lucene.AttentionRescorer;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;

/**
 * Reranks runs with a cross-encoder or its attention, on an index made by {@link TextIndex} that
 * holds their passages.
 */
public final class Reranker {
  /** What {@link TextIndex} stores. */
  public static final PassageSource PASSAGES = PassageSource.storedFields(TextIndex.CONTENTS);

  private final IndexSearcher searcher;
  private final int depth;

  /**
   * @param depth hits of a query that are rescored; those after them are left out
   */
  public Reranker(IndexReader reader, int depth) {
    this.searcher = new IndexSearcher(reader);
    this.depth = depth;
  }

  /** Reranks a run with a cross-encoder, as it does by default. */
  public Run rerank(Run run, Map<String, String> texts, CrossEncoder encoder, Progress progress)
      throws IOException {
    return rerank(
        run, texts, query -> CrossEncoderRescorer.create(encoder, query, PASSAGES), progress);
  }

  /** Reranks a run with the attention of a cross-encoder's first layers. */
  public Run rerank(Run run, Map<String, String> texts, AttentionScorer scorer, Progress progress)
      throws IOException {
    return rerank(run, texts, query -> AttentionRescorer.create(scorer, query, PASSAGES), progress);
  }

  /**
   * Reranks a run. Queries without a text, and hits that are not in the index, are left out.
   *
   * @param rescorers make a rescorer for a query's text
   */
  public Run rerank(
      Run run, Map<String, String> texts, Function<String, Rescorer> rescorers, Progress progress)
      throws IOException {
    Map<String, List<Hit>> reranked = new LinkedHashMap<>();
    for (Map.Entry<String, List<Hit>> query : run.hits().entrySet()) {
      String text = texts.get(query.getKey());
      if (text != null) {
        reranked.put(query.getKey(), rerank(query.getValue(), rescorers.apply(text)));
        progress.report("reranking", reranked.size(), run.hits().size());
      }
    }
    return new Run(reranked);
  }

  private List<Hit> rerank(List<Hit> hits, Rescorer rescorer) throws IOException {
    Map<Integer, String> ids = new HashMap<>();
    List<ScoreDoc> found = new ArrayList<>();
    for (Hit hit : hits.subList(0, Math.min(depth, hits.size()))) {
      int doc = document(hit.id());
      if (doc >= 0) {
        ids.put(doc, hit.id());
        found.add(new ScoreDoc(doc, hit.score()));
      }
    }
    TopDocs first =
        new TopDocs(
            new TotalHits(found.size(), TotalHits.Relation.EQUAL_TO),
            found.toArray(ScoreDoc[]::new));
    List<Hit> second = new ArrayList<>();
    for (ScoreDoc hit : rescorer.rescore(searcher, first, depth).scoreDocs) {
      String id = Objects.requireNonNull(ids.get(hit.doc), "a rescorer adds no documents");
      second.add(new Hit(id, hit.score));
    }
    return second;
  }

  private int document(String id) throws IOException {
    for (LeafReaderContext leaf : searcher.getLeafContexts()) {
      PostingsEnum postings = leaf.reader().postings(new Term(TextIndex.ID, id), PostingsEnum.NONE);
      if (postings != null && postings.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
        return leaf.docBase + postings.docID();
      }
    }
    return -1;
  }
}
