package org.semanticbm25.eval.study;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.AttentionExtractor;
import org.semanticbm25.onnx.distill.PairSample;

/**
 * What is left of the function of the matching heads when a part of it is replaced by chance; each
 * control is fitted anew.
 */
public final class AttentionControls {
  private static final int DRAWS = 5;

  private final int layers;
  private final int headsOfLayer;
  private final float[] idf;
  private final List<Integer> matchingHeads;
  private final List<PairSample> train;
  private final List<PairSample> development;
  private final AttentionExtractor extractor;

  AttentionControls(
      int layers,
      int headsOfLayer,
      float[] idf,
      List<Integer> matchingHeads,
      List<PairSample> train,
      List<PairSample> development) {
    this.layers = layers;
    this.headsOfLayer = headsOfLayer;
    this.idf = idf;
    this.matchingHeads = matchingHeads;
    this.train = train;
    this.development = development;
    this.extractor = extractor(idf, train, development);
  }

  private AttentionExtractor extractor(
      float[] tokenIdf, List<PairSample> toFit, List<PairSample> toChoose) {
    return new AttentionExtractor(layers, headsOfLayer, tokenIdf, toFit, toChoose);
  }

  /** The correlations on some sets. */
  public Report report(List<StudySet> sets) {
    Report report = new Report("Controls: r with the cross-encoder's logits");
    for (StudySet set : sets) {
      of(set.firstHits()).forEach((control, r) -> report.put(set.name(), control, r));
    }
    return report;
  }

  /** Correlation of the function of the matching heads on some samples, and of the controls. */
  Map<String, Double> of(List<PairSample> samples) {
    Map<String, Double> controls = new LinkedHashMap<>();
    AttentionFunction function = extractor.fit(matchingHeads).function();
    controls.put("matching heads", Agreement.of(function, samples).pearson());
    AttentionFunction randomIdf =
        extractor(shuffledIdf(), train, development).fit(matchingHeads).function();
    controls.put("random IDF", Agreement.of(randomIdf, samples).pearson());
    controls.put(
        "random heads, mean of " + DRAWS,
        IntStream.range(0, DRAWS)
            .mapToObj(draw -> extractor.fit(randomHeads(draw)).function())
            .mapToDouble(f -> Agreement.of(f, samples).pearson())
            .average()
            .orElse(0));
    AttentionFunction shuffled =
        extractor(idf, shuffledAttention(train, 1), shuffledAttention(development, 2))
            .fit(matchingHeads)
            .function();
    controls.put(
        "shuffled attention", Agreement.of(shuffled, shuffledAttention(samples, 3)).pearson());
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
}
