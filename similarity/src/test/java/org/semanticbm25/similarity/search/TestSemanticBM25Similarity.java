package org.semanticbm25.similarity.search;

import java.util.Random;
import org.apache.lucene.index.FieldInvertState;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.tests.search.similarities.BaseSimilarityTestCase;
import org.apache.lucene.tests.util.TestUtil;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.Version;
import org.semanticbm25.similarity.search.SemanticBM25Similarity.TermIdf;

/** Lucene's own harness holds score, norm and explanation to their contract. */
public class TestSemanticBM25Similarity extends BaseSimilarityTestCase {
  private static final CollectionStatistics COLLECTION =
      new CollectionStatistics("body", 1000, 900, 30_000, 20_000);
  private static final TermStatistics TERM = new TermStatistics(new BytesRef("term"), 20, 31);

  @Override
  protected Similarity getSimilarity(Random random) {
    float known = random.nextFloat() * 20;
    boolean knows = random.nextBoolean();
    return new SemanticBM25Similarity(
        random.nextBoolean() ? 0f : random.nextFloat() * 10,
        random.nextFloat(),
        random.nextBoolean() ? 1f : random.nextFloat(),
        (term, passages) -> knows ? known : Float.NaN);
  }

  public void testIsExactlyBM25WithoutBlendOrKnowledge() {
    BM25Similarity bm25 = new BM25Similarity(1.1f, 0.3f);
    TermIdf five = (term, passages) -> 5f;
    assertSameScores(bm25, new SemanticBM25Similarity(1.1f, 0.3f, 0f, five));
    assertSameScores(bm25, new SemanticBM25Similarity(1.1f, 0.3f, 0.7f, TermIdf.NONE));
  }

  private static void assertSameScores(Similarity expected, Similarity actual) {
    Similarity.SimScorer a = expected.scorer(1.7f, COLLECTION, TERM);
    Similarity.SimScorer b = actual.scorer(1.7f, COLLECTION, TERM);
    for (float freq : new float[] {0.25f, 1f, 3f, 1000f}) {
      for (int norm = 1; norm < 256; norm++) {
        assertEquals(a.score(freq, norm), b.score(freq, norm), 0f);
      }
    }
  }

  public void testBlendsIdf() {
    // log(1 + (900 - 20 + 0.5) / (20 + 0.5)) = log(43.95121951...)
    double collection = 3.783080;
    Similarity similarity =
        new SemanticBM25Similarity(
            0f, 0f, 0.25f, (term, passages) -> passages == 900 ? 2f : Float.NaN);
    // with k1 = 0 every frequency is worth 1
    assertEquals(
        0.75 * collection + 0.25 * 2, similarity.scorer(1f, COLLECTION, TERM).score(3f, 7), 1e-5);
  }

  public void testUsesTheNormsOfBM25() {
    FieldInvertState state =
        new FieldInvertState(
            Version.LATEST.major, "body", IndexOptions.DOCS_AND_FREQS, 3, 45, 5, 0, 9, 20);
    Similarity semantic = new SemanticBM25Similarity(1f, 1f, 0f, TermIdf.NONE);
    assertEquals(new BM25Similarity().computeNorm(state), semantic.computeNorm(state));
  }

  public void testRefusesIllegalParameters() {
    for (float blend : new float[] {-0.01f, 1.01f, Float.NaN, Float.POSITIVE_INFINITY}) {
      IllegalArgumentException e =
          expectThrows(
              IllegalArgumentException.class,
              () -> new SemanticBM25Similarity(1f, 0.5f, blend, TermIdf.NONE));
      assertTrue(e.getMessage(), e.getMessage().contains("illegal blend value: " + blend));
    }
    expectThrows(
        IllegalArgumentException.class,
        () -> new SemanticBM25Similarity(-1f, 0.5f, 0f, TermIdf.NONE));
    expectThrows(
        IllegalArgumentException.class, () -> new SemanticBM25Similarity(1f, 2f, 0f, TermIdf.NONE));
  }

  public void testDescribesItself() {
    float blend = TestUtil.nextInt(random(), 0, 4) / 4f;
    assertEquals(
        "SemanticBM25(k1=1.5,b=0.25,blend=" + blend + ")",
        new SemanticBM25Similarity(1.5f, 0.25f, blend, TermIdf.NONE).toString());
  }
}
