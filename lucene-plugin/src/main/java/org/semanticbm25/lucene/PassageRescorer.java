package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Rescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.jspecify.annotations.Nullable;

/** A rescorer that reads texts, and may add a part of the first pass's score to its own. */
abstract class PassageRescorer extends Rescorer {
  final PassageSource passages;
  final float firstPassWeight;
  final boolean needsScores;
  final boolean fallback;

  /**
   * @param firstPassWeight 0, or the weight of the first pass's score
   * @param needsScores whether hits without scores are refused
   * @param fallback whether a document without text keeps the first pass's score
   */
  PassageRescorer(
      PassageSource passages, float firstPassWeight, boolean needsScores, boolean fallback) {
    this.passages = passages;
    this.firstPassWeight = firstPassWeight;
    this.needsScores = needsScores;
    this.fallback = fallback;
  }

  /** A weight that is 0 or greater, and finite. */
  static float checkWeight(float weight) {
    if (!(weight >= 0 && Float.isFinite(weight))) {
      throw new IllegalArgumentException("weight must be 0 or greater, and finite, got: " + weight);
    }
    return weight;
  }

  /** Scores texts, in their order. */
  abstract float[] score(List<String> texts) throws IOException;

  /** Who scores, in an explanation. */
  abstract String name();

  /** What the score is called in an explanation. */
  abstract String symbol();

  /** Explains what {@link #score} gives for a text. */
  abstract Explanation explain(String text) throws IOException;

  @Override
  public final TopDocs rescore(IndexSearcher searcher, TopDocs firstPassTopDocs, int topN)
      throws IOException {
    if (topN < 1) {
      throw new IllegalArgumentException("topN must be at least 1, got: " + topN);
    }
    ScoreDoc[] byDoc = firstPassTopDocs.scoreDocs.clone();
    Arrays.sort(byDoc, Comparator.comparingInt(hit -> hit.doc));
    if (needsScores) {
      requireScores(byDoc);
    }
    List<@Nullable String> texts = texts(searcher, byDoc);
    if (!texts.isEmpty() && texts.stream().allMatch(Objects::isNull)) {
      throw new IllegalArgumentException(
          "none of the %s hits has a text; give a field that is stored, or another source"
              .formatted(texts.size()));
    }
    float[] scores =
        score(texts.stream().filter(this::isScored).map(PassageRescorer::orEmpty).toList());
    RescoredDoc[] hits = new RescoredDoc[byDoc.length];
    int next = 0;
    for (int i = 0; i < hits.length; i++) {
      ScoreDoc hit = byDoc[i];
      String text = texts.get(i);
      float score = isScored(text) ? combine(hit.score, scores[next++]) : hit.score;
      hits[i] = new RescoredDoc(hit, score, text != null);
    }
    // the sort is stable
    Arrays.sort(hits, (a, b) -> Float.compare(b.score, a.score));
    return new TopDocs(
        firstPassTopDocs.totalHits, Arrays.copyOf(hits, Math.min(topN, hits.length)));
  }

  /** Whether a document with that text does not keep the score of the first pass. */
  private boolean isScored(@Nullable String text) {
    return text != null || !fallback;
  }

  private static void requireScores(ScoreDoc[] hits) {
    for (ScoreDoc hit : hits) {
      if (Float.isNaN(hit.score)) {
        throw new IllegalArgumentException(
            "document %s has no score of the first pass; search with scores, or take the second score alone: interpolated with weight 0"
                .formatted(hit.doc));
      }
    }
  }

  private float combine(float firstPassScore, float score) {
    return firstPassWeight == 0 ? score : score + firstPassWeight * firstPassScore;
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private List<@Nullable String> texts(IndexSearcher searcher, ScoreDoc[] byDoc)
      throws IOException {
    List<LeafReaderContext> leaves = searcher.getLeafContexts();
    List<@Nullable String> texts = new ArrayList<>(byDoc.length);
    PassageSource.Passages open = null;
    int start = 0;
    int end = 0;
    for (ScoreDoc hit : byDoc) {
      if (open == null || hit.doc >= end) {
        LeafReaderContext leaf = leaves.get(ReaderUtil.subIndex(hit.doc, leaves));
        start = leaf.docBase;
        end = start + leaf.reader().maxDoc();
        open = passages.open(leaf);
      }
      texts.add(open.text(hit.doc - start));
    }
    return texts;
  }

  @Override
  public final Explanation explain(
      IndexSearcher searcher, Explanation firstPassExplanation, int docID) throws IOException {
    String text = texts(searcher, new ScoreDoc[] {new ScoreDoc(docID, 0)}).getFirst();
    if (!isScored(text)) {
      return Explanation.match(
          firstPassExplanation.getValue(),
          "score of the first pass, for the document has no text",
          firstPassExplanation);
    }
    Explanation second = explain(orEmpty(text));
    float score = second.getValue().floatValue();
    float firstPassScore = firstPassExplanation.getValue().floatValue();
    Explanation first =
        Explanation.match(
            firstPassExplanation.getValue(),
            "firstPassScore, of the first pass",
            firstPassExplanation);
    if (firstPassWeight == 0) {
      return Explanation.match(
          score,
          "%s score, computed as %s; the first pass has no part in it".formatted(name(), symbol()),
          second,
          first);
    }
    return Explanation.match(
        combine(firstPassScore, score),
        "%s score, computed as %s + weight * firstPassScore from:".formatted(name(), symbol()),
        second,
        Explanation.match(firstPassWeight, "weight, of the first pass's score"),
        first);
  }
}
