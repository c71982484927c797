package org.semanticbm25.onnx.context;

import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.util.VectorUtil;
import org.semanticbm25.onnx.runtime.KernelSums;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;
import org.semanticbm25.similarity.model.SoftFrequencies;

/** Compares the tokens of a passage with all terms of a model. Thread-safe. */
final class TokenMatcher implements Closeable {
  private final ContextualModel model;
  private final KernelSums kernel;

  TokenMatcher(ContextualModel model) throws IOException {
    this.model = model;
    this.kernel = new KernelSums(model.vectors(), model.parameters().threshold());
  }

  /**
   * Adds {@code scale * sum over tokens of gate * kernel} to the sum of each term.
   *
   * @param sums of all terms
   */
  void add(float[] sums, float[][] vectors, float[] gates) throws IOException {
    Parameters parameters = model.parameters();
    float range = 1 - parameters.threshold();
    float[] factors = new float[gates.length];
    for (int i = 0; i < gates.length; i++) {
      factors[i] = parameters.scale() * gates[i] / (range * range);
    }
    kernel.add(sums, vectors, factors);
  }

  /** The soft frequencies that sums amount to; an encoder that gives no numbers is damaged. */
  SoftFrequencies frequencies(float[] sums) throws IOException {
    float cut = model.parameters().cut();
    int[] found = new int[sums.length];
    float[] frequencies = new float[sums.length];
    int count = 0;
    for (int t = 0; t < sums.length; t++) {
      if (!Float.isFinite(sums[t])) {
        throw new IOException(
            "%s: a soft frequency is %s; fetch the encoder again"
                .formatted(model.provenance().source(), sums[t]));
      }
      if (sums[t] > cut) {
        found[count] = t;
        frequencies[count++] = sums[t] - cut;
      }
    }
    return new SoftFrequencies(Arrays.copyOf(found, count), Arrays.copyOf(frequencies, count));
  }

  /** What each token adds to the sum of a term. */
  float[] shares(float[][] vectors, float[] gates, int term) {
    Parameters parameters = model.parameters();
    float[] termVector = model.vectors().unit(term);
    float[] shares = new float[gates.length];
    for (int i = 0; i < shares.length; i++) {
      float cosine = VectorUtil.dotProduct(vectors[i], termVector);
      shares[i] = parameters.scale() * gates[i] * parameters.kernel(cosine);
    }
    return shares;
  }

  @Override
  public void close() throws IOException {
    kernel.close();
  }
}
