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
import java.util.Set;
import java.util.function.ToDoubleBiFunction;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.semanticbm25.eval.Run.Hit;
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
 */
record StudySet(
    Dataset dataset,
    Workspace.Prepared prepared,
    Run first,
    boolean given,
    List<String> queries,
    List<List<Hit>> candidates,
    List<PairSample> samples)
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
   */
  static StudySet read(Path folder, Workspace workspace, PairSampler sampler, Progress progress)
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
              : bm25(prepared, EvalCommand.K1, EvalCommand.B).run(dataset.queries(), MANY);
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
      return new StudySet(dataset, prepared, first, given, queries, candidates, samples);
    } catch (Throwable t) {
      prepared.close();
      throw t;
    }
  }

  private static RankingSystem bm25(Workspace.Prepared prepared, float k1, float b) {
    return RankingSystem.bm25(prepared.reader(), TextIndex.CONTENTS, ANALYZER, k1, b);
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

  /** Agreement of BM25 with its own statistics, on the first {@link #FEW} hits. */
  Agreement bm25Agreement(float k1, float b) throws IOException {
    return agreement(bm25(prepared, k1, b));
  }

  /** Agreement of the static scorer. */
  Agreement semanticAgreement() throws IOException {
    return agreement(RankingSystem.semantic(prepared.reader(), prepared.semantic()));
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

  /** A candidate without a query term has score 0. */
  private Agreement agreement(RankingSystem system) throws IOException {
    Agreement agreement = new Agreement();
    List<PairSample> few = few();
    for (int query = 0; query < queries.size(); query++) {
      List<Hit> hits = candidates.get(query).subList(0, few.get(query).logits().length);
      Map<String, Float> scores =
          system.scores(hits, dataset.queries().get(queries.get(query)));
      agreement.add(
          hits.stream().mapToDouble(hit -> scores.getOrDefault(hit.id(), 0f)).toArray(),
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
