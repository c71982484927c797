package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexReader;
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
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;

/** A way to rank the passages of an index made by {@link TextIndex}. Thread-safe. */
public final class RankingSystem {
  /** After the name of a system that has a profile. */
  public static final String PROFILE = "-profile";

  /** k1 of the BM25 that others are compared with. */
  public static final float BM25_K1 = 0.9f;

  /** b of the BM25 that others are compared with. */
  public static final float BM25_B = 0.4f;

  private final String name;
  private final String about;
  private final IndexSearcher searcher;
  private final Function<String, Query> queries;
  // by document; read when they are first asked for
  private String @Nullable [] ids;

  private RankingSystem(
      String name,
      String about,
      IndexSearcher searcher,
      Similarity similarity,
      Function<String, Query> queries) {
    this.name = name;
    this.about = about;
    this.searcher = searcher;
    // a cache would flatter whatever is measured second
    searcher.setQueryCache(null);
    searcher.setSimilarity(similarity);
    this.queries = queries;
  }

  /** The BM25 that others are compared with. */
  public static RankingSystem bm25(IndexReader reader, String field, Analyzer analyzer) {
    return bm25(reader, field, analyzer, BM25_K1, BM25_B);
  }

  /** BM25 over the analysed terms of a query. */
  public static RankingSystem bm25(
      IndexReader reader, String field, Analyzer analyzer, float k1, float b) {
    return bm25(new IndexSearcher(reader), field, analyzer, k1, b);
  }

  /**
   * The same with the statistics that a searcher has.
   *
   * @param searcher for this system alone
   */
  public static RankingSystem bm25(
      IndexSearcher searcher, String field, Analyzer analyzer, float k1, float b) {
    return new RankingSystem(
        "bm25",
        "Lucene's BM25, k1 %s, b %s".formatted(k1, b),
        searcher,
        new BM25Similarity(k1, b),
        plainQueries(field, analyzer));
  }

  private static Function<String, Query> plainQueries(String field, Analyzer analyzer) {
    QueryBuilder builder = new QueryBuilder(analyzer);
    return text -> {
      Query query = builder.createBooleanQuery(field, text);
      return query == null ? new MatchNoDocsQuery("no terms in: " + text) : query;
    };
  }

  /** Semantic BM25. */
  public static RankingSystem semantic(IndexReader reader, SemanticField semantic) {
    return semantic(new IndexSearcher(reader), semantic);
  }

  /**
   * The same with the statistics that a searcher has.
   *
   * @param searcher for this system alone
   */
  public static RankingSystem semantic(IndexSearcher searcher, SemanticField semantic) {
    return new RankingSystem(
        "semantic",
        "static semantic BM25, extracted: no network at query time",
        searcher,
        semantic.similarity(),
        semantic::query);
  }

  /** Soft term frequencies in context, on an index that is enriched with them. */
  public static RankingSystem contextual(IndexReader reader, ContextualField contextual) {
    return contextual(new IndexSearcher(reader), contextual);
  }

  /**
   * The same with the statistics that a searcher has.
   *
   * @param searcher for this system alone
   */
  public static RankingSystem contextual(IndexSearcher searcher, ContextualField contextual) {
    return new RankingSystem(
        "contextual",
        "soft terms of each passage in context, stored in the index",
        searcher,
        searcher.getSimilarity(),
        contextual::query);
  }

  /** The same under another name. */
  public RankingSystem named(String other) {
    return new RankingSystem(other, about, searcher, searcher.getSimilarity(), queries);
  }

  /** The name in tables and run files. */
  public String name() {
    return name;
  }

  /** One line for people. */
  public String about() {
    return about;
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
    String[] names = ids();
    List<Hit> hits = new ArrayList<>();
    for (ScoreDoc hit : searcher.search(query, depth).scoreDocs) {
      hits.add(new Hit(names[hit.doc], hit.score));
    }
    return hits;
  }

  private synchronized String[] ids() throws IOException {
    if (ids == null) {
      ids = TextIndex.ids(searcher.getIndexReader());
    }
    return ids;
  }

  /**
   * Ranks the queries of a collection, several at a time; a passage that is the query itself is
   * left out.
   */
  public Run run(Dataset dataset, int depth, Progress progress) throws IOException {
    Map<String, List<Hit>> found = new ConcurrentHashMap<>();
    int all = dataset.queries().size();
    try {
      dataset.queries().entrySet().parallelStream()
          .forEach(
              query -> {
                found.put(query.getKey(), unchecked(query.getValue(), depth + 1));
                synchronized (progress) {
                  progress.report("searching, " + name, found.size(), all);
                }
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Map<String, List<Hit>> hits = new LinkedHashMap<>();
    dataset.queries().keySet().forEach(query -> hits.put(query, found.get(query)));
    return new Run(hits).without(dataset.self()).first(depth);
  }

  private List<Hit> unchecked(String text, int depth) {
    try {
      return search(text, depth);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same, unheard. */
  public Run run(Dataset dataset, int depth) throws IOException {
    return run(dataset, depth, Progress.SILENT);
  }

  /** Ranks the hits of a run anew; those that do not match come last, in their order. */
  public Run rerank(Run run, Map<String, String> texts) throws IOException {
    Map<String, List<Hit>> reranked = new LinkedHashMap<>();
    for (Map.Entry<String, List<Hit>> query : run.hits().entrySet()) {
      String text = texts.get(query.getKey());
      if (text != null) {
        Map<String, Float> scores = scores(query.getValue(), text);
        reranked.put(
            query.getKey(),
            query.getValue().stream()
                .map(hit -> new Hit(hit.id(), scores.getOrDefault(hit.id(), 0f)))
                .sorted(Comparator.comparingDouble((Hit hit) -> -hit.score()))
                .toList());
      }
    }
    return new Run(reranked);
  }

  /** The scores of those candidates that match. */
  public Map<String, Float> scores(List<Hit> candidates, String text) throws IOException {
    if (candidates.isEmpty()) {
      return Map.of();
    }
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
