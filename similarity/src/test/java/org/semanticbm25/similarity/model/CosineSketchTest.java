package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CosineSketchTest {
  private static final int QUERIES = 50;

  /** Vectors around many centres, as words lie around meanings. */
  static TermVectors clustered(int size, int dimensions, long seed) {
    Random centres = new Random(7);
    float[][] centre = new float[Math.max(500, size / 100)][dimensions];
    Arrays.setAll(centre, i -> near(centres, centre[i], 1));
    Random random = new Random(seed);
    TermVectors.Builder vectors = new TermVectors.Builder(dimensions);
    for (int i = 0; i < size; i++) {
      vectors.add(near(random, centre[random.nextInt(centre.length)], 0.7f));
    }
    return vectors.build();
  }

  private static float[] near(Random random, float[] mean, float deviation) {
    float[] vector = mean.clone();
    for (int d = 0; d < vector.length; d++) {
      vector[d] += deviation * (float) random.nextGaussian();
    }
    return vector;
  }

  private static Map<Integer, Float> compared(CosineSketch sketch, TermVectors others, int i) {
    Map<Integer, Float> cosines = new HashMap<>();
    sketch.search(others, i, cosines::put);
    return cosines;
  }

  private static List<Integer> nearest(TermVectors vectors, TermVectors others, int i) {
    return IntStream.range(0, vectors.size())
        .boxed()
        .sorted(Comparator.comparingDouble(j -> -others.cosine(i, vectors, j)))
        .limit(2)
        .toList();
  }

  @Test
  void findsTheNearestByAFractionOfTheCosines() {
    for (int dimensions : new int[] {128, 96}) {
      TermVectors vectors = clustered(60_000, dimensions, 1);
      TermVectors others = clustered(QUERIES, dimensions, 2);
      CosineSketch sketch = new CosineSketch(vectors);
      int found = 0;
      int all = 0;
      for (int i = 0; i < QUERIES; i++) {
        Map<Integer, Float> cosines = compared(sketch, others, i);
        all += cosines.size();
        cosines.forEach(new CosineCheck(vectors, others, i)::check);
        found += (int) nearest(vectors, others, i).stream().filter(cosines::containsKey).count();
      }
      assertTrue(found >= 0.98 * 2 * QUERIES, found + " of " + 2 * QUERIES);
      int mean = all / QUERIES;
      assertTrue(
          mean > CosineSketch.COMPARED / 2 && mean < 2 * CosineSketch.COMPARED, mean + " compared");
    }
  }

  private record CosineCheck(TermVectors vectors, TermVectors others, int i) {
    void check(int vector, float cosine) {
      assertEquals(others.cosine(i, vectors, vector), cosine);
    }
  }

  @Test
  void comparesWithAllOfFew() {
    for (int size : new int[] {0, 1, 63, CosineSketch.COMPARED}) {
      TermVectors vectors = clustered(size, 4, 1);
      CosineSketch sketch = new CosineSketch(vectors);
      assertEquals(size, compared(sketch, clustered(1, 4, 2), 0).size());
    }
  }

  @Test
  void aZeroVectorIsNearNone() {
    TermVectors zero = TermVectors.quantize(4, new float[1][4]);
    CosineSketch sketch = new CosineSketch(clustered(10, 4, 1));
    assertEquals(Collections.nCopies(10, 0f), List.copyOf(compared(sketch, zero, 0).values()));
  }
}
