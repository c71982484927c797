package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.Tokenizers;

/**
 * The tokens of a model that stand for text, and its embeddings.
 *
 * @param size number of all tokens
 * @param ids of the tokens that stand for text
 * @param pieces of the same
 * @param embeddings of the same
 * @param axis unit vector of the IDF direction, along which rare words are high
 * @param idf values of the same tokens along it, see {@link IdfDirection}
 */
@SuppressWarnings("ArrayRecordComponent")
record TextTokens(
    int size,
    List<Integer> ids,
    List<String> pieces,
    List<float[]> embeddings,
    double[] axis,
    float[] idf) {

  static TextTokens read(NeuralModel model) throws IOException {
    return read(model, OnnxGraph.read(model.onnx()));
  }

  /**
   * @param graph of the model
   */
  static TextTokens read(NeuralModel model, OnnxGraph graph) throws IOException {
    Tokenizers.Vocabulary vocabulary = Tokenizers.vocabulary(model.tokenizer());
    if (!vocabulary.wordPiece()) {
      throw new IOException(
          model.tokenizer()
              + ": no WordPiece vocabulary, which is needed; give a BERT-family model, such as"
              + " BERT, DistilBERT, ELECTRA or MiniLM");
    }
    float[][] embeddings = WordEmbeddings.read(graph);
    if (embeddings.length < vocabulary.pieces().size()) {
      throw new IOException(
          "%s has %s tokens but %s only %s embeddings; they belong to different models"
              .formatted(
                  model.tokenizer(), vocabulary.pieces().size(), model.onnx(), embeddings.length));
    }
    List<Integer> ids = new ArrayList<>();
    List<String> pieces = new ArrayList<>();
    List<float[]> matrix = new ArrayList<>();
    List<float[]> rows = new ArrayList<>();
    for (int id = 0; id < vocabulary.pieces().size(); id++) {
      if (!vocabulary.isSpecial(id)) {
        matrix.add(embeddings[id]);
      }
      String piece = vocabulary.pieces().get(id);
      if (piece != null && vocabulary.isText(id)) {
        ids.add(id);
        pieces.add(piece);
        rows.add(embeddings[id]);
      }
    }
    check(model, matrix, rows);
    double[] axis = IdfDirection.oriented(IdfDirection.axis(matrix), rows);
    float[] idf = IdfDirection.along(axis, rows);
    if (Float.isNaN(idf[0])) {
      throw new IOException(model.onnx() + ": its word embeddings are all alike; fetch it again");
    }
    return new TextTokens(embeddings.length, ids, pieces, rows, axis, idf);
  }

  private static void check(NeuralModel model, List<float[]> matrix, List<float[]> vocabulary)
      throws IOException {
    if (vocabulary.size() < 2) {
      throw new IOException(model.tokenizer() + ": has fewer than 2 words; fetch it again");
    }
    for (float[] row : matrix) {
      for (float value : row) {
        if (!Float.isFinite(value)) {
          throw new IOException(
              model.onnx() + ": its word embeddings are not finite; fetch the model again");
        }
      }
    }
  }
}
