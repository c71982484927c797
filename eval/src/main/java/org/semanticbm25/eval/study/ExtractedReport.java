package org.semanticbm25.eval.study;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.measure.Report;

/** How close the scorers that run no network at query time come to the cross-encoder. */
public final class ExtractedReport {
  private ExtractedReport() {}

  /**
   * The static and the contextual scorer beside BM25 with the same IDF, as they score and, but for
   * the contextual one, with scores that are comparable between queries; and the static scorer's
   * nDCG@10 beside that of the first pass.
   *
   * @param contextual by the set's name; empty to leave them out
   */
  public static Report of(
      List<StudySet> sets, Map<String, RankingSystem> contextual, float k1, float b)
      throws IOException {
    Report report = new Report("Extracted scorers, no network at query time");
    for (StudySet set : sets) {
      report.put(set.name() + ", static", set.agreement(set.staticScorer()));
      report.put(set.name() + ", static, comparable", set.comparableAgreement(set.staticScorer()));
      RankingSystem inContext = contextual.get(set.name());
      if (inContext != null) {
        report.put(set.name() + ", contextual", set.agreement(inContext));
      }
      report.put(set.name() + ", tuned BM25", set.bm25Agreement(k1, b));
      report.put(set.name() + ", tuned BM25, comparable", set.comparableAgreement(set.bm25(k1, b)));
      String measure = set.given() ? "nDCG@10, reranking" : "nDCG@10, searching";
      report.put(set.name() + ", static", measure, set.nDcg(set.staticRun()));
      report.put(set.name() + ", first pass of BM25", measure, set.nDcg(set.first()));
    }
    return report;
  }
}
