package org.semanticbm25.eval.measure;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.onnx.distill.Dcg;

/**
 * A measure of a ranking against graded judgements, named as ir-measures names it.
 *
 * <p>All of them are trec_eval's: a passage without a judgement has grade 0; a negative grade
 * counts as 0; the mean runs over all judged queries, and one that is missing from a run, or has
 * nothing relevant, counts as 0.
 */
public final class Measure {
  private final String name;
  private final ToDoubleBiFunction<int[], int[]> formula;

  /** The formula takes the grades of the ranking, and all positive grades in descending order. */
  private Measure(String name, ToDoubleBiFunction<int[], int[]> formula) {
    this.name = name;
    this.formula = formula;
  }

  /** As in {@code nDCG@10}. */
  public String name() {
    return name;
  }

  /** Normalised discounted cumulative gain: linear gain, discount {@code log2(rank + 1)}. */
  public static Measure nDCG(int depth) {
    return new Measure(
        "nDCG@" + depth,
        (ranked, ideal) -> ideal.length == 0 ? 0 : dcg(ranked, depth) / dcg(ideal, depth));
  }

  private static double dcg(int[] grades, int depth) {
    return Dcg.of(grades.length, depth, i -> grades[i]);
  }

  /** Reciprocal rank of the first passage of at least that grade. */
  public static Measure rr(int depth, int relevant) {
    return new Measure(
        named("RR", relevant, depth),
        (ranked, ideal) -> {
          for (int i = 0; i < Math.min(depth, ranked.length); i++) {
            if (ranked[i] >= relevant) {
              return 1d / (i + 1);
            }
          }
          return 0;
        });
  }

  /** Average precision. */
  public static Measure ap(int depth, int relevant) {
    return new Measure(
        named("AP", relevant, depth),
        (ranked, ideal) -> {
          double sum = 0;
          int found = 0;
          for (int i = 0; i < Math.min(depth, ranked.length); i++) {
            if (ranked[i] >= relevant) {
              sum += ++found / (i + 1d);
            }
          }
          return found == 0 ? 0 : sum / count(ideal, relevant, ideal.length);
        });
  }

  /** Precision: the share of relevant passages among the first {@code depth}. */
  public static Measure p(int depth, int relevant) {
    return new Measure(
        named("P", relevant, depth),
        (ranked, ideal) -> (double) count(ranked, relevant, depth) / depth);
  }

  /** Recall: the share of the relevant passages that are among the first {@code depth}. */
  public static Measure r(int depth, int relevant) {
    return new Measure(
        named("R", relevant, depth),
        (ranked, ideal) -> {
          int all = count(ideal, relevant, ideal.length);
          return all == 0 ? 0 : (double) count(ranked, relevant, depth) / all;
        });
  }

  private static String named(String name, int relevant, int depth) {
    return name + (relevant == 1 ? "" : "(rel=" + relevant + ")") + "@" + depth;
  }

  private static int count(int[] grades, int relevant, int depth) {
    int count = 0;
    for (int i = 0; i < Math.min(depth, grades.length); i++) {
      count += grades[i] >= relevant ? 1 : 0;
    }
    return count;
  }

  /** The measure of each judged query, in the order of the judgements. */
  public Map<String, Double> perQuery(Map<String, Map<String, Integer>> qrels, Run run) {
    Map<String, Double> values = new LinkedHashMap<>();
    qrels.forEach(
        (query, grades) -> {
          int[] ideal =
              grades.values().stream()
                  .filter(g -> g > 0)
                  .sorted(Comparator.reverseOrder())
                  .mapToInt(g -> g)
                  .toArray();
          int[] ranked =
              run.hits().getOrDefault(query, List.of()).stream()
                  .map(Hit::id)
                  .mapToInt(id -> Math.max(0, grades.getOrDefault(id, 0)))
                  .toArray();
          values.put(query, formula.applyAsDouble(ranked, ideal));
        });
    return values;
  }

  /** The mean over all judged queries. */
  public double mean(Map<String, Map<String, Integer>> qrels, Run run) {
    return perQuery(qrels, run).values().stream().mapToDouble(v -> v).average().orElse(0);
  }

  /** How many of the first {@code depth} hits have a judgement at all, on average. */
  public static double judged(int depth, Map<String, Map<String, Integer>> qrels, Run run) {
    return qrels.entrySet().stream()
        .mapToDouble(
            query -> {
              List<Hit> hits = run.hits().getOrDefault(query.getKey(), List.of());
              long judged =
                  hits.stream()
                      .limit(depth)
                      .filter(h -> query.getValue().containsKey(h.id()))
                      .count();
              return (double) judged / depth;
            })
        .average()
        .orElse(0);
  }
}
