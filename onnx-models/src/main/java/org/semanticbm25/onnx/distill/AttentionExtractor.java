package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.distill.LinearFit.Line;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * Fits {@link AttentionFunction}s to the logits of a cross-encoder, on pairs of training queries,
 * with the ridge that does best on pairs of development queries, and finds its matching heads.
 *
 * <p>What matters to a ranking are the differences between the passages of a query, so in the
 * squared error those between the means of queries count {@value #BETWEEN_QUERIES} times as much: a
 * row of features, and its logit, is moved towards 0 by {@code 1 - sqrt(0.1)} times the mean of its
 * query.
 */
public final class AttentionExtractor {
  private static final double BETWEEN_QUERIES = 0.1;
  private static final double[] RIDGES = {1e-5, 1e-4, 1e-3, 1e-2, 1e-1};

  private final int layers;
  private final int headsOfLayer;
  private final float[] idf;
  private final LinearFit train;
  private final LinearFit chooser;
  private final LinearFit development;

  /**
   * Takes in samples.
   *
   * @param layers number of layers that the samples have
   * @param headsOfLayer number of heads of a layer
   * @param idf by token id
   * @param train samples to fit
   * @param development samples of other queries, to choose by
   */
  public AttentionExtractor(
      int layers,
      int headsOfLayer,
      float[] idf,
      List<PairSample> train,
      List<PairSample> development) {
    this.layers = layers;
    this.headsOfLayer = headsOfLayer;
    this.idf = idf;
    this.train = moments(train, BETWEEN_QUERIES);
    this.chooser = moments(development, BETWEEN_QUERIES);
    this.development = moments(development, 1);
  }

  private LinearFit moments(List<PairSample> samples, double betweenQueries) {
    LinearFit moments = new LinearFit(AttentionFunction.featureCount(layers * headsOfLayer));
    for (PairSample sample : samples) {
      // nothing to learn from a query without tokens
      if (sample.masses().getFirst().queryTokens().length > 0) {
        add(moments, sample, 1 - Math.sqrt(betweenQueries));
      }
    }
    return moments;
  }

  /** Adds the pairs of a query, each without a share of their mean. */
  private void add(LinearFit moments, PairSample sample, double share) {
    int pairs = sample.logits().length;
    double[][] rows = new double[pairs][];
    double[] mean = new double[AttentionFunction.featureCount(layers * headsOfLayer)];
    double meanLogit = 0;
    for (int i = 0; i < pairs; i++) {
      rows[i] = AttentionFunction.features(sample.masses().get(i), idf);
      for (int f = 0; f < mean.length; f++) {
        mean[f] += rows[i][f] / pairs;
      }
      meanLogit += sample.logits()[i] / (double) pairs;
    }
    for (int i = 0; i < pairs; i++) {
      for (int f = 0; f < mean.length; f++) {
        rows[i][f] -= share * mean[f];
      }
      moments.add(rows[i], sample.logits()[i] - share * meanLogit);
    }
  }

  /**
   * A function and how close it comes.
   *
   * @param function fitted to the training pairs
   * @param ridge that was chosen
   * @param correlation Pearson's, with the logits of the development pairs
   */
  public record Fitted(AttentionFunction function, double ridge, double correlation) {}

  /**
   * Fits all heads of the first layers.
   *
   * @param firstLayers number of layers, from 1 to that of the samples
   * @return the function of these layers, with the ridge that does best on development pairs
   * @throws IllegalStateException if there are fewer than two training pairs
   */
  public Fitted fit(int firstLayers) {
    int[] heads = new int[firstLayers * headsOfLayer];
    Arrays.setAll(heads, head -> head);
    return fit(heads, firstLayers);
  }

  /**
   * Fits some heads.
   *
   * @param heads numbers of heads, from 0, layer after layer; distinct
   * @return a function of all layers, in which other heads weigh 0
   * @throws IllegalStateException if there are fewer than two training pairs
   */
  public Fitted fit(List<Integer> heads) {
    return fit(heads.stream().mapToInt(head -> head).toArray(), layers);
  }

  private Fitted fit(int[] heads, int firstLayers) {
    Candidate best =
        DoubleStream.of(RIDGES)
            .mapToObj(ridge -> candidate(heads, ridge))
            .max(Comparator.comparingDouble(Candidate::correlation))
            .orElseThrow();
    Line line = best.line;
    // the means were moved towards 0, and the intercept with them
    double bias = line.intercept() / Math.sqrt(BETWEEN_QUERIES);
    return new Fitted(
        function(new Line(bias, line.columns(), line.weights()), firstLayers, headsOfLayer, idf),
        best.ridge,
        development.correlation(line));
  }

  /** A fit, and its correlation on the pairs that it is chosen by. */
  private record Candidate(double ridge, Line line, double correlation) {}

  private Candidate candidate(int[] heads, double ridge) {
    Line line = train.solve(columns(heads), ridge);
    return new Candidate(ridge, line, chooser.correlation(line));
  }

  /**
   * The function that a fit of {@link AttentionFunction#features} found; heads that it left out
   * weigh nothing.
   */
  private static AttentionFunction function(Line line, int layers, int headsOfLayer, float[] idf) {
    double[] weights = new double[AttentionFunction.featureCount(layers * headsOfLayer)];
    for (int i = 0; i < line.columns().length; i++) {
      weights[line.columns()[i]] = line.weights()[i];
    }
    float[] massWeights = new float[layers * headsOfLayer];
    float[] idfMassWeights = new float[massWeights.length];
    for (int head = 0; head < massWeights.length; head++) {
      massWeights[head] = (float) weights[AttentionFunction.massFeature(head)];
      idfMassWeights[head] = (float) weights[AttentionFunction.idfMassFeature(head)];
    }
    return new AttentionFunction(
        layers, idf, (float) line.intercept(), (float) weights[0], massWeights, idfMassWeights);
  }

  private static int[] columns(int... heads) {
    int[] columns = new int[1 + 2 * heads.length];
    for (int i = 0; i < heads.length; i++) {
      columns[1 + 2 * i] = AttentionFunction.massFeature(heads[i]);
      columns[2 + 2 * i] = AttentionFunction.idfMassFeature(heads[i]);
    }
    return columns;
  }

  /**
   * How close each head comes by itself: Pearson's correlation on the development pairs, weighed as
   * in the fit.
   *
   * @return in [-1, 1], by head, layer after layer
   */
  public double[] alone() {
    double[] alone = new double[layers * headsOfLayer];
    Arrays.setAll(alone, head -> correlation(List.of(head)));
    return alone;
  }

  private double correlation(List<Integer> heads) {
    int[] columns = columns(heads.stream().mapToInt(head -> head).toArray());
    return chooser.correlation(train.solve(columns, RIDGES[0]));
  }

  /**
   * A step of {@link #matchingHeads}.
   *
   * @param head that was added
   * @param correlation Pearson's, on the development pairs, weighed as in the fit, with it and all
   *     before it
   */
  public record Step(int head, double correlation) {}

  /**
   * Adds one head after another: always the one that helps most on the development pairs.
   *
   * @param count number of heads to add; no more are added than there are
   * @return a step for each head, in the order in which they were added
   */
  public List<Step> matchingHeads(int count) {
    List<Step> path = new ArrayList<>();
    List<Integer> chosen = new ArrayList<>();
    while (chosen.size() < Math.min(count, layers * headsOfLayer)) {
      Step best = bestStep(chosen);
      chosen.add(best.head);
      path.add(best);
    }
    return path;
  }

  private Step bestStep(List<Integer> chosen) {
    return IntStream.range(0, layers * headsOfLayer)
        .filter(head -> !chosen.contains(head))
        .mapToObj(head -> new Step(head, correlation(with(chosen, head))))
        .max(Comparator.comparingDouble(Step::correlation))
        .orElseThrow();
  }

  private static List<Integer> with(List<Integer> chosen, int head) {
    List<Integer> more = new ArrayList<>(chosen);
    more.add(head);
    return more;
  }

  /**
   * The functions of one layer, two layers and so on, with their figures.
   *
   * @param model the cross-encoder of the samples, for the provenance
   * @return functions of 1 up to all layers of the samples
   * @throws IOException if the ONNX file cannot be read
   */
  public AttentionModel extract(NeuralModel model) throws IOException {
    List<AttentionFunction> functions = new ArrayList<>();
    Map<String, String> figures = new HashMap<>();
    figures.put("pairs of training queries", Long.toString(train.rows()));
    figures.put("pairs of development queries", Long.toString(development.rows()));
    for (int k = 1; k <= layers; k++) {
      Fitted fitted = fit(k);
      functions.add(fitted.function);
      figures.put(
          "layers " + k + ", Pearson's r on development queries",
          String.format(Locale.ROOT, "%.4f", fitted.correlation));
    }
    return new AttentionModel(Extractor.provenance(model, figures), headsOfLayer, functions);
  }
}
