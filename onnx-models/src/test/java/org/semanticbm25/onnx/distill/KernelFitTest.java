package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.KernelFit.Fit;
import org.semanticbm25.onnx.distill.KernelGradient.Batch;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.TermProjection;

class KernelFitTest {
  private static final int TERMS = 60;
  private static final int HIDDEN = 5;
  private static final int NO_WORD = 7;
  private static final ScoringParameters PARAMETERS =
      new ScoringParameters(1.2f, 0.5f, 0.1f, 1.5f, 0.7f, 4, 0f, 1f);

  private final Random random = new Random(3);
  private final TermStates vocabulary = vocabulary();

  private TermStates vocabulary() {
    float[][] states = new float[TERMS][];
    float[] idf = new float[TERMS];
    for (int i = 0; i < TERMS; i++) {
      states[i] = gaussian(HIDDEN);
      idf[i] = 1 + 4 * random.nextFloat();
    }
    states[NO_WORD] = new float[HIDDEN];
    return new TermStates(states, idf, 12);
  }

  private float[] gaussian(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private Kernel kernel(float... direction) {
    float[][] matrix = new float[HIDDEN][];
    Arrays.setAll(matrix, h -> gaussian(3));
    return new Kernel(PARAMETERS, new TermProjection(new float[HIDDEN], matrix, direction));
  }

  private TermBag bag() {
    int[] terms = random.ints(12, 0, TERMS).distinct().toArray();
    return new TermBag(terms, random.ints(terms.length, 1, 4).toArray());
  }

  private TermRanking ranking() {
    List<TermBag> passages = IntStream.range(0, 6).mapToObj(i -> bag()).toList();
    int[] query = random.ints(3, 0, TERMS).distinct().toArray();
    return new TermRanking(query, passages, gaussian(6));
  }

  /** Of unit states with no center, so that they are centred already. */
  private Batch batch(List<TermRanking> rankings) {
    TermProjection plain = TermProjection.identity(HIDDEN);
    float[][] units =
        Arrays.stream(vocabulary.states()).map(plain::centred).toArray(float[][]::new);
    return new Batch(new TermStates(units, vocabulary.idf(), vocabulary.averageLength()), rankings);
  }

  @Test
  void gradientIsWhatDifferencesOfTheLossSay() {
    // one with an empty passage, and a query that holds what is no word
    TermRanking odd =
        new TermRanking(
            new int[] {NO_WORD, 9},
            List.of(new TermBag(new int[0], new int[0]), bag()),
            gaussian(2));
    Batch batch = batch(List.of(ranking(), ranking(), ranking(), odd));
    KernelWeights weights = KernelWeights.of(kernel(gaussian(HIDDEN)));
    KernelGradient.Result result = KernelGradient.of(weights, batch);
    assertEquals(result.loss(), KernelGradient.loss(weights, batch), 1e-9);
    float[] numeric = new float[weights.values().length];
    for (int i = 0; i < numeric.length; i++) {
      // small, because a kernel that falls below the least weight jumps
      float step = 1e-4f;
      KernelWeights more = weights.copy();
      KernelWeights less = weights.copy();
      more.values()[i] += step;
      less.values()[i] -= step;
      numeric[i] =
          (float)
              ((KernelGradient.loss(more, batch) - KernelGradient.loss(less, batch)) / (2 * step));
    }
    assertArrayEquals(numeric, result.gradient(), 2e-3f);
    assertTrue(
        IntStream.range(0, numeric.length).filter(i -> Math.abs(numeric[i]) > 0.01).count() > 10);
    for (int scalar = 0; scalar < KernelWeights.SCALARS; scalar++) {
      float expected = numeric[weights.index(scalar)];
      assertTrue(Math.abs(expected) > 0.002, "number " + scalar + " matters: " + expected);
      assertEquals(
          1, result.gradient()[weights.index(scalar)] / expected, 0.15, "number " + scalar);
    }
  }

  /** Logits are the scores of a kernel in which one direction of the states says what counts. */
  @Test
  void recoversPlantedWeights() {
    TermProjection axes = PrincipalAxes.of(vocabulary.states());
    Kernel planted =
        new Kernel(
            PARAMETERS,
            new TermProjection(axes.center(), axes.matrix(), new float[] {1, 0, 0, 0, 0}));
    List<TermRanking> rankings = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      rankings.add(scored(planted, ranking()));
    }
    KernelFit fit =
        new KernelFit(vocabulary, PARAMETERS, rankings.subList(0, 250), rankings.subList(250, 300));
    Fit found = fit.fit(600, 0, Progress.SILENT);
    double before = found.loss().getFirst();
    double after = found.loss().get(found.kept());
    assertTrue(after < before / 3, before + " to " + after);
    double r =
        new PearsonsCorrelation().correlation(logWeights(planted), logWeights(found.kernel()));
    assertTrue(r > 0.9, "correlation of weights: " + r);
  }

  private double[] logWeights(Kernel kernel) {
    return Arrays.stream(vocabulary.states())
        .mapToDouble(state -> Math.log(kernel.projection().weight(state)))
        .toArray();
  }

  /**
   * Scores as the formula has them, with nothing shared with the code under test but the kernel.
   */
  private TermRanking scored(Kernel kernel, TermRanking ranking) {
    float[] logits = new float[ranking.passages().size()];
    for (int d = 0; d < logits.length; d++) {
      TermBag passage = ranking.passages().get(d);
      for (int i : ranking.query()) {
        double soft = 0;
        for (int j = 0; j < passage.terms().length; j++) {
          int t = passage.terms()[j];
          soft += passage.frequencies()[j] * (t == i ? 1 : PARAMETERS.kernel(cosine(kernel, i, t)));
        }
        double length = passage.length() / vocabulary.averageLength();
        double k = PARAMETERS.k1() * (1 - PARAMETERS.b() + PARAMETERS.b() * length);
        logits[d] +=
            (float)
                (vocabulary.idf()[i]
                    * kernel.projection().weight(vocabulary.states()[i])
                    * soft
                    / (soft + k));
      }
    }
    return new TermRanking(ranking.query(), ranking.passages(), logits);
  }

  private float cosine(Kernel kernel, int i, int t) {
    float[] a = kernel.projection().vector(vocabulary.states()[i]);
    float[] b = kernel.projection().vector(vocabulary.states()[t]);
    double dot = 0;
    double square = 0;
    double other = 0;
    for (int d = 0; d < a.length; d++) {
      dot += a[d] * b[d];
      square += a[d] * a[d];
      other += b[d] * b[d];
    }
    return square == 0 || other == 0 ? 0f : (float) (dot / Math.sqrt(square * other));
  }

  /** One query: then scores that are divided by the same number correlate fully. */
  @Test
  void lossIsZeroWhereScoresAreTheLogits() {
    Kernel kernel = kernel(0, 1, 0, 0, 0);
    TermRanking scored = scored(kernel, ranking());
    float[] half = new float[scored.logits().length];
    for (int d = 0; d < half.length; d++) {
      half[d] = scored.logits()[d] / 2;
    }
    TermRanking ranking = new TermRanking(scored.query(), scored.passages(), half);
    assertEquals(0, KernelGradient.loss(KernelWeights.of(kernel), batch(List.of(ranking))), 1e-5);
  }

  @Test
  void threadsDoNotMatter() throws Exception {
    List<TermRanking> rankings = IntStream.range(0, 40).mapToObj(i -> ranking()).toList();
    KernelFit fit = new KernelFit(vocabulary, PARAMETERS, rankings, rankings);
    try (ForkJoinPool one = new ForkJoinPool(1)) {
      Fit alone = one.submit(() -> fit.fit(30, 0.01, Progress.SILENT)).get();
      assertEquals(alone.loss(), fit.fit(30, 0.01, Progress.SILENT).loss());
    }
  }

  @Test
  void refusesWhatCannotBeFitted() {
    float[] logits = {1, Float.NaN};
    List<TermBag> two = List.of(bag(), bag());
    assertThrows(IllegalArgumentException.class, () -> new TermRanking(new int[] {1}, two, logits));
    assertThrows(
        IllegalArgumentException.class, () -> new TermRanking(new int[] {1}, two, new float[1]));
    assertThrows(
        IllegalArgumentException.class, () -> new TermRanking(new int[0], two, new float[2]));
    assertThrows(
        IllegalArgumentException.class, () -> new TermStates(new float[1][2], new float[] {0}, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TermStates(new float[1][2], new float[] {1}, Double.NaN));
    List<TermRanking> one = List.of(ranking());
    KernelFit fit = new KernelFit(vocabulary, PARAMETERS, one, one);
    assertThrows(IllegalArgumentException.class, () -> fit.fit(1, Double.NaN, Progress.SILENT));
  }

  @Test
  void refusesNoRankings() {
    List<TermRanking> one = List.of(ranking());
    assertThrows(
        IllegalArgumentException.class,
        () -> new KernelFit(vocabulary, PARAMETERS, List.of(), one));
    assertThrows(
        IllegalArgumentException.class,
        () -> new KernelFit(vocabulary, PARAMETERS, one, List.of()));
  }
}
