package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * Changes how much words count to a cross-encoder itself, in its ONNX file.
 *
 * <pre>
 *   row' = row + (factor - 1) * (row . v) * v
 * </pre>
 *
 * <p>A word's embedding is scaled along the unit vector v of the IDF direction, see {@link
 * IdfDirection}: the edit of Lu, Chen and Eickhoff, <i>Pathway to Relevance</i>, EMNLP 2025,
 * section 4.4. All other embeddings stay the same to the bit.
 */
public final class EmbeddingEdit {
  private EmbeddingEdit() {}

  /**
   * Edits words of a model.
   *
   * @param model a BERT-family model, in float or int8
   * @param factors by word, each a single token of the model; 1 changes nothing, 0 takes the
   *     component out
   * @return the edited graph
   * @throws IOException if a file of the model is missing, damaged or of another kind, or if bytes
   *     cannot hold the edited embeddings
   * @throws IllegalArgumentException if a word is no token of the model, or a factor not finite
   */
  public static OnnxGraph apply(NeuralModel model, Map<String, Float> factors) throws IOException {
    OnnxGraph graph = OnnxGraph.read(model.onnx());
    TextTokens tokens = TextTokens.read(model, graph);
    Map<Integer, float[]> rows = new HashMap<>();
    for (Map.Entry<String, Float> entry : factors.entrySet()) {
      int token = token(entry.getKey(), entry.getValue(), tokens, model);
      if (entry.getValue() != 1f) {
        float[] row = tokens.embeddings().get(token);
        rows.put(tokens.ids().get(token), scaled(row, tokens.axis(), entry.getValue()));
      }
    }
    return WordEmbeddings.replace(graph, rows);
  }

  private static int token(String word, float factor, TextTokens tokens, NeuralModel model) {
    int token = tokens.pieces().indexOf(word);
    if (token < 0) {
      throw new IllegalArgumentException(
          "'%s' is no single token of %s; give a word of its vocabulary, or a piece such as ##ing"
              .formatted(word, model.tokenizer()));
    }
    if (!Float.isFinite(factor)) {
      throw new IllegalArgumentException(
          "illegal factor: %s of '%s', must be finite".formatted(factor, word));
    }
    return token;
  }

  private static float[] scaled(float[] row, double[] axis, float factor) {
    double component = IdfDirection.component(row, axis);
    float[] scaled = new float[row.length];
    for (int d = 0; d < row.length; d++) {
      scaled[d] = (float) (row[d] + (factor - 1) * component * axis[d]);
    }
    return scaled;
  }
}
