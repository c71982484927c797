package org.semanticbm25.eval.study;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.stat.descriptive.rank.Median;
import org.semanticbm25.eval.measure.Report;

/** One table of all collections: how far each scorer agrees with the cross-encoder. */
public final class StudySummary {
  private static final String PROTOCOL = "paper's protocol";
  private static final String BM25 = "tuned BM25";

  private StudySummary() {}

  /**
   * A row for each set, the medians, and those of Lu, Chen and Eickhoff, <i>Pathway to
   * Relevance</i>, EMNLP 2025, over twelve collections, for another model.
   *
   * @param split attention with one set of weights
   * @param protocol attention by the paper's protocol
   * @param extracted scorers without a network
   */
  public static Report of(List<StudySet> sets, Report split, Report protocol, Report extracted) {
    Report report = new Report("All collections: r with the cross-encoder's logits, and alignment");
    for (StudySet set : sets) {
      String name = set.name();
      report.put(name, "queries", set.queries().size());
      report.copy(name, "attention", split, name + ", all heads", "r");
      report.copy(name, "matching heads", split, name + ", matching heads", "r");
      report.copy(name, PROTOCOL, protocol, name + ", with [SEP]", "r");
      report.copy(name, "contextual", extracted, name + ", contextual", "r");
      report.copy(name, "static", extracted, name + ", static", "r");
      report.copy(name, BM25, extracted, name + ", tuned BM25", "r");
      report.copy(name, "alignment, attention", split, name + ", all heads", "alignment");
      report.copy(name, "by chance", split, name + ", all heads", "alignment by chance");
    }
    putMedians(report, sets);
    report.put("the paper's model", PROTOCOL, 0.8401);
    report.put("the paper's model", BM25, 0.4570);
    return report;
  }

  private static void putMedians(Report report, List<StudySet> sets) {
    List<Map<String, Double>> rows =
        sets.stream().map(set -> report.systems().getOrDefault(set.name(), Map.of())).toList();
    Set<String> figures = new LinkedHashSet<>();
    rows.forEach(row -> figures.addAll(row.keySet()));
    figures.removeIf(figure -> figure.endsWith(Report.LOW) || figure.endsWith(Report.HIGH));
    for (String figure : figures) {
      double[] values =
          rows.stream()
              .filter(r -> r.containsKey(figure))
              .mapToDouble(r -> r.get(figure))
              .toArray();
      report.put("median", figure, new Median().evaluate(values));
    }
  }
}
