package org.semanticbm25.onnx.distill;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.lucene.util.VectorUtil;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.similarity.model.ScoringParameters;

/**
 * Loss of {@link KernelFit} on a batch of rankings, and its gradient, by hand: forward and back
 * through softmax, saturation, kernel, cosine and projection. Rankings, terms and rows of the
 * matrix are worked on in parallel, and summed up in a fixed order. Thread-safe.
 */
final class KernelGradient {
  private final KernelWeights weights;
  private final Batch batch;
  // by position of a term in the batch
  private final float[][] units;
  private final float[] norms;

  /** Rankings, and the terms in them by position. */
  static final class Batch {
    private final TermStates vocabulary;
    private final List<TermRanking> rankings;
    private final Map<Integer, Integer> positions = new LinkedHashMap<>();
    private final int[] terms;

    /**
     * @param vocabulary with centred states
     */
    Batch(TermStates vocabulary, List<TermRanking> rankings) {
      this.vocabulary = vocabulary;
      this.rankings = rankings;
      for (TermRanking ranking : rankings) {
        add(ranking.query());
        ranking.passages().forEach(passage -> add(passage.terms()));
      }
      terms = positions.keySet().stream().mapToInt(Integer::intValue).toArray();
    }

    private void add(int... more) {
      for (int term : more) {
        positions.putIfAbsent(term, positions.size());
      }
    }
  }

  /** Loss of the batch, divergence and 1 - r together, and its gradient by weight. */
  @SuppressWarnings("ArrayRecordComponent")
  record Result(double loss, float[] gradient) {}

  private KernelGradient(KernelWeights weights, Batch batch) {
    this.weights = weights;
    this.batch = batch;
    this.units = new float[batch.terms.length][weights.dimensions()];
    this.norms = new float[units.length];
    IntStream.range(0, units.length).parallel().forEach(this::project);
  }

  private void project(int position) {
    float[] vector = units[position];
    weights.project(batch.vocabulary.states()[batch.terms[position]], vector);
    float norm = (float) Math.sqrt(VectorUtil.dotProduct(vector, vector));
    norms[position] = norm;
    for (int d = 0; norm > 0 && d < vector.length; d++) {
      vector[d] /= norm;
    }
  }

  /** Loss alone. */
  static double loss(KernelWeights weights, Batch batch) {
    List<Pass> passes = new KernelGradient(weights, batch).passes();
    return new Correlation(passes).loss() + divergence(passes);
  }

  private List<Pass> passes() {
    return batch.rankings.parallelStream().map(Pass::new).toList();
  }

  private static double divergence(List<Pass> passes) {
    return passes.stream().mapToDouble(pass -> pass.divergence).sum() / passes.size();
  }

  /** Loss and gradient. */
  static Result of(KernelWeights weights, Batch batch) {
    return new KernelGradient(weights, batch).result();
  }

  private Result result() {
    List<Pass> passes = passes();
    Correlation correlation = new Correlation(passes);
    passes.parallelStream().forEach(pass -> pass.back(correlation));
    float[] gradient = new float[weights.values().length];
    // null for a term that nothing depends on
    float[] @Nullable [] ofUnits = new float[units.length] @Nullable [];
    double[] ofLogWeights = new double[units.length];
    for (Pass pass : passes) {
      pass.addTo(ofUnits, ofLogWeights, gradient, 1f / passes.size());
    }
    IntStream.range(0, units.length).parallel().forEach(p -> throughNorm(p, ofUnits[p]));
    IntStream.range(0, weights.hidden())
        .parallel()
        .forEach(h -> throughProjection(h, ofUnits, ofLogWeights, gradient));
    return new Result(correlation.loss() + divergence(passes), gradient);
  }

  /** Of a unit vector's gradient makes that of the vector: (g - (g.u) u) / norm. */
  private void throughNorm(int position, float @Nullable [] gradient) {
    if (gradient != null) {
      float[] unit = units[position];
      float along = VectorUtil.dotProduct(gradient, unit);
      float inverse = norms[position] > 0 ? 1 / norms[position] : 0f;
      for (int d = 0; d < gradient.length; d++) {
        gradient[d] = (gradient[d] - along * unit[d]) * inverse;
      }
    }
  }

  /** Row h of the matrix, and component h of the weight direction. */
  private void throughProjection(
      int h, float[] @Nullable [] ofVectors, double[] ofLogWeights, float[] gradient) {
    int row = h * weights.dimensions();
    double ofDirection = 0;
    for (int position = 0; position < ofVectors.length; position++) {
      float component = batch.vocabulary.states()[batch.terms[position]][h];
      ofDirection += component * ofLogWeights[position];
      float[] vector = ofVectors[position];
      if (vector != null && component != 0f) {
        for (int d = 0; d < vector.length; d++) {
          gradient[row + d] += component * vector[d];
        }
      }
    }
    gradient[weights.matrixSize() + h] = (float) ofDirection;
  }

  /** One ranking: forward in the constructor, then {@link #back}. */
  private final class Pass {
    private final TermRanking ranking;
    // positions of the query's terms, of the passages' distinct terms, and of the latter by passage
    private final int[] query;
    private final int[] terms;
    private final int[][] local;
    private final float[][] cosines;
    private final float[][] kernels;
    private final double[][] soft;
    private final double[] normalisers;
    private final double[] termWeights;
    private final double[] logits;
    private final double[] scores;
    private final double[] comparable;
    private final double[] surplus;
    private final double full;
    private final double divergence;

    private final double[] ofScalars = new double[KernelWeights.SCALARS];
    private final double[] ofLogWeights;
    private final float[][] ofCosines;

    Pass(TermRanking ranking) {
      this.ranking = ranking;
      query = positions(ranking.query());
      Map<Integer, Integer> seen = new LinkedHashMap<>();
      local =
          ranking.passages().stream()
              .map(
                  passage ->
                      Arrays.stream(positions(passage.terms()))
                          .map(p -> seen.computeIfAbsent(p, k -> seen.size()))
                          .toArray())
              .toArray(int[][]::new);
      terms = seen.keySet().stream().mapToInt(Integer::intValue).toArray();
      cosines = new float[query.length][terms.length];
      kernels = new float[query.length][terms.length];
      ofCosines = new float[query.length][terms.length];
      ofLogWeights = new double[query.length];
      termWeights = new double[query.length];
      for (int i = 0; i < query.length; i++) {
        relate(i);
      }
      soft = new double[query.length][local.length];
      normalisers = new double[local.length];
      full = Arrays.stream(termWeights).sum();
      scores = new double[local.length];
      comparable = new double[local.length];
      for (int d = 0; d < local.length; d++) {
        scores[d] = score(d);
        comparable[d] = scores[d] / Math.sqrt(full);
      }
      logits = new double[local.length];
      for (int d = 0; d < logits.length; d++) {
        logits[d] = ranking.logits()[d];
      }
      double[] logTarget = logSoftmax(logits);
      double[] logShares =
          logSoftmax(Arrays.stream(scores).map(s -> weights.sharpness() * s).toArray());
      surplus = new double[scores.length];
      double sum = 0;
      for (int d = 0; d < scores.length; d++) {
        surplus[d] = Math.exp(logShares[d]) - Math.exp(logTarget[d]);
        sum += Math.exp(logTarget[d]) * (logTarget[d] - logShares[d]);
      }
      divergence = sum;
    }

    private int[] positions(int... numbers) {
      return Arrays.stream(numbers).map(batch.positions::get).toArray();
    }

    /** Weighs a query term, and what it finds in the passages. */
    private void relate(int i) {
      int term = batch.terms[query[i]];
      termWeights[i] =
          batch.vocabulary.idf()[term]
              * Math.exp(weights.logWeight(batch.vocabulary.states()[term]));
      for (int t = 0; t < terms.length; t++) {
        if (terms[t] == query[i]) {
          kernels[i][t] = 1f;
        } else {
          cosines[i][t] = VectorUtil.dotProduct(units[query[i]], units[terms[t]]);
          kernels[i][t] = (float) kernel(cosines[i][t]);
        }
      }
    }

    private double kernel(double cosine) {
      double above = (cosine - weights.threshold()) / (1 - weights.threshold());
      double kernel = above <= 0 ? 0 : weights.scale() * Math.pow(above, weights.exponent());
      return kernel < ScoringParameters.MIN_WEIGHT ? 0 : kernel;
    }

    private double score(int d) {
      TermBag passage = ranking.passages().get(d);
      double length = passage.length() / batch.vocabulary.averageLength();
      normalisers[d] = weights.k1() * (1 - weights.b() + weights.b() * length);
      double score = 0;
      for (int i = 0; i < query.length; i++) {
        for (int j = 0; j < local[d].length; j++) {
          soft[i][d] += passage.frequencies()[j] * kernels[i][local[d][j]];
        }
        score += termWeights[i] * soft[i][d] / (soft[i][d] + normalisers[d]);
      }
      return score;
    }

    private void back(Correlation correlation) {
      double[][] ofKernels = new double[query.length][terms.length];
      double ofFull = 0;
      for (int d = 0; d < local.length; d++) {
        double ofSoftmax = surplus[d] * weights.sharpness();
        double ofComparable = batch.rankings.size() * correlation.slope(this, d);
        double ofScore = ofSoftmax + ofComparable / Math.sqrt(full);
        ofFull -= ofComparable * comparable[d] / (2 * full);
        ofScalars[KernelWeights.LOG_SHARPNESS] += ofSoftmax * scores[d];
        double ofNormaliser = 0;
        for (int i = 0; i < query.length; i++) {
          double sum = soft[i][d] + normalisers[d];
          double saturated = soft[i][d] / sum;
          double slope = ofScore * termWeights[i] / (sum * sum);
          ofLogWeights[i] += ofScore * termWeights[i] * saturated;
          ofNormaliser -= slope * soft[i][d];
          for (int j = 0; j < local[d].length; j++) {
            ofKernels[i][local[d][j]] +=
                slope * normalisers[d] * ranking.passages().get(d).frequencies()[j];
          }
        }
        // k1 (1 - b + b l) has the derivatives k1 (1 - b + b l) by ln k1, k1 (l - 1) b (1 - b) by
        // logit b
        ofScalars[KernelWeights.LOG_K1] += ofNormaliser * normalisers[d];
        double length = ranking.passages().get(d).length() / batch.vocabulary.averageLength();
        ofScalars[KernelWeights.LOGIT_B] +=
            ofNormaliser * weights.k1() * (length - 1) * weights.b() * (1 - weights.b());
      }
      for (int i = 0; i < query.length; i++) {
        ofLogWeights[i] += ofFull * termWeights[i];
        for (int t = 0; t < terms.length; t++) {
          if (terms[t] != query[i] && kernels[i][t] > 0) {
            throughKernel(i, t, ofKernels[i][t]);
          }
        }
      }
    }

    private void throughKernel(int i, int t, double ofKernel) {
      double rest = 1 - weights.threshold();
      double above = (cosines[i][t] - weights.threshold()) / rest;
      double kernel = kernels[i][t];
      double ofAbove = ofKernel * kernel * weights.exponent() / above;
      ofCosines[i][t] = (float) (ofAbove / rest);
      ofScalars[KernelWeights.THRESHOLD] += ofAbove * (cosines[i][t] - 1) / (rest * rest);
      ofScalars[KernelWeights.LOG_EXPONENT] +=
          ofKernel * kernel * Math.log(above) * weights.exponent();
      ofScalars[KernelWeights.LOGIT_SCALE] += ofKernel * kernel * (1 - weights.scale());
    }

    /** Adds what this ranking says about unit vectors, weights of terms, and numbers. */
    private void addTo(
        float[] @Nullable [] ofUnits, double[] ofWeights, float[] gradient, float share) {
      for (int scalar = 0; scalar < ofScalars.length; scalar++) {
        gradient[weights.index(scalar)] += (float) (share * ofScalars[scalar]);
      }
      for (int i = 0; i < query.length; i++) {
        ofWeights[query[i]] += share * ofLogWeights[i];
        for (int t = 0; t < terms.length; t++) {
          if (ofCosines[i][t] != 0f) {
            add(ofUnits, query[i], share * ofCosines[i][t], units[terms[t]]);
            add(ofUnits, terms[t], share * ofCosines[i][t], units[query[i]]);
          }
        }
      }
    }

    private void add(float[] @Nullable [] ofUnits, int position, float factor, float[] unit) {
      float[] target = ofUnits[position];
      if (target == null) {
        target = new float[unit.length];
        ofUnits[position] = target;
      }
      for (int d = 0; d < unit.length; d++) {
        target[d] += factor * unit[d];
      }
    }
  }

  /**
   * Pearson's r between comparable scores and logits of all pairs of a batch; its loss is 1 - r.
   */
  private static final class Correlation {
    private final double meanScore;
    private final double meanLogit;
    private final double scores;
    private final double deviations;
    private final double r;

    Correlation(List<Pass> passes) {
      double pairs = passes.stream().mapToInt(pass -> pass.comparable.length).sum();
      meanScore = passes.stream().flatMapToDouble(p -> Arrays.stream(p.comparable)).sum() / pairs;
      meanLogit = passes.stream().flatMapToDouble(p -> Arrays.stream(p.logits)).sum() / pairs;
      double squares = 0;
      double logits = 0;
      double products = 0;
      for (Pass pass : passes) {
        for (int d = 0; d < pass.comparable.length; d++) {
          double score = pass.comparable[d] - meanScore;
          double logit = pass.logits[d] - meanLogit;
          squares += score * score;
          logits += logit * logit;
          products += score * logit;
        }
      }
      scores = squares;
      deviations = Math.sqrt(squares * logits);
      r = deviations > 0 ? products / deviations : 0;
    }

    double loss() {
      return 1 - r;
    }

    /** Derivative of the loss by a comparable score. */
    double slope(Pass pass, int d) {
      return deviations > 0
          ? r * (pass.comparable[d] - meanScore) / scores
              - (pass.logits[d] - meanLogit) / deviations
          : 0;
    }
  }

  private static double[] logSoftmax(double... values) {
    double max = Arrays.stream(values).max().orElse(0);
    double sum = Arrays.stream(values).map(v -> Math.exp(v - max)).sum();
    return Arrays.stream(values).map(v -> v - max - Math.log(sum)).toArray();
  }
}
