package org.semanticbm25.similarity.model;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Time and recall of the nearest two of random vectors, by {@link CosineSketch} and by {@link
 * CosineScan} in turn. Not run by default:
 *
 * <pre>./mvnw -q test -pl similarity -Djacoco.skip -Dtest=CosineSketchBenchmark</pre>
 */
class CosineSketchBenchmark {
  private static final int DIMENSIONS = 128;
  private static final int QUERIES = 200;

  @Test
  void growth() {
    for (int size : new int[] {50_000, 100_000, 200_000, 400_000, 1_000_000}) {
      measure(CosineSketchTest.clustered(size, DIMENSIONS, size));
    }
  }

  private static void measure(TermVectors vectors) {
    CosineScan scan = new CosineScan(vectors);
    long start = System.nanoTime();
    CosineSketch sketch = new CosineSketch(vectors);
    double made = (System.nanoTime() - start) / 1e9;
    TermVectors others = CosineSketchTest.clustered(QUERIES, DIMENSIONS, 1);
    double[] all = new double[QUERIES];
    double[] likely = new double[QUERIES];
    int found = 0;
    Random random = new Random(1);
    for (int round = 0; round < 2; round++) {
      found = 0;
      for (int i = 0; i < QUERIES; i++) {
        int query = random.nextInt(QUERIES);
        BestTwo exact = new BestTwo();
        start = System.nanoTime();
        scan.scan(others, query, exact::offerAll);
        all[i] = (System.nanoTime() - start) / 1e6;
        BestTwo near = new BestTwo();
        start = System.nanoTime();
        sketch.search(others, query, near::offer);
        likely[i] = (System.nanoTime() - start) / 1e6;
        found += exact.common(near);
      }
    }
    Arrays.sort(all);
    Arrays.sort(likely);
    System.err.printf(
        "%,d vectors: sketched in %.2f s; a query takes %.2f ms by all cosines, %.2f ms by the"
            + " sketch (medians); recall %.4f%n",
        vectors.size(), made, all[QUERIES / 2], likely[QUERIES / 2], found / 2.0 / QUERIES);
  }

  private static final class BestTwo {
    private final int[] best = {-1, -1};
    private final float[] cosine = new float[2];

    void offerAll(int first, float[] cosines, int count) {
      for (int i = 0; i < count; i++) {
        offer(first + i, cosines[i]);
      }
    }

    void offer(int vector, float value) {
      if (value > cosine[1]) {
        int at = value > cosine[0] ? 0 : 1;
        best[1] = best[at];
        cosine[1] = cosine[at];
        best[at] = vector;
        cosine[at] = value;
      }
    }

    int common(BestTwo other) {
      return (int)
          Arrays.stream(best).filter(b -> b == other.best[0] || b == other.best[1]).count();
    }
  }
}
