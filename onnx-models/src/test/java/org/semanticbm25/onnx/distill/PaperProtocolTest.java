package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.distill.PaperProtocol.Row;

class PaperProtocolTest {
  private static final int HEADS = 4;
  private static final float[] IDF = {1, -1, 2, 0.5f, -2, 3};

  /** Queries of one to three tokens; what matters is head 2 and the position. */
  private static List<PairSample> samples(boolean separatorMatters) {
    Random random = new Random(6);
    List<PairSample> samples = new ArrayList<>();
    for (int query = 0; query < 90; query++) {
      int[] tokens = random.ints(1 + query % 3, 0, IDF.length).toArray();
      List<Mass> masses = new ArrayList<>();
      float[] logits = new float[10];
      for (int i = 0; i < logits.length; i++) {
        Mass mass = new Mass(tokens, random(random, tokens.length), random(random, tokens.length));
        masses.add(mass);
        for (int t = 0; t < tokens.length; t++) {
          float m = mass.of(2, t) + (separatorMatters ? mass.toSeparator(2, t) : 0);
          logits[i] += (t + 1) * m * (1 + IDF[tokens[t]]);
        }
      }
      samples.add(new PairSample(logits, masses));
    }
    return samples;
  }

  private static float[] random(Random random, int tokens) {
    float[] values = new float[HEADS * tokens];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() / 2;
    }
    return values;
  }

  private static double correlation(List<Row> rows) {
    return new PearsonsCorrelation()
        .correlation(
            rows.stream().mapToDouble(Row::predicted).toArray(),
            rows.stream().mapToDouble(Row::logit).toArray());
  }

  @Test
  void aLongQueryHasMoreWeightsThanRowsAndIsFittedAtOnce() {
    Random random = new Random(1);
    int[] tokens = random.ints(300, 0, IDF.length).toArray();
    List<Mass> masses = new ArrayList<>();
    float[] logits = new float[20];
    for (int i = 0; i < logits.length; i++) {
      masses.add(new Mass(tokens, random(random, 300), random(random, 300)));
      logits[i] = random.nextFloat();
    }
    List<PairSample> samples = List.of(new PairSample(logits, masses));
    List<Row> rows =
        assertTimeout(
            Duration.ofSeconds(5),
            () -> PaperProtocol.run(samples, IDF, List.of(0, 1, 2, 3), true));
    assertEquals(4, rows.size());
    rows.forEach(row -> assertTrue(Double.isFinite(row.predicted())));
  }

  @Test
  void twentySevenFeaturesAPositionForThirteenHeads() {
    float[] passage = new float[14 * 2];
    float[] separator = new float[14 * 2];
    for (int i = 0; i < passage.length; i++) {
      passage[i] = i;
      separator[i] = 100;
    }
    Mass mass = new Mass(new int[] {2, 4}, passage, separator);
    List<Integer> heads = List.of(13, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    double[] features = PaperProtocol.features(mass, IDF, heads, false);
    assertEquals(27 * 2, features.length);
    assertArrayEquals(
        new double[] {2, 26, 52}, new double[] {features[0], features[1], features[2]});
    assertArrayEquals(
        new double[] {-2, 27, -54}, new double[] {features[27], features[28], features[29]});
    assertEquals(126, PaperProtocol.features(mass, IDF, heads, true)[1]);
    assertEquals(13, PaperProtocol.HEADS_OF_MINILM_L12.size());
  }

  @Test
  void measuresTheRowsThatWereNotFitted() {
    List<Row> rows = PaperProtocol.run(samples(false), IDF, List.of(0, 2), false);
    assertEquals(180, rows.size(), "a fifth of 900 pairs");
    assertEquals(1, correlation(rows), 1e-6);
    double otherHeads = correlation(PaperProtocol.run(samples(false), IDF, List.of(0, 1), false));
    assertTrue(otherHeads < 0.9, "other heads: " + otherHeads);
  }

  @Test
  void countsTheSeparatorWhenAsked() {
    List<Integer> heads = List.of(2);
    assertEquals(1, correlation(PaperProtocol.run(samples(true), IDF, heads, true)), 1e-6);
    assertTrue(correlation(PaperProtocol.run(samples(true), IDF, heads, false)) < 0.99);
  }
}
