package org.semanticbm25.eval.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.PassageTexts;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.eval.compare.Comparison.PassageView;
import org.semanticbm25.eval.compare.Comparison.QueryResult;
import org.semanticbm25.eval.compare.Comparison.QueryTerm;
import org.semanticbm25.eval.compare.Comparison.RankedHit;
import org.semanticbm25.eval.compare.Comparison.SystemResult;
import org.semanticbm25.eval.latency.Latency;
import org.semanticbm25.eval.latency.TimedSearch;
import org.semanticbm25.eval.measure.Evaluation;
import org.semanticbm25.eval.measure.Measure;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.crossencoder.PairScorer;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.Bootstrap;

/**
 * Compares systems on one collection with the cross-encoder, which reads the first hits of BM25, or
 * of a run, for each query. Systems are added one by one; the first is the baseline.
 */
public final class Comparer {
  /** The name of the neural system that the others are compared with. */
  public static final String REFERENCE = "cross-encoder";

  private static final int SHOWN_HITS = 10;
  private static final int TIMED_QUERIES = 50;
  private static final int POINTS = 400;
  private static final double MILLIS_OF_HOUR = 3_600_000;

  private final Subject subject;
  private final int depth;
  private final int poolSize;
  private final Progress progress;
  private final Map<String, Pool> pools = new LinkedHashMap<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, float[]> logits = new HashMap<>();
  private final Map<String, RankingSystem> lexical = new LinkedHashMap<>();
  private final PassageTexts texts;

  /**
   * @param depth hits of a query that are ranked
   * @param poolSize hits of the first pass that the cross-encoder reads
   */
  public Comparer(Subject subject, int depth, int poolSize, Progress progress) {
    this.subject = subject;
    this.depth = depth;
    this.poolSize = poolSize;
    this.progress = progress;
    this.texts = new PassageTexts(subject.reader(), subject.passages());
  }

  /** The hits of a query that the cross-encoder reads, by document. */
  private static final class Pool {
    final int[] docs;
    final String[] ids;
    final float[] first;

    /**
     * @param documents by id
     */
    Pool(List<Hit> hits, Map<String, Integer> documents) {
      List<Hit> known =
          hits.stream()
              .filter(hit -> documents.containsKey(hit.id()))
              .sorted(Comparator.comparing(hit -> documents.get(hit.id())))
              .toList();
      docs = known.stream().mapToInt(hit -> documents.get(hit.id())).toArray();
      ids = known.stream().map(Hit::id).toArray(String[]::new);
      first = new float[docs.length];
      for (int i = 0; i < first.length; i++) {
        first[i] = known.get(i).score();
      }
    }
  }

  /**
   * A system.
   *
   * @param scores of the pool of each query; null for a run of which scores mean nothing
   * @param millisOfPassage null for what is no reranker
   */
  private record Entry(
      String about,
      Run run,
      @Nullable Map<String, float[]> scores,
      @Nullable Double millisOfPassage) {}

  /** Adds the run that is given, as the first pass. */
  public void addFirstPass(String name, String about, Run run) throws UserException {
    makePools(run);
    Map<String, float[]> scores = new LinkedHashMap<>();
    pools.forEach((query, pool) -> scores.put(query, pool.first));
    entries.put(name, new Entry(about, run, scores, null));
  }

  /** Adds what searches the index by itself, as the first pass if there is none yet. */
  public void add(RankingSystem system) throws IOException {
    Run run = rank(system);
    if (entries.isEmpty()) {
      makePools(run);
    }
    lexical.put(system.name(), system);
    Map<String, float[]> scores = new LinkedHashMap<>();
    for (Map.Entry<String, Pool> pool : pools.entrySet()) {
      scores.put(
          pool.getKey(),
          TermScores.scores(
              system.searcher(),
              system.query(subject.dataset().query(pool.getKey())),
              pool.getValue().docs));
    }
    entries.put(system.name(), new Entry(system.about(), run, scores, null));
  }

  /** What the system finds; the hits of the run that is given, in its order, if there is one. */
  private Run rank(RankingSystem system) throws IOException {
    Run given = subject.firstPass();
    return given == null
        ? system.run(subject.dataset(), depth, progress)
        : system.rerank(given, subject.dataset().queries());
  }

  private void makePools(Run run) throws UserException {
    for (Map.Entry<String, List<Hit>> query : run.first(poolSize).hits().entrySet()) {
      Pool pool = new Pool(query.getValue(), subject.documents());
      if (pool.docs.length > 0) {
        pools.put(query.getKey(), pool);
      }
    }
    if (pools.isEmpty()) {
      throw new UserException(
          subject.dataset().name() + ": no query finds anything; give queries of this index");
    }
  }

  /**
   * Adds what reads query and passage, with its scores plus weight times those of the first pass;
   * hits that it does not read stay below the others.
   *
   * @param weight 0 or greater
   * @param millisOfPassage time of a passage on all cores
   */
  public void add(
      String name, String about, PairScorer scorer, float weight, double millisOfPassage)
      throws IOException {
    Map<String, float[]> scores = new LinkedHashMap<>();
    Map<String, List<Hit>> hits = new LinkedHashMap<>();
    Run first = entries.values().iterator().next().run;
    for (Map.Entry<String, Pool> entry : pools.entrySet()) {
      Pool pool = entry.getValue();
      String text = subject.dataset().query(entry.getKey());
      float[] own = scorer.score(text, texts.of(pool.docs));
      if (name.equals(REFERENCE)) {
        logits.put(entry.getKey(), own.clone());
      }
      for (int i = 0; i < own.length; i++) {
        own[i] += weight * pool.first[i];
      }
      scores.put(entry.getKey(), own);
      List<Hit> ranked = new ArrayList<>();
      for (int i : TermScores.ranking(own)) {
        ranked.add(new Hit(pool.ids[i], own[i]));
      }
      List<Hit> all = first.hits().getOrDefault(entry.getKey(), List.of());
      hits.put(entry.getKey(), Run.withRest(ranked, all));
      progress.report(subject.dataset().name() + ", " + name, scores.size(), pools.size());
    }
    entries.put(name, new Entry(about, new Run(hits), scores, millisOfPassage));
  }

  /** Adds the run of another engine. */
  public void add(String name, String about, Run run) {
    entries.put(name, new Entry(about, run, null, null));
  }

  /** The texts of some pairs of the first queries, to time rerankers with. */
  public Map<String, List<String>> somePairs(int queries, int passages) throws IOException {
    Map<String, List<String>> pairs = new LinkedHashMap<>();
    for (Map.Entry<String, Pool> pool : pools.entrySet()) {
      if (pairs.size() < queries) {
        List<String> read = texts.of(pool.getValue().docs);
        pairs.put(
            subject.dataset().query(pool.getKey()),
            read.subList(0, Math.min(passages, read.size())));
      }
    }
    return pairs;
  }

  /** What each system that was added finds, by name. */
  public Map<String, Run> runs() {
    Map<String, Run> runs = new LinkedHashMap<>();
    entries.forEach((name, entry) -> runs.put(name, entry.run));
    return runs;
  }

  /**
   * The comparison of all systems that were added.
   *
   * @param relevant least grade that is relevant in binary measures
   * @param price of an hour of a core
   */
  public Comparison.Collection result(int relevant, double price) throws IOException {
    Map<String, Map<String, Double>> measures = measures(relevant);
    Map<String, Map<String, Double>> values = values();
    Map<String, Double> millis = lexicalMillis();
    // of a run that is given nobody knows
    double firstPass = millis.getOrDefault(entries.keySet().iterator().next(), 0d);
    List<SystemResult> systems = new ArrayList<>();
    int cores = Runtime.getRuntime().availableProcessors();
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      String name = entry.getKey();
      Entry system = entry.getValue();
      Double time = millis.get(name);
      Double cpu = time;
      if (system.millisOfPassage != null) {
        double reading = system.millisOfPassage * meanPool();
        time = firstPass + reading;
        cpu = firstPass + reading * cores;
      }
      systems.add(
          new SystemResult(
              name,
              system.about,
              measures.getOrDefault(name, Map.of()),
              name.equals(REFERENCE) ? Map.of() : agreement(system),
              time,
              cpu == null ? null : cpu * 1000 / MILLIS_OF_HOUR * price,
              name.equals(REFERENCE) ? List.of() : points(system)));
    }
    List<QueryResult> details = details(values);
    return new Comparison.Collection(
        subject.dataset().name(),
        subject.reader().numDocs(),
        subject.dataset().queries().size(),
        subject.allQueries(),
        subject.isJudged(),
        poolSize,
        subject.isJudged() ? "nDCG@10" : "alignment",
        systems,
        QueryLengths.of(details),
        details);
  }

  private double meanPool() {
    return pools.values().stream().mapToInt(pool -> pool.docs.length).average().orElse(0);
  }

  private Map<String, Double> lexicalMillis() throws IOException {
    List<String> timed =
        subject.dataset().queries().values().stream().limit(TIMED_QUERIES).toList();
    Latency latency =
        Latency.measure(List.copyOf(lexical.values()), timed, TimedSearch.top(SHOWN_HITS));
    Map<String, Double> millis = new HashMap<>();
    for (String name : lexical.keySet()) {
      millis.put(name, latency.percentile(millis.size(), 50));
    }
    return millis;
  }

  private Map<String, Map<String, Double>> measures(int relevant) {
    if (!subject.isJudged()) {
      return Map.of();
    }
    Evaluation evaluation = new Evaluation(subject.dataset(), relevant);
    runs().forEach(evaluation::add);
    return evaluation.report().systems();
  }

  /** The main measure by system and query. */
  private Map<String, Map<String, Double>> values() {
    Map<String, Map<String, Double>> values = new LinkedHashMap<>();
    entries.forEach(
        (name, entry) ->
            values.put(
                name,
                subject.isJudged()
                    ? Measure.nDCG(10).perQuery(subject.dataset().qrels(), entry.run)
                    : alignments(entry.run)));
    return values;
  }

  private float[] logits(String query) {
    return Objects.requireNonNull(logits.get(query), "the cross-encoder has been added");
  }

  private static float[] scores(Entry system, String query) {
    return Objects.requireNonNull(
        Objects.requireNonNull(system.scores, "scores pairs").get(query), "of every query");
  }

  private Map<String, Double> agreement(Entry system) {
    Map<String, Double> figures = new LinkedHashMap<>();
    Run reference = Objects.requireNonNull(entries.get(REFERENCE), "has been added").run;
    double overlap = 0;
    double biased = 0;
    for (String query : pools.keySet()) {
      List<String> a = ids(reference, query);
      List<String> b = ids(system.run, query);
      overlap += Overlap.atTen(a, b) / pools.size();
      biased += Overlap.rankBiased(a, b) / pools.size();
    }
    if (system.scores != null) {
      Agreement agreement = new Agreement();
      for (String query : pools.keySet()) {
        float[] own = scores(system, query);
        double[] scores = new double[own.length];
        Arrays.setAll(scores, i -> own[i]);
        agreement.add(scores, logits(query));
      }
      Bootstrap r = agreement.pearsonInterval();
      figures.put("r", r.value());
      figures.put("r low", r.low());
      figures.put("r high", r.high());
      figures.put("Spearman", agreement.spearman());
      figures.put("r within a query", agreement.within());
      figures.put("alignment", agreement.alignment());
    }
    figures.put("overlap@10", overlap);
    figures.put("RBO", biased);
    return figures;
  }

  private static List<String> ids(Run run, String query) {
    return run.hits().getOrDefault(query, List.of()).stream()
        .limit(Overlap.DEPTH)
        .map(Hit::id)
        .toList();
  }

  /**
   * Alignment with the cross-encoder of each query in which that prefers something, of the system's
   * hits in the pool; 0 without hits.
   */
  private Map<String, Double> alignments(Run run) {
    Map<String, Double> values = new LinkedHashMap<>();
    pools.forEach(
        (query, pool) -> {
          Map<String, Float> ranks = new HashMap<>();
          List<Hit> hits = run.hits().getOrDefault(query, List.of());
          for (int i = 0; i < hits.size(); i++) {
            ranks.put(hits.get(i).id(), (float) -i);
          }
          double[] scores = new double[pool.ids.length];
          Arrays.setAll(scores, i -> ranks.getOrDefault(pool.ids[i], (float) -depth - i));
          Agreement agreement = new Agreement();
          agreement.add(scores, logits(query));
          double alignment = agreement.alignments()[0];
          if (Double.isFinite(alignment)) {
            values.put(query, hits.isEmpty() ? 0 : alignment);
          }
        });
    return values;
  }

  private List<float[]> points(Entry system) {
    List<float[]> points = new ArrayList<>();
    if (system.scores != null) {
      system.scores.forEach(
          (query, scores) -> {
            float[] logits = logits(query);
            for (int i = 0; i < scores.length; i++) {
              points.add(new float[] {logits[i], scores[i]});
            }
          });
    }
    Collections.shuffle(points, new Random(42));
    return points.subList(0, Math.min(POINTS, points.size()));
  }

  private List<QueryResult> details(Map<String, Map<String, Double>> values) throws IOException {
    Drilldown drilldown =
        new Drilldown(subject.reader(), subject.field(), subject.analyzer(), subject.passages());
    List<QueryResult> details = new ArrayList<>();
    for (Map.Entry<String, String> query : subject.dataset().queries().entrySet()) {
      details.add(detail(query.getKey(), query.getValue(), values, drilldown));
      progress.report(
          subject.dataset().name() + ", looking into queries",
          details.size(),
          subject.dataset().queries().size());
    }
    return details;
  }

  private QueryResult detail(
      String id, String text, Map<String, Map<String, Double>> values, Drilldown drilldown)
      throws IOException {
    Map<String, Integer> documents = subject.documents();
    Map<String, List<RankedHit>> hits = new LinkedHashMap<>();
    Set<String> shown = new LinkedHashSet<>();
    entries.forEach(
        (name, entry) -> {
          List<RankedHit> first =
              entry.run.hits().getOrDefault(id, List.of()).stream()
                  .limit(SHOWN_HITS)
                  .map(hit -> new RankedHit(hit.id(), hit.score()))
                  .toList();
          hits.put(name, first);
          first.forEach(hit -> shown.add(hit.id()));
        });
    shown.retainAll(documents.keySet());
    int[] docs = shown.stream().mapToInt(documents::get).toArray();
    Map<Integer, Integer> grades = new HashMap<>();
    subject
        .dataset()
        .qrels()
        .getOrDefault(id, Map.of())
        .forEach((passage, grade) -> grades.put(documents.getOrDefault(passage, -1), grade));
    List<QueryTerm> terms = drilldown.terms(semantic().query(text));
    List<PassageView> views = drilldown.passages(text, terms, lexical, docs, grades);
    Map<String, PassageView> passages = new LinkedHashMap<>();
    int i = 0;
    for (String passage : shown) {
      passages.put(passage, views.get(i++));
    }
    Map<String, Double> own = new LinkedHashMap<>();
    values.forEach(
        (name, byQuery) -> {
          if (byQuery.containsKey(id)) {
            own.put(name, byQuery.get(id));
          }
        });
    return new QueryResult(id, text, own, terms, hits, passages);
  }

  private RankingSystem semantic() {
    return Objects.requireNonNull(lexical.get("semantic"), "has been added");
  }
}
