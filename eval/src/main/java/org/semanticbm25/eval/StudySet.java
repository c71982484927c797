package org.semanticbm25.eval;

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
import java.util.function.ToDoubleBiFunction;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.search.IndexSearcher;
import org.semanticbm25.eval.Run.Hit;
import org.semanticbm25.lucene.AttachedField;
import org.semanticbm25.onnx.Digests;
import org.semanticbm25.onnx.PairSample;
import org.semanticbm25.onnx.PairSampler;
import org.semanticbm25.onnx.PairSampler.Texts;
import org.semanticbm25.onnx.Progress;

/**
 * A test collection of a study: its queries, the first hits of BM25, and what the cross-encoder makes
 * of them.
 *
 * @param first the run of BM25
 * @param given whether that run came with the collection, of which only the candidates are there
 * @param queries ids, in the order of the samples
 * @param candidates first hits of each query
 * @param samples of these hits
 * @param idf of the collection that a given run was made on, of which the set holds the candidates
 */
record StudySet(
    Dataset dataset,
    Workspace.Prepared prepared,
    Run first,
    boolean given,
    List<String> queries,
    List<List<Hit>> candidates,
    List<PairSample> samples,
    Optional<CollectionIdf> idf)
    implements AutoCloseable {
  private static final String GIVEN_RUN = "bm25.run";
  private static final Analyzer ANALYZER = new EnglishAnalyzer();

  /** The documents that the paper measures on. */
  static final int FEW = 10;

  /** The documents that are reranked. */
  static final int MANY = 100;

  /**
   * Reads a collection, ranks it by BM25 and samples the first hits: {@link #MANY} of a run that
   * comes with it, {@link #FEW} where BM25 has to be run.
   *
   * @param idf of the collection of a run that comes with it
   */
  static StudySet read(
      Path folder,
      Optional<CollectionIdf> idf,
      Workspace workspace,
      PairSampler sampler,
      Progress progress)
      throws IOException {
    Dataset dataset = Dataset.read(folder, "test");
    Workspace.Prepared prepared =
        workspace.prepare(
            dataset.name(), Digests.sha256(dataset.corpus()), ANALYZER, dataset::forEachPassage);
    try {
      boolean given = Files.exists(folder.resolve(GIVEN_RUN));
      Run first =
          given
              ? Run.read(folder.resolve(GIVEN_RUN))
              : bm25(new IndexSearcher(prepared.reader()), EvalCommand.K1, EvalCommand.B)
                  .run(dataset.queries(), MANY);
      List<String> queries = new ArrayList<>();
      List<List<Hit>> candidates = new ArrayList<>();
      first
          .hits()
          .forEach(
              (query, hits) -> {
                if (dataset.queries().containsKey(query) && !hits.isEmpty()) {
                  queries.add(query);
                  candidates.add(hits.subList(0, Math.min(given ? MANY : FEW, hits.size())));
                }
              });
      if (queries.isEmpty()) {
        throw new UserException(
            folder + ": no test query has hits; give a run and queries that belong together");
      }
      List<Texts> texts = texts(dataset, queries, candidates);
      List<PairSample> samples = sampler.sample("scoring " + dataset.name(), texts, progress);
      return new StudySet(
          dataset,
          prepared,
          first,
          given,
          queries,
          candidates,
          samples,
          idf.filter(i -> given));
    } catch (Throwable t) {
      prepared.close();
      throw t;
    }
  }

  private static RankingSystem bm25(IndexSearcher searcher, float k1, float b) {
    return RankingSystem.bm25(searcher, TextIndex.CONTENTS, ANALYZER, k1, b);
  }

  private static List<Texts> texts(
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
    List<Texts> texts = new ArrayList<>();
    for (int i = 0; i < queries.size(); i++) {
      texts.add(
          new Texts(
              dataset.queries().get(queries.get(i)),
              candidates.get(i).stream().map(hit -> passages.getOrDefault(hit.id(), "")).toList()));
    }
    return texts;
  }

  /** The samples of the first {@link #FEW} hits. */
  List<PairSample> few() {
    return samples.stream()
        .map(
            sample -> {
              int size = Math.min(FEW, sample.logits().length);
              return new PairSample(
                  Arrays.copyOf(sample.logits(), size), sample.masses().subList(0, size));
            })
        .toList();
  }

  String name() {
    return dataset.name();
  }

  /** Texts of a query and its candidates. */
  List<Texts> texts() throws IOException {
    return texts(dataset, queries, candidates);
  }

  private IndexSearcher searcher() {
    return idf.map(collection -> collection.searcher(prepared.reader()))
        .orElseGet(() -> new IndexSearcher(prepared.reader()));
  }

  /** Agreement of BM25, on the first {@link #FEW} hits. */
  Agreement bm25Agreement(float k1, float b) throws IOException {
    return agreement(bm25(k1, b), text -> 1);
  }

  /** BM25. */
  RankingSystem bm25(float k1, float b) {
    return bm25(searcher(), k1, b);
  }

  /** Agreement of the static scorer as it scores. */
  Agreement staticAgreement() throws IOException {
    return agreement(staticScorer(), text -> 1);
  }

  /**
   * Agreement of a scorer whose scores are made comparable: divided by the square root of what the
   * query's full score is to the static scorer.
   */
  Agreement comparableAgreement(RankingSystem system) throws IOException {
    IndexSearcher searcher = staticScorer().searcher();
    return agreement(
        system, text -> Math.sqrt(prepared.semantic().fullScore(searcher, text)));
  }

  private Run candidatesOnly() {
    Map<String, List<Hit>> hits = new HashMap<>();
    for (int query = 0; query < queries.size(); query++) {
      hits.put(queries.get(query), candidates.get(query));
    }
    return new Run(hits);
  }

  /** The static scorer with all soft terms that are kept: where candidates are scored they cost little. */
  RankingSystem staticScorer() {
    return RankingSystem.semantic(
        searcher(), prepared.semantic().withMaxSoftTerms(AttachedField.MAX_NEIGHBOURS));
  }

  /** The static scorer's own hits; of a run that came with the collection its candidates, reranked. */
  Run staticRun() throws IOException {
    return given
        ? staticScorer().rerank(candidatesOnly(), dataset.queries())
        : RankingSystem.semantic(prepared.reader(), prepared.semantic())
            .run(dataset.queries(), FEW);
  }

  /** Agreement of the run that came with the collection. */
  Agreement givenAgreement() {
    Agreement agreement = new Agreement();
    List<PairSample> few = few();
    for (int query = 0; query < queries.size(); query++) {
      float[] logits = few.get(query).logits();
      agreement.add(
          candidates.get(query).stream().limit(FEW).mapToDouble(Hit::score).toArray(), logits);
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
    List<PairSample> few = few();
    for (int query = 0; query < queries.size(); query++) {
      List<Hit> hits = candidates.get(query).subList(0, few.get(query).logits().length);
      String text = dataset.queries().get(queries.get(query));
      Map<String, Float> scores = system.scores(hits, text);
      double by = divisor.of(text);
      agreement.add(
          hits.stream()
              // without a full score nothing matches
              .mapToDouble(hit -> by == 0 ? 0 : scores.getOrDefault(hit.id(), 0f) / by)
              .toArray(),
          few.get(query).logits());
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
    return Measure.nDCG(FEW).mean(dataset.qrels(), run);
  }

  @Override
  public void close() throws IOException {
    prepared.close();
  }
}
