package org.semanticbm25.eval.study;

import java.util.List;
import java.util.function.ToDoubleBiFunction;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.distill.Agreement;

/** Fidelity and time of the attention functions by the number of layers that are run. */
public final class LayerDial {
  private LayerDial() {}

  /** Fidelity by the number of layers: r on all sets, nDCG@10 on those that are reranked. */
  public static Report report(List<StudySet> sets, AttentionModel model, double[] times) {
    Report report =
        new Report(
            "The dial: layers that are run; time of %d queries with %d candidates each"
                .formatted(
                    Math.min(AttentionTimes.QUERIES, StudySet.timed(sets).queries().size()),
                    StudySet.timed(sets).candidates().getFirst().size()));
    for (int k = 1; k <= model.layers(); k++) {
      AttentionFunction function = model.function(k);
      String row = k + (k == 1 ? " layer" : " layers");
      report.put(row, "time, cross-encoder = 1", times[k - 1]);
      for (StudySet set : sets) {
        report.put(row, "r " + set.name(), Agreement.of(function, set.firstHits()).pearson());
        if (set.given()) {
          rerank(report, row, set, (query, i) -> function.score(mass(set, query, i)));
        }
      }
    }
    report.put("cross-encoder", "time, cross-encoder = 1", 1);
    for (StudySet set : sets) {
      if (set.given()) {
        rerank(
            report,
            "cross-encoder",
            set,
            (query, i) -> (double) set.samples().get(query).logits()[i]);
        report.put("BM25", "nDCG@10 " + set.name(), set.nDcg(set.first()));
      }
    }
    return report;
  }

  private static void rerank(
      Report report, String row, StudySet set, ToDoubleBiFunction<Integer, Integer> score) {
    double value = set.nDcg(set.rerank(score));
    double bm25 = set.nDcg(set.first());
    double full = set.nDcg(set.rerank((query, i) -> (double) set.samples().get(query).logits()[i]));
    report.put(row, "nDCG@10 " + set.name(), value);
    if (full > bm25) {
      report.put(row, "share of the gain " + set.name(), (value - bm25) / (full - bm25));
    }
  }

  private static Mass mass(StudySet set, int query, int i) {
    return set.samples().get(query).masses().get(i);
  }
}
