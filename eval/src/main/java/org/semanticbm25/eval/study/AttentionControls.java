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

  private final AttentionFunction matching;
  private final AttentionFunction randomIdf;
  private final List<AttentionFunction> randomHeads;
  private final AttentionFunction shuffledAttention;

  /**
   * @param extractor of the samples as they are
   * @param randomIdf of the samples as they are, with {@link #shuffled(float[])}
   * @param shuffled of {@linkplain #shuffledAttention shuffled} samples
   * @param matchingHeads by number
   * @param heads number of all heads
   */
  AttentionControls(
      AttentionExtractor extractor,
      AttentionExtractor randomIdf,
      AttentionExtractor shuffled,
      List<Integer> matchingHeads,
      int heads) {
    this.matching = extractor.fit(matchingHeads).function();
    this.randomIdf = randomIdf.fit(matchingHeads).function();
    this.randomHeads =
        IntStream.range(0, DRAWS)
            .mapToObj(draw -> extractor.fit(draw(draw, matchingHeads.size(), heads)).function())
            .toList();
    this.shuffledAttention = shuffled.fit(matchingHeads).function();
  }

  private static List<Integer> draw(int seed, int count, int heads) {
    List<Integer> all = new ArrayList<>(IntStream.range(0, heads).boxed().toList());
    Collections.shuffle(all, new Random(seed));
    return all.subList(0, count);
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
    controls.put("matching heads", Agreement.of(matching, samples).pearson());
    controls.put("random IDF", Agreement.of(randomIdf, samples).pearson());
    controls.put(
        "random heads, mean of " + DRAWS,
        randomHeads.stream()
            .mapToDouble(function -> Agreement.of(function, samples).pearson())
            .average()
            .orElse(0));
    controls.put(
        "shuffled attention",
        Agreement.of(shuffledAttention, shuffledAttention(samples, 3)).pearson());
    return controls;
  }

  /** The same values for other tokens. */
  static float[] shuffled(float[] idf) {
    List<Integer> order = new ArrayList<>(IntStream.range(0, idf.length).boxed().toList());
    Collections.shuffle(order, new Random(7));
    float[] shuffled = new float[idf.length];
    for (int i = 0; i < idf.length; i++) {
      shuffled[i] = idf[order.get(i)];
    }
    return shuffled;
  }

  /** Gives each pair the attention of any other pair, its tokens in turn. */
  static List<PairSample> shuffledAttention(List<PairSample> samples, long seed) {
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
