package org.semanticbm25.eval.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionTaps;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.AttentionExtractor;
import org.semanticbm25.onnx.distill.AttentionExtractor.Step;
import org.semanticbm25.onnx.distill.HeadSimilarity;
import org.semanticbm25.onnx.distill.PairSample;
import org.semanticbm25.onnx.distill.PaperProtocol;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;

/** What attention explains of a cross-encoder: functions fitted on lists, measured on test sets. */
public final class AttentionStudy {
  private static final int MATCHING_HEADS = 13;
  private static final int DRAWS = 5;
  private static final int SIMILARITY_PAIRS = 100;

  private final int layers;
  private final int headsOfLayer;
  private final float[] idf;
  private final List<PairSample> train;
  private final List<PairSample> development;
  private final AttentionExtractor extractor;
  private final List<Step> path;
  private final List<Integer> matchingHeads;

  /**
   * @param layers number of layers
   * @param headsOfLayer number of heads of a layer
   * @param idf by token id
   * @param train samples of training queries
   * @param development samples of development queries
   * @param heads to take for the matching ones, by number; if empty they are found
   */
  public AttentionStudy(
      int layers,
      int headsOfLayer,
      float[] idf,
      List<PairSample> train,
      List<PairSample> development,
      List<Integer> heads) {
    this.layers = layers;
    this.headsOfLayer = headsOfLayer;
    this.idf = idf;
    this.train = train;
    this.development = development;
    this.extractor = extractor(idf, train, development);
    this.path = extractor.matchingHeads(MATCHING_HEADS);
    this.matchingHeads = heads.isEmpty() ? path.stream().map(Step::head).toList() : heads;
  }

  private AttentionExtractor extractor(
      float[] tokenIdf, List<PairSample> toFit, List<PairSample> toChoose) {
    return new AttentionExtractor(layers, headsOfLayer, tokenIdf, toFit, toChoose);
  }

  public AttentionExtractor extractor() {
    return extractor;
  }

  private String head(int head) {
    return head / headsOfLayer + "." + head % headsOfLayer;
  }

  /** What the heads do: how attention follows similarity, r by themselves, r together. */
  public List<Report> heads(
      NeuralModel model, AttentionTaps taps, SampledLists sampled, Progress progress)
      throws IOException {
    double[] similarity =
        new HeadSimilarity(taps, WordEmbeddings.read(model.onnx()))
            .of(sampled.firstDevelopment(SIMILARITY_PAIRS), progress);
    return List.of(
        heatMap("Heads: correlation of attention with the similarity of tokens", similarity),
        heatMap("Heads: r of each by itself, development queries", extractor.alone()),
        path());
  }

  private Report heatMap(String title, double[] figures) {
    Report report = new Report(title);
    for (int head = 0; head < figures.length; head++) {
      report.put("layer " + head / headsOfLayer, "head " + head % headsOfLayer, figures[head]);
    }
    return report;
  }

  /** The matching heads in the order in which they were found. */
  private Report path() {
    Report report =
        new Report(
            "Matching heads (layer.head), each the one that helps most on development queries");
    for (Step step : path) {
      report.put(head(step.head()), "r with it and those above", step.correlation());
    }
    return report;
  }

  /** The paper's function by the paper's protocol. */
  public Report paperProtocol(List<StudySet> sets) throws IOException {
    Report report =
        new Report("Attention, the paper's protocol: weights by position and length, split by row");
    for (StudySet set : sets) {
      List<PairSample> samples = set.firstHits();
      for (boolean withSeparator : new boolean[] {true, false}) {
        report.putCorrelations(
            set.name() + (withSeparator ? ", with [SEP]" : ", without [SEP]"),
            agreement(PaperProtocol.run(samples, idf, matchingHeads, withSeparator)));
      }
    }
    return report;
  }

  private static Agreement agreement(List<PaperProtocol.Row> rows) {
    Map<Integer, List<PaperProtocol.Row>> byQuery = new TreeMap<>();
    rows.forEach(row -> byQuery.computeIfAbsent(row.sample(), q -> new ArrayList<>()).add(row));
    Agreement agreement = new Agreement();
    byQuery
        .values()
        .forEach(
            of -> {
              float[] logits = new float[of.size()];
              for (int i = 0; i < logits.length; i++) {
                logits[i] = of.get(i).logit();
              }
              agreement.add(
                  of.stream().mapToDouble(PaperProtocol.Row::predicted).toArray(), logits);
            });
    return agreement;
  }

  /** One set of weights for all queries, split by query; beside it BM25. */
  public Report splitByQuery(List<StudySet> sets, float k1, float b) throws IOException {
    Report report =
        new Report(
            "Attention, one set of weights for all, fitted on other queries; BM25 beside it");
    AttentionFunction all = extractor.fit(layers).function();
    AttentionFunction some = extractor.fit(matchingHeads).function();
    for (StudySet set : sets) {
      report.put(set.name() + ", all heads", agreement(all, set.firstHits()));
      report.put(set.name() + ", matching heads", agreement(some, set.firstHits()));
      report.put(set.name() + ", tuned BM25", set.bm25Agreement(k1, b));
      if (set.given()) {
        report.put(set.name() + ", BM25 as given", set.givenAgreement());
      }
    }
    return report;
  }

  /**
   * What is left when a part of the function is replaced by chance; each of them is fitted anew.
   */
  public Report controls(List<StudySet> sets) {
    Report report = new Report("Controls: r with the cross-encoder's logits");
    for (StudySet set : sets) {
      controlsOn(set.firstHits()).forEach((control, r) -> report.put(set.name(), control, r));
    }
    return report;
  }

  /** Correlation of the function of the matching heads on some samples, and of the controls. */
  Map<String, Double> controlsOn(List<PairSample> samples) {
    Map<String, Double> controls = new LinkedHashMap<>();
    AttentionFunction function = extractor.fit(matchingHeads).function();
    controls.put("matching heads", agreement(function, samples).pearson());
    AttentionFunction randomIdf =
        extractor(shuffledIdf(), train, development).fit(matchingHeads).function();
    controls.put("random IDF", agreement(randomIdf, samples).pearson());
    controls.put(
        "random heads, mean of " + DRAWS,
        IntStream.range(0, DRAWS)
            .mapToObj(draw -> extractor.fit(randomHeads(draw)).function())
            .mapToDouble(f -> agreement(f, samples).pearson())
            .average()
            .orElse(0));
    AttentionFunction shuffled =
        extractor(idf, shuffledAttention(train, 1), shuffledAttention(development, 2))
            .fit(matchingHeads)
            .function();
    controls.put(
        "shuffled attention", agreement(shuffled, shuffledAttention(samples, 3)).pearson());
    return controls;
  }

  private float[] shuffledIdf() {
    List<Integer> order = new ArrayList<>(IntStream.range(0, idf.length).boxed().toList());
    Collections.shuffle(order, new Random(7));
    float[] shuffled = new float[idf.length];
    for (int i = 0; i < idf.length; i++) {
      shuffled[i] = idf[order.get(i)];
    }
    return shuffled;
  }

  /** As many as there are matching heads, any of them. */
  private List<Integer> randomHeads(int draw) {
    List<Integer> heads =
        new ArrayList<>(IntStream.range(0, layers * headsOfLayer).boxed().toList());
    Collections.shuffle(heads, new Random(draw));
    return heads.subList(0, matchingHeads.size());
  }

  /** Gives each pair the attention of any other pair, its tokens in turn. */
  private static List<PairSample> shuffledAttention(List<PairSample> samples, long seed) {
    Random random = new Random(seed);
    return samples.stream()
        .map(
            sample -> {
              List<Mass> masses = new ArrayList<>();
              for (Mass mass : sample.masses()) {
                List<Mass> others = samples.get(random.nextInt(samples.size())).masses();
                Mass other = others.get(random.nextInt(others.size()));
                masses.add(other.queryTokens().length == 0 ? mass : attentionOf(other, mass));
              }
              return new PairSample(sample.logits(), masses);
            })
        .toList();
  }

  private static Mass attentionOf(Mass other, Mass mass) {
    int tokens = mass.queryTokens().length;
    float[] passage = new float[mass.passage().length];
    float[] separator = new float[passage.length];
    for (int i = 0; i < passage.length; i++) {
      int token = i % tokens % other.queryTokens().length;
      passage[i] = other.of(i / tokens, token);
      separator[i] = other.toSeparator(i / tokens, token);
    }
    return new Mass(mass.queryTokens(), passage, separator);
  }

  /** Fidelity by the number of layers: r on all sets, nDCG@10 on those that are reranked. */
  public Report dial(List<StudySet> sets, AttentionModel model, double[] times) {
    Report report =
        new Report(
            "The dial: layers that are run; time of %d queries with %d candidates each"
                .formatted(
                    Math.min(AttentionTimes.QUERIES, timed(sets).queries().size()),
                    timed(sets).candidates().getFirst().size()));
    for (int k = 1; k <= model.layers(); k++) {
      AttentionFunction function = model.function(k);
      String row = k + (k == 1 ? " layer" : " layers");
      report.put(row, "time, cross-encoder = 1", times[k - 1]);
      for (StudySet set : sets) {
        report.put(row, "r " + set.name(), agreement(function, set.firstHits()).pearson());
        if (set.given()) {
          rerank(report, row, set, (query, i) -> function.score(mass(set, query, i)));
        }
      }
    }
    report.put("cross-encoder", "time, cross-encoder = 1", 1);
    for (StudySet set : sets) {
      if (set.given()) {
        rerank(
            report,
            "cross-encoder",
            set,
            (query, i) -> (double) set.samples().get(query).logits()[i]);
        report.put("BM25", "nDCG@10 " + set.name(), set.nDcg(set.first()));
      }
    }
    return report;
  }

  /** The set to time: one that is reranked, if there is one. */
  public static StudySet timed(List<StudySet> sets) {
    return sets.stream().filter(StudySet::given).findFirst().orElse(sets.getFirst());
  }

  private static void rerank(
      Report report, String row, StudySet set, ToDoubleBiFunction<Integer, Integer> score) {
    double value = set.nDcg(set.rerank(score));
    double bm25 = set.nDcg(set.first());
    double full = set.nDcg(set.rerank((query, i) -> (double) set.samples().get(query).logits()[i]));
    report.put(row, "nDCG@10 " + set.name(), value);
    if (full > bm25) {
      report.put(row, "share of the gain " + set.name(), (value - bm25) / (full - bm25));
    }
  }

  private static Mass mass(StudySet set, int query, int i) {
    return set.samples().get(query).masses().get(i);
  }

  /**
   * The static scorer beside BM25 with the same statistics, both as they score and with scores that
   * are comparable between queries; and its nDCG@10 beside that of the first pass.
   */
  public static Report staticScorer(List<StudySet> sets, float k1, float b) throws IOException {
    Report report = new Report("Static scorer, term against term, no network at query time");
    for (StudySet set : sets) {
      report.put(set.name() + ", static", set.staticAgreement());
      report.put(set.name() + ", static, comparable", set.comparableAgreement(set.staticScorer()));
      report.put(set.name() + ", tuned BM25", set.bm25Agreement(k1, b));
      report.put(set.name() + ", tuned BM25, comparable", set.comparableAgreement(set.bm25(k1, b)));
      String measure = set.given() ? "nDCG@10, reranking" : "nDCG@10, searching";
      report.put(set.name() + ", static", measure, set.nDcg(set.staticRun()));
      report.put(set.name() + ", first pass of BM25", measure, set.nDcg(set.first()));
    }
    return report;
  }

  private static Agreement agreement(AttentionFunction function, List<PairSample> samples) {
    Agreement agreement = new Agreement();
    for (PairSample sample : samples) {
      agreement.add(
          sample.masses().stream().mapToDouble(function::score).toArray(), sample.logits());
    }
    return agreement;
  }
}
