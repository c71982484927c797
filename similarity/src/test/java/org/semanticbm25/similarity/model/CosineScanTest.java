package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CosineScanTest {
  private static TermVectors random(int size, int dimensions, long seed) {
    Random random = new Random(seed);
    TermVectors.Builder builder = new TermVectors.Builder(dimensions);
    for (int i = 0; i < size; i++) {
      float[] vector = new float[dimensions];
      for (int d = 0; i > 0 && d < dimensions; d++) {
        vector[d] = (float) random.nextGaussian();
      }
      builder.add(vector);
    }
    return builder.build();
  }

  @Test
  void equalsTheCosineOfEachToTheBit() {
    for (int size : new int[] {0, 1, 1023, 1024, 1025, 5000}) {
      TermVectors vectors = random(size, 131, size);
      TermVectors queries = random(3, 131, 7);
      for (int query = 0; query < 3; query++) {
        int q = query;
        int[] seen = new int[1];
        new CosineScan(vectors)
            .scan(
                queries,
                query,
                (first, cosines, count) -> {
                  assertEquals(seen[0], first);
                  for (int i = 0; i < count; i++) {
                    assertEquals(queries.cosine(q, vectors, first + i), cosines[i], 0f);
                  }
                  seen[0] += count;
                });
        assertEquals(size, seen[0]);
      }
    }
  }
}
