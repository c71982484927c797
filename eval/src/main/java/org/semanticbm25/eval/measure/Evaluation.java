package org.semanticbm25.eval.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;

/** Measures runs on the same judgements, and tests the first against the others. */
public final class Evaluation {
  private static final Measure MAIN = Measure.nDCG(10);
  // all that an evaluation may have
  private static final List<String> SYSTEMS =
      List.of(
          "bm25",
          "bm25-tuned",
          "semantic",
          "semantic" + RankingSystem.PROFILE,
          "contextual",
          "contextual" + RankingSystem.PROFILE,
          "cross-encoder",
          "attention");

  private final Dataset dataset;
  private final List<Measure> measures;
  private final Map<String, Run> runs = new LinkedHashMap<>();

  /**
   * @param relevant the least grade that counts as relevant in binary measures
   */
  public Evaluation(Dataset dataset, int relevant) {
    this.dataset = dataset;
    this.measures =
        List.of(
            MAIN, Measure.rr(10, relevant), Measure.r(100, relevant), Measure.ap(1000, relevant));
  }

  public void add(String system, Run run) {
    runs.put(system, run);
  }

  public Map<String, Run> runs() {
    return runs;
  }

  /** The run of a system that was added. */
  public Run run(String system) {
    return Objects.requireNonNull(runs.get(system), () -> "no run of " + system);
  }

  /** The measures of all systems, with the p-value of each against the first. */
  public Report report() {
    Report report = new Report(dataset.name());
    runs.forEach(
        (system, run) -> {
          for (Measure measure : measures) {
            report.put(system, measure.name(), measure.mean(dataset.qrels(), run));
          }
          report.put(system, "Judged@10", Measure.judged(10, dataset.qrels(), run));
        });
    List<String> others = new ArrayList<>(runs.keySet());
    String first = others.remove(0);
    double[] base = perQuery(first);
    double[] raw =
        others.stream()
            .mapToDouble(o -> base.length < 2 ? 1 : Significance.paired(base, perQuery(o)))
            .toArray();
    double[] p = Significance.holm(raw);
    for (int i = 0; i < p.length; i++) {
      double[] other = perQuery(others.get(i));
      double difference =
          Arrays.stream(other).average().orElse(0) - Arrays.stream(base).average().orElse(0);
      report.put(others.get(i), "%s - %s".formatted(MAIN.name(), first), difference);
      report.put(others.get(i), "p", raw[i]);
      report.put(others.get(i), "p (Holm)", p[i]);
    }
    return report;
  }

  private double[] perQuery(String system) {
    return MAIN.perQuery(dataset.qrels(), run(system)).values().stream()
        .mapToDouble(v -> v)
        .toArray();
  }

  /** Writes the runs, in place of those of an earlier evaluation in the folder. */
  public void write(Path folder) throws IOException {
    for (Map.Entry<String, Run> run : runs.entrySet()) {
      run.getValue().write(folder.resolve(run.getKey() + ".run"), run.getKey());
    }
    for (String system : SYSTEMS) {
      if (!runs.containsKey(system)) {
        Files.deleteIfExists(folder.resolve(system + ".run"));
      }
    }
    Terminal.say("run files: %s", folder);
  }
}
