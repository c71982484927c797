package org.semanticbm25.eval.study;

import java.io.IOException;
import java.util.List;
import org.semanticbm25.eval.measure.Report;

/** How close the static scorer comes to the cross-encoder. */
public final class StaticReport {
  private StaticReport() {}

  /**
   * The static scorer beside BM25 with the same statistics, both as they score and with scores that
   * are comparable between queries; and its nDCG@10 beside that of the first pass.
   */
  public static Report of(List<StudySet> sets, float k1, float b) throws IOException {
    Report report = new Report("Static scorer, term against term, no network at query time");
    for (StudySet set : sets) {
      report.put(set.name() + ", static", set.staticAgreement());
      report.put(set.name() + ", static, comparable", set.comparableAgreement(set.staticScorer()));
      report.put(set.name() + ", tuned BM25", set.bm25Agreement(k1, b));
      report.put(set.name() + ", tuned BM25, comparable", set.comparableAgreement(set.bm25(k1, b)));
      String measure = set.given() ? "nDCG@10, reranking" : "nDCG@10, searching";
      report.put(set.name() + ", static", measure, set.nDcg(set.staticRun()));
      report.put(set.name() + ", first pass of BM25", measure, set.nDcg(set.first()));
    }
    return report;
  }
}
