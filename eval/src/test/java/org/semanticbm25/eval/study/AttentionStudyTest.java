package org.semanticbm25.eval.study;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.distill.PairSample;

/** Controls on samples whose logits come from one head and the IDF. */
class AttentionStudyTest {
  private static final int LAYERS = 4;
  private static final int HEADS = 8;
  private static final int MATCHING = 21;
  private static final float[] IDF = new float[200];

  static {
    Random random = new Random(5);
    for (int i = 0; i < IDF.length; i++) {
      IDF[i] = (float) random.nextGaussian();
    }
  }

  private static List<PairSample> samples(int queries, long seed) {
    Random random = new Random(seed);
    List<PairSample> samples = new ArrayList<>();
    for (int query = 0; query < queries; query++) {
      int[] tokens = random.ints(1 + random.nextInt(6), 0, IDF.length).toArray();
      List<Mass> masses = new ArrayList<>();
      float[] logits = new float[5];
      for (int i = 0; i < logits.length; i++) {
        float[] passage = new float[LAYERS * HEADS * tokens.length];
        for (int j = 0; j < passage.length; j++) {
          passage[j] = random.nextFloat();
        }
        masses.add(new Mass(tokens, passage, new float[passage.length]));
        for (int t = 0; t < tokens.length; t++) {
          // centred, so that a query by itself tells nothing
          logits[i] += IDF[tokens[t]] * (masses.get(i).of(MATCHING, t) - 0.5f) / tokens.length;
        }
      }
      samples.add(new PairSample(logits, masses));
    }
    return samples;
  }

  @Test
  void controlsCollapse() {
    AttentionStudy study =
        new AttentionStudy(LAYERS, HEADS, IDF, samples(300, 1), samples(100, 2), List.of());
    Map<String, Double> controls = study.controls().of(samples(100, 3));
    assertTrue(controls.get("matching heads") > 0.99, controls.toString());
    assertTrue(Math.abs(controls.get("random IDF")) < 0.3, controls.toString());
    assertTrue(controls.get("random heads, mean of 5") < 0.8, controls.toString());
    assertTrue(Math.abs(controls.get("shuffled attention")) < 0.2, controls.toString());
  }
}
