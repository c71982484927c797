package org.semanticbm25.eval.study;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleBiFunction;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.TermStatistics;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.CollectionIdf;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.eval.collection.Sampling;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.measure.Measure;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.PairSample;
import org.semanticbm25.onnx.distill.PairSampler;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * A test collection of a study: its queries, the first hits of BM25, and what the cross-encoder
 * makes of them.
 *
 * @param first the run of BM25
 * @param given whether that run came with the collection, of which only the candidates are there
 * @param queries ids, in the order of the samples
 * @param candidates first hits of each query
 * @param samples of these hits
 * @param idf of the collection that a given run was made on, of which the set holds the candidates
 */
public record StudySet(
    Dataset dataset,
    OpenIndex index,
    SemanticField field,
    Run first,
    boolean given,
    List<String> queries,
    List<List<Hit>> candidates,
    List<PairSample> samples,
    Optional<CollectionIdf> idf)
    implements Closeable {
  private static final String GIVEN_RUN = "bm25.run";

  /** Of all collections. */
  public static final Analyzer ANALYZER = new EnglishAnalyzer();

  /** The documents that the paper measures on. */
  static final int STUDY_DEPTH = 10;

  /** The documents that are reranked. */
  static final int RERANK_DEPTH = 100;

  /**
   * Reads a collection, ranks it by BM25 and samples the first hits: {@link #RERANK_DEPTH} of a run
   * that comes with it, {@link #STUDY_DEPTH} where BM25 has to be run.
   *
   * @param sample most queries, drawn at random; 0 for all
   * @param idf of the collection of a run that comes with it
   */
  public static StudySet read(
      Path folder,
      int sample,
      Optional<CollectionIdf> idf,
      CollectionIndexes indexes,
      SemanticBM25Model model,
      PairSampler sampler,
      Progress progress)
      throws IOException {
    Dataset all = Dataset.read(folder, "test");
    Set<String> ids = all.queries().keySet();
    Dataset dataset = sample == 0 ? all : all.only(Set.copyOf(Sampling.draw(ids, sample)));
    OpenIndex index =
        indexes.open(
            dataset.name(), Digests.sha256(dataset.corpus()), ANALYZER, dataset::forEachPassage);
    try {
      boolean given = Files.exists(folder.resolve(GIVEN_RUN));
      Run first =
          given
              ? all.readRun(folder.resolve(GIVEN_RUN)).only(dataset.queries().keySet())
              : bm25(new IndexSearcher(index.reader()), RankingSystem.BM25_K1, RankingSystem.BM25_B)
                  .run(dataset, RERANK_DEPTH);
      List<String> queries = new ArrayList<>();
      List<List<Hit>> candidates = new ArrayList<>();
      first
          .hits()
          .forEach(
              (query, hits) -> {
                if (dataset.queries().containsKey(query) && !hits.isEmpty()) {
                  queries.add(query);
                  candidates.add(
                      hits.subList(0, Math.min(given ? RERANK_DEPTH : STUDY_DEPTH, hits.size())));
                }
              });
      if (queries.isEmpty()) {
        throw new UserException(
            folder + ": no test query has hits; give a run and queries that belong together");
      }
      List<PassageList> texts = texts(dataset, queries, candidates);
      List<PairSample> samples = sampler.sample("scoring " + dataset.name(), texts, progress);
      return new StudySet(
          dataset,
          index,
          SemanticField.of(model, TextIndex.CONTENTS, ANALYZER),
          first,
          given,
          queries,
          candidates,
          samples,
          idf.filter(i -> given));
    } catch (Throwable t) {
      index.close();
      throw t;
    }
  }

  private static RankingSystem bm25(IndexSearcher searcher, float k1, float b) {
    return RankingSystem.bm25(searcher, TextIndex.CONTENTS, ANALYZER, k1, b);
  }

  private static List<PassageList> texts(
      Dataset dataset, List<String> queries, List<List<Hit>> candidates) throws IOException {
    Set<String> needed = new HashSet<>();
    candidates.forEach(hits -> hits.forEach(hit -> needed.add(hit.id())));
    Map<String, String> passages = new HashMap<>();
    dataset.forEachPassage(
        passage -> {
          if (needed.contains(passage.id())) {
            passages.put(passage.id(), passage.contents());
          }
        });
    List<PassageList> texts = new ArrayList<>();
    for (int i = 0; i < queries.size(); i++) {
      texts.add(
          new PassageList(
              dataset.query(queries.get(i)),
              candidates.get(i).stream().map(hit -> passages.getOrDefault(hit.id(), "")).toList()));
    }
    return texts;
  }

  /** The samples of the first {@link #STUDY_DEPTH} hits. */
  List<PairSample> firstHits() {
    return samples.stream()
        .map(
            sample -> {
              int size = Math.min(STUDY_DEPTH, sample.logits().length);
              return new PairSample(
                  Arrays.copyOf(sample.logits(), size), sample.masses().subList(0, size));
            })
        .toList();
  }

  /** The name of the collection. */
  public String name() {
    return dataset.name();
  }

  /** Texts of a query and its candidates. */
  public List<PassageList> texts() throws IOException {
    return texts(dataset, queries, candidates);
  }

  private IndexSearcher searcher() {
    return idf.map(collection -> collection.searcher(index.reader()))
        .orElseGet(() -> new IndexSearcher(index.reader()));
  }

  /** Agreement of BM25, on the first {@link #STUDY_DEPTH} hits. */
  Agreement bm25Agreement(float k1, float b) throws IOException {
    return agreement(bm25(k1, b), text -> 1);
  }

  /** BM25. */
  RankingSystem bm25(float k1, float b) {
    return bm25(searcher(), k1, b);
  }

  /** Agreement of a system as it scores. */
  Agreement agreement(RankingSystem system) throws IOException {
    return agreement(system, text -> 1);
  }

  /**
   * Agreement of a scorer whose scores are made comparable: divided by the square root of what the
   * query's full score is to the static scorer.
   */
  Agreement comparableAgreement(RankingSystem system) throws IOException {
    IndexSearcher searcher = staticScorer().searcher();
    return agreement(system, text -> Math.sqrt(field.fullScore(searcher, text)));
  }

  /**
   * An index of the first {@link #STUDY_DEPTH} hits alone.
   *
   * @param indexes where it is made at the first use
   */
  public OpenIndex candidateIndex(CollectionIndexes indexes) throws IOException {
    Set<String> ids = new TreeSet<>();
    candidates.forEach(hits -> hits.stream().limit(STUDY_DEPTH).forEach(hit -> ids.add(hit.id())));
    String content = Digests.sha256(dataset.corpus()) + String.join("\0", ids);
    return indexes.open(
        "candidates of " + name(),
        Digests.sha256(content),
        ANALYZER,
        consumer ->
            dataset.forEachPassage(
                passage -> {
                  if (ids.contains(passage.id())) {
                    consumer.accept(passage);
                  }
                }));
  }

  /**
   * The contextual system with the IDF of the whole collection; lengths are relative to those of
   * the candidates.
   *
   * @param enriched the index of {@link #candidateIndex}, with soft terms
   */
  public RankingSystem contextualScorer(OpenIndex enriched, ContextualField contextual) {
    return RankingSystem.contextual(new StatisticsOf(searcher(), enriched.reader()), contextual);
  }

  /** Searches an index of some passages with the statistics of all. */
  private static final class StatisticsOf extends IndexSearcher {
    private final IndexSearcher all;

    StatisticsOf(IndexSearcher all, IndexReader some) {
      super(some);
      this.all = all;
    }

    @Override
    public TermStatistics termStatistics(Term term, int docFreq, long totalTermFreq)
        throws IOException {
      IndexReader reader = all.getIndexReader();
      return all.termStatistics(term, reader.docFreq(term), reader.totalTermFreq(term));
    }

    @Override
    public @Nullable CollectionStatistics collectionStatistics(String field) throws IOException {
      return all.collectionStatistics(field);
    }
  }

  private Run candidatesOnly() {
    Map<String, List<Hit>> hits = new HashMap<>();
    for (int query = 0; query < queries.size(); query++) {
      hits.put(queries.get(query), candidates.get(query));
    }
    return new Run(hits);
  }

  /**
   * The static scorer with all soft terms that are kept: where candidates are scored they cost
   * little.
   */
  RankingSystem staticScorer() {
    return RankingSystem.semantic(searcher(), field.withMaxSoftTerms(SemanticField.MAX_SOFT_TERMS));
  }

  /**
   * The static scorer's own hits; of a run that came with the collection its candidates, reranked.
   */
  Run staticRun() throws IOException {
    return given
        ? staticScorer().rerank(candidatesOnly(), dataset.queries())
        : RankingSystem.semantic(index.reader(), field).run(dataset, STUDY_DEPTH);
  }

  /** Agreement of the run that came with the collection. */
  Agreement givenAgreement() {
    Agreement agreement = new Agreement();
    List<PairSample> samples = firstHits();
    for (int query = 0; query < queries.size(); query++) {
      float[] logits = samples.get(query).logits();
      agreement.add(
          candidates.get(query).stream().limit(STUDY_DEPTH).mapToDouble(Hit::score).toArray(),
          logits);
    }
    return agreement;
  }

  @FunctionalInterface
  private interface Divisor {
    double of(String text) throws IOException;
  }

  /** A candidate without a query term has score 0. */
  private Agreement agreement(RankingSystem system, Divisor divisor) throws IOException {
    Agreement agreement = new Agreement();
    List<PairSample> samples = firstHits();
    for (int query = 0; query < queries.size(); query++) {
      List<Hit> hits = candidates.get(query).subList(0, samples.get(query).logits().length);
      String text = dataset.query(queries.get(query));
      Map<String, Float> scores = system.scores(hits, text);
      double by = divisor.of(text);
      agreement.add(
          hits.stream()
              // without a full score nothing matches
              .mapToDouble(hit -> by == 0 ? 0 : scores.getOrDefault(hit.id(), 0f) / by)
              .toArray(),
          samples.get(query).logits());
    }
    return agreement;
  }

  /** Ranks the candidates of all queries anew. */
  Run rerank(ToDoubleBiFunction<Integer, Integer> score) {
    Map<String, List<Hit>> hits = new HashMap<>();
    for (int query = 0; query < queries.size(); query++) {
      List<Hit> scored = new ArrayList<>();
      for (int i = 0; i < candidates.get(query).size(); i++) {
        scored.add(
            new Hit(candidates.get(query).get(i).id(), (float) score.applyAsDouble(query, i)));
      }
      scored.sort(Comparator.comparingDouble(hit -> -hit.score()));
      hits.put(queries.get(query), scored);
    }
    return new Run(hits);
  }

  double nDcg(Run run) {
    return Measure.nDCG(STUDY_DEPTH).mean(dataset.qrels(), run);
  }

  @Override
  public void close() throws IOException {
    index.close();
  }

  /** The set to time of some: one that is reranked, if there is one. */
  public static StudySet timed(List<StudySet> sets) {
    return sets.stream().filter(StudySet::given).findFirst().orElse(sets.getFirst());
  }
}
