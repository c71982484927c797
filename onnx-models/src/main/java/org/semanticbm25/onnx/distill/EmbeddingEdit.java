package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.Tokenizers;

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
   * @throws IOException if a file of the model is missing, damaged or of another kind
   * @throws IllegalArgumentException if a word is no token of the model, or a factor not finite
   */
  public static OnnxGraph apply(NeuralModel model, Map<String, Float> factors) throws IOException {
    Tokenizers.Vocabulary vocabulary = Tokenizers.vocabulary(model.tokenizer());
    OnnxGraph graph = OnnxGraph.read(model.onnx());
    float[][] embeddings = WordEmbeddings.read(graph);
    Map<Integer, Float> byId = new HashMap<>();
    factors.forEach((word, factor) -> byId.put(id(word, factor, vocabulary, model), factor));
    byId.values().removeIf(factor -> factor == 1f);
    double[] axis = IdfDirection.axis(trained(embeddings, vocabulary));
    Map<Integer, float[]> rows = new HashMap<>();
    byId.forEach((id, factor) -> rows.put(id, scaled(embeddings[id], axis, factor)));
    return WordEmbeddings.replace(graph, rows);
  }

  private static int id(
      String word, float factor, Tokenizers.Vocabulary vocabulary, NeuralModel model) {
    int id = vocabulary.pieces().indexOf(word);
    if (id < 0 || !vocabulary.isText(id)) {
      throw new IllegalArgumentException(
          "'%s' is no single token of %s; give a word of its vocabulary, or a piece such as ##ing"
              .formatted(word, model.tokenizer()));
    }
    if (!Float.isFinite(factor)) {
      throw new IllegalArgumentException(
          "illegal factor: %s of '%s', must be finite".formatted(factor, word));
    }
    return id;
  }

  /** The rows that the direction is made of: all but special tokens. */
  private static List<float[]> trained(float[][] embeddings, Tokenizers.Vocabulary vocabulary) {
    List<float[]> rows = new ArrayList<>();
    for (int id = 0; id < vocabulary.pieces().size(); id++) {
      if (!vocabulary.isSpecial(id)) {
        rows.add(embeddings[id]);
      }
    }
    return rows;
  }

  private static float[] scaled(float[] row, double[] axis, float factor) {
    double component = 0;
    for (int d = 0; d < row.length; d++) {
      component += row[d] * axis[d];
    }
    float[] scaled = new float[row.length];
    for (int d = 0; d < row.length; d++) {
      scaled[d] = (float) (row[d] + (factor - 1) * component * axis[d]);
    }
    return scaled;
  }
}
