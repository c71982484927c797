package org.semanticbm25.onnx.distill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.KernelGradient.Batch;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.TermProjection;

/**
 * Fits semantic BM25 between terms to the logits that a cross-encoder gives to passages:
 *
 * <pre>
 *   soft(i, d)  = sum over terms t of d: tf(t, d) * kernel(cosine(vector_i, vector_t)), 1 for t = i
 *   score(q, d) = sum over terms i of q: idf_i * weight_i * soft / (soft + k1 * (1 - b + b * dl / avgdl))
 * </pre>
 *
 * <p>All is learnt: the projection that makes vectors and weights of hidden states, threshold,
 * exponent and scale of the kernel, k1 and b. What is made small is the sum of two losses: the
 * Kullback-Leibler divergence of the softmax of a query's scores from that of its logits, for the
 * order within a query; and 1 - r, Pearson's correlation of scores with logits over all queries of
 * a batch, where a score is divided by the square root of the query's sum of idf_i * weight_i. It
 * is done by Adam (Kingma and Ba, ICLR 2015) on batches of queries, with the gradient of {@link
 * KernelGradient}. The start is the untrained kernel, {@link PrincipalAxes} and weights of 1, and
 * the matrix is pulled back to it. Of the kernels on the way the one is kept that does best on
 * development queries.
 *
 * <p>Here all terms of a passage are soft terms, and a term counts once a query; a search takes the
 * nearest few of the whole index, and a term as often as it is asked for.
 *
 * <p>Same input, same result, whatever the number of threads. Thread-safe.
 */
public final class KernelFit {
  /** Queries in a batch. */
  public static final int BATCH = 16;

  private static final int STEPS_PER_CHECK = 100;
  private static final int WARM_UP = 20;
  private static final double MATRIX_RATE = 6e-4;
  private static final double WEIGHT_RATE = 2e-3;
  private static final double SCALAR_RATE = 6e-3;
  private static final float DECAY_MEAN = 0.9f;
  private static final float DECAY_SQUARE = 0.999f;

  private final TermStates vocabulary;
  private final List<TermRanking> train;
  private final List<TermRanking> development;
  private final Kernel untrained;
  private final KernelWeights start;

  /**
   * A fit, and how it went.
   *
   * @param kernel that does best on development queries
   * @param loss on development queries, before the first step and at each check
   * @param kept number of the check whose kernel is kept; 0 is the untrained kernel
   */
  public record Fit(Kernel kernel, List<Double> loss, int kept) {}

  /**
   * Prepares a fit.
   *
   * @param vocabulary terms that the rankings refer to by number
   * @param start parameters to start from
   * @param train rankings to fit to, drawn at random with replacement
   * @param development rankings of other queries, to choose the best kernel by
   * @throws IllegalArgumentException if there is no ranking of a kind
   */
  public KernelFit(
      TermStates vocabulary,
      ScoringParameters start,
      List<TermRanking> train,
      List<TermRanking> development) {
    if (train.isEmpty() || development.isEmpty()) {
      throw new IllegalArgumentException(
          "no rankings: %s to train on, %s to choose by"
              .formatted(train.size(), development.size()));
    }
    TermProjection projection = PrincipalAxes.of(vocabulary.states());
    this.vocabulary =
        new TermStates(
            Arrays.stream(vocabulary.states()).map(projection::centred).toArray(float[][]::new),
            vocabulary.idf(),
            vocabulary.averageLength());
    this.train = List.copyOf(train);
    this.development = List.copyOf(development);
    this.untrained = new Kernel(start, projection);
    this.start = KernelWeights.of(untrained);
  }

  /**
   * Fits.
   *
   * @param steps batches of {@value #BATCH} queries, at least 1
   * @param pull weight of the squared distance of the matrix from its start, not negative
   * @param progress notified of the steps that are done
   * @return the best kernel of all checks, and the losses
   * @throws IllegalArgumentException if {@code steps} or {@code pull} is out of its range
   */
  public Fit fit(int steps, double pull, Progress progress) {
    if (!(steps > 0 && pull >= 0)) {
      throw new IllegalArgumentException(
          "illegal steps or pull: %s, %s, must be positive and not negative"
              .formatted(steps, pull));
    }
    KernelWeights weights = start.copy();
    float[] mean = new float[weights.values().length];
    float[] square = new float[mean.length];
    Random random = new Random(0);
    List<Double> losses = new ArrayList<>(List.of(loss(weights)));
    KernelWeights best = weights.copy();
    int kept = 0;
    for (int step = 1; step <= steps; step++) {
      Batch batch = new Batch(vocabulary, draw(random));
      float[] gradient = KernelGradient.of(weights, batch).gradient();
      for (int i = 0; i < weights.matrixSize(); i++) {
        gradient[i] += (float) (2 * pull * (weights.values()[i] - start.values()[i]));
      }
      adam(weights, gradient, mean, square, step, rate(step, steps));
      if (step % STEPS_PER_CHECK == 0 || step == steps) {
        double loss = loss(weights);
        losses.add(loss);
        if (loss < losses.get(kept)) {
          kept = losses.size() - 1;
          best = weights.copy();
        }
      }
      progress.report("fitting the kernel", step, steps);
    }
    return new Fit(best.kernel(untrained), losses, kept);
  }

  private List<TermRanking> draw(Random random) {
    return IntStream.range(0, BATCH)
        .mapToObj(i -> train.get(random.nextInt(train.size())))
        .toList();
  }

  /** Rises at first, falls in the last third. */
  private static double rate(int step, int steps) {
    return Math.min(1, Math.min(step / (double) WARM_UP, (steps - step + 1) / (0.3 * steps)));
  }

  private static void adam(
      KernelWeights weights,
      float[] gradient,
      float[] mean,
      float[] square,
      int step,
      double rate) {
    double meanBias = 1 - Math.pow(DECAY_MEAN, step);
    double squareBias = 1 - Math.pow(DECAY_SQUARE, step);
    float[] values = weights.values();
    IntStream.range(0, values.length)
        .parallel()
        .forEach(
            i -> {
              mean[i] = DECAY_MEAN * mean[i] + (1 - DECAY_MEAN) * gradient[i];
              square[i] = DECAY_SQUARE * square[i] + (1 - DECAY_SQUARE) * gradient[i] * gradient[i];
              double scaled = mean[i] / meanBias / (Math.sqrt(square[i] / squareBias) + 1e-8);
              values[i] -=
                  (float) (rate * weights.rate(i, MATRIX_RATE, WEIGHT_RATE, SCALAR_RATE) * scaled);
            });
    weights.keepInRange();
  }

  private double loss(KernelWeights weights) {
    double sum = 0;
    for (int from = 0; from < development.size(); from += BATCH) {
      List<TermRanking> some =
          development.subList(from, Math.min(development.size(), from + BATCH));
      sum += KernelGradient.loss(weights, new Batch(vocabulary, some)) * some.size();
    }
    return sum / development.size();
  }
}
