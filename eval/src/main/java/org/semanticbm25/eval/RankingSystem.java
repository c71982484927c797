package org.semanticbm25.eval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermInSetQuery;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.QueryBuilder;
import org.semanticbm25.eval.Run.Hit;
import org.semanticbm25.lucene.SemanticBM25;

/** A way to rank the passages of an index made by {@link TextIndex}. Thread-safe. */
public final class RankingSystem {
  private final String name;
  private final IndexSearcher searcher;
  private final Function<String, Query> queries;

  private RankingSystem(
      String name, IndexReader reader, Similarity similarity, Function<String, Query> queries) {
    this.name = name;
    this.searcher = new IndexSearcher(reader);
    // a cache would flatter whatever is measured second
    searcher.setQueryCache(null);
    searcher.setSimilarity(similarity);
    this.queries = queries;
  }

  /** BM25 over the analysed terms of a query. */
  public static RankingSystem bm25(
      IndexReader reader, String field, Analyzer analyzer, float k1, float b) {
    return new RankingSystem(
        "bm25", reader, new BM25Similarity(k1, b), plainQueries(field, analyzer));
  }

  private static Function<String, Query> plainQueries(String field, Analyzer analyzer) {
    QueryBuilder builder = new QueryBuilder(analyzer);
    return text -> {
      Query query = builder.createBooleanQuery(field, text);
      return query == null ? new MatchNoDocsQuery("no terms in: " + text) : query;
    };
  }

  /** Semantic BM25. */
  public static RankingSystem semantic(IndexReader reader, SemanticBM25 semantic) {
    return new RankingSystem("semantic", reader, semantic.similarity(), semantic::query);
  }

  /** The name in tables and run files. */
  public String name() {
    return name;
  }

  /** What runs the queries. */
  public IndexSearcher searcher() {
    return searcher;
  }

  /** The Lucene query for a text. */
  public Query query(String text) {
    return queries.apply(text);
  }

  /** Ranks the index for a text. */
  public List<Hit> search(String text, int depth) throws IOException {
    return hits(query(text), depth);
  }

  private List<Hit> hits(Query query, int depth) throws IOException {
    StoredFields stored = searcher.storedFields();
    List<Hit> hits = new ArrayList<>();
    for (ScoreDoc hit : searcher.search(query, depth).scoreDocs) {
      String id = stored.document(hit.doc, Set.of(TextIndex.ID)).get(TextIndex.ID);
      hits.add(new Hit(id != null ? id : "document " + hit.doc, hit.score));
    }
    return hits;
  }

  /**
   * Ranks all queries. A passage whose id is the query's is left out, as BEIR does: in ArguAna
   * queries are passages.
   */
  public Run run(Map<String, String> texts, int depth) throws IOException {
    Map<String, List<Hit>> hits = new LinkedHashMap<>();
    for (Map.Entry<String, String> query : texts.entrySet()) {
      List<Hit> found = search(query.getValue(), depth + 1);
      hits.put(
          query.getKey(),
          found.stream().filter(h -> !h.id().equals(query.getKey())).limit(depth).toList());
    }
    return new Run(hits);
  }

  /**
   * Adds to each score of a run what soft terms add to it: {@code score + semantic(q, d) -
   * plain(q, d)}, where the plain score is that of the same similarity without soft terms.
   *
   * <p>For a run of BM25 over the same index and parameters this is the semantic score itself. For a
   * run over a larger collection, of which the index holds the candidates only, it keeps the
   * statistics that went into the run and that the index cannot have.
   *
   * @param run hits in BM25's scale; those that are not in the index keep their scores
   */
  public static Run rerank(
      Run run, IndexReader reader, Analyzer analyzer, SemanticBM25 semantic, Map<String, String> texts)
      throws IOException {
    RankingSystem soft = semantic(reader, semantic);
    RankingSystem plain =
        new RankingSystem("plain", reader, semantic.similarity(), plainQueries(TextIndex.CONTENTS, analyzer));
    Map<String, List<Hit>> reranked = new LinkedHashMap<>();
    for (Map.Entry<String, List<Hit>> query : run.hits().entrySet()) {
      String text = texts.get(query.getKey());
      if (text != null) {
        List<Hit> first = query.getValue();
        Map<String, Float> plus = soft.scores(first, text);
        Map<String, Float> minus = plain.scores(first, text);
        reranked.put(
            query.getKey(),
            first.stream()
                .map(
                    hit ->
                        new Hit(
                            hit.id(),
                            hit.score()
                                + plus.getOrDefault(hit.id(), 0f)
                                - minus.getOrDefault(hit.id(), 0f)))
                .sorted(Comparator.comparingDouble((Hit hit) -> -hit.score()))
                .toList());
      }
    }
    return new Run(reranked);
  }

  /** The scores of those candidates that match. */
  Map<String, Float> scores(List<Hit> candidates, String text) throws IOException {
    List<BytesRef> ids = candidates.stream().map(hit -> new BytesRef(hit.id())).toList();
    Query among =
        new BooleanQuery.Builder()
            .add(query(text), Occur.MUST)
            .add(new TermInSetQuery(TextIndex.ID, ids), Occur.FILTER)
            .build();
    Map<String, Float> scores = new HashMap<>();
    hits(among, candidates.size()).forEach(hit -> scores.put(hit.id(), hit.score()));
    return scores;
  }
}
