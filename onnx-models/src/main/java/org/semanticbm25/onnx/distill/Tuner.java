package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.semanticbm25.similarity.model.ScoringParameters;

/**
 * Chooses scoring parameters by coordinate ascent over a grid: one parameter at a time takes its
 * best value, until none changes.
 */
public final class Tuner {
  /** Length normalisation and saturation only, without soft terms. */
  public static final Map<String, List<Float>> BM25_GRID = Collections.unmodifiableMap(bm25());

  /** All parameters but the number of soft terms, which is a matter of cost. */
  public static final Map<String, List<Float>> SEMANTIC_GRID =
      Collections.unmodifiableMap(semantic());

  private static Map<String, List<Float>> bm25() {
    Map<String, List<Float>> grid = new LinkedHashMap<>();
    grid.put("k1", List.of(0.2f, 0.4f, 0.6f, 0.9f, 1.2f, 1.6f, 2f, 2.5f, 3f, 4f, 6f, 9f));
    grid.put("b", List.of(0f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.75f, 0.9f, 1f));
    return grid;
  }

  private static Map<String, List<Float>> semantic() {
    Map<String, List<Float>> grid = bm25();
    grid.put("threshold", List.of(0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f));
    grid.put("exponent", List.of(0.5f, 1f, 1.5f, 2f, 3f, 4f));
    grid.put("scale", List.of(0.1f, 0.2f, 0.4f, 0.6f, 0.8f, 1f));
    grid.put("weightExponent", List.of(0f, 0.25f, 0.5f, 0.75f, 1f));
    grid.put("idfBlend", List.of(0f, 0.1f, 0.2f, 0.4f, 0.6f, 0.8f, 1f));
    return grid;
  }

  /** What is to be as large as possible. */
  @FunctionalInterface
  public interface Objective {
    /**
     * Measures parameters.
     *
     * @param parameters to judge
     * @return a figure, higher for better
     * @throws IOException if it cannot be measured
     */
    double of(ScoringParameters parameters) throws IOException;
  }

  private static final ScoringParameters START =
      new ScoringParameters(0.9f, 0.4f, 0.4f, 2f, 0.6f, 4, 0f, 1f);

  private final Map<String, List<Float>> grid;
  private final Map<ScoringParameters, Double> seen = new HashMap<>();

  /**
   * Creates a tuner for one objective: what an objective gave for parameters is remembered.
   *
   * @param grid values to try by name of the parameter, a component of {@link ScoringParameters}
   *     other than {@code maxSoftTerms}
   */
  public Tuner(Map<String, List<Float>> grid) {
    this.grid = grid;
  }

  /**
   * Ascends from usual parameters: k1 0.9, b 0.4, threshold 0.4, exponent 2, scale 0.6, four soft
   * terms, no blend of IDF, and weights of words as they are.
   *
   * @param objective called once for the same parameters
   * @return parameters that no change of one of them to a value of the grid makes better
   * @throws IOException if the objective throws it
   */
  public ScoringParameters ascend(Objective objective) throws IOException {
    return ascend(START, objective);
  }

  /**
   * Ascends from given parameters.
   *
   * @param start where to begin; parameters that are not in the grid stay as they are
   * @param objective called once for the same parameters
   * @return parameters that no change of one of them to a value of the grid makes better
   * @throws IOException if the objective throws it
   */
  public ScoringParameters ascend(ScoringParameters start, Objective objective) throws IOException {
    ScoringParameters best = start;
    ScoringParameters before;
    do {
      before = best;
      for (Map.Entry<String, List<Float>> coordinate : grid.entrySet()) {
        for (float value : coordinate.getValue()) {
          ScoringParameters candidate = with(best, coordinate.getKey(), value);
          if (value(objective, candidate) > value(objective, best)) {
            best = candidate;
          }
        }
      }
    } while (!best.equals(before));
    return best;
  }

  private double value(Objective objective, ScoringParameters parameters) throws IOException {
    Double value = seen.get(parameters);
    if (value == null) {
      value = objective.of(parameters);
      seen.put(parameters, value);
    }
    return value;
  }

  private static ScoringParameters with(ScoringParameters p, String name, float value) {
    return new ScoringParameters(
        name.equals("k1") ? value : p.k1(),
        name.equals("b") ? value : p.b(),
        name.equals("threshold") ? value : p.threshold(),
        name.equals("exponent") ? value : p.exponent(),
        name.equals("scale") ? value : p.scale(),
        p.maxSoftTerms(),
        name.equals("idfBlend") ? value : p.idfBlend(),
        name.equals("weightExponent") ? value : p.weightExponent());
  }
}
