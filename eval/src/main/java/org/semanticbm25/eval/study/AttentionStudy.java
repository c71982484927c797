package org.semanticbm25.eval.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionTaps;
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

  /** What is left of the function of the matching heads when a part of it is replaced by chance. */
  public AttentionControls controls() {
    return new AttentionControls(
        extractor,
        extractor(AttentionControls.shuffled(idf), train, development),
        extractor(
            idf,
            AttentionControls.shuffledAttention(train, 1),
            AttentionControls.shuffledAttention(development, 2)),
        matchingHeads,
        layers * headsOfLayer);
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
      report.put(set.name() + ", all heads", Agreement.of(all, set.firstHits()));
      report.put(set.name() + ", matching heads", Agreement.of(some, set.firstHits()));
      report.put(set.name() + ", tuned BM25", set.bm25Agreement(k1, b));
      if (set.given()) {
        report.put(set.name() + ", BM25 as given", set.givenAgreement());
      }
    }
    return report;
  }
}
