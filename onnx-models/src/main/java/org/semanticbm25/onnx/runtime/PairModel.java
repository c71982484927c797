package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.Closeable;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * A graph that reads pairs, loaded, and its tokenizer, after checks that they belong together.
 *
 * @param source of the graph, for messages
 * @param session of the graph
 * @param tokenizer for pairs
 * @param maxTokens longest input: the fewest positions that any file of the model tells
 */
public record PairModel(String source, OrtSession session, PairTokenizer tokenizer, int maxTokens)
    implements Closeable {
  private static final Set<String> INPUTS =
      Set.of(
          OnnxGraph.INPUT_IDS,
          OnnxGraph.ATTENTION_MASK,
          OnnxGraph.TOKEN_TYPE_IDS,
          OnnxGraph.MARKS,
          OnnxGraph.QUERY_END);
  private static final int DEFAULT_POSITIONS = 512;
  // rows of padding that make an embedding's size a multiple of what some hardware likes
  private static final int MAX_PADDING_ROWS = 127;
  private static final int PADDING_MULTIPLE = 8;

  /**
   * Loads a model.
   *
   * @param model files that the tokenizer and the number of positions are read from
   * @param graph of that model, or an edited one
   * @return graph and tokenizer in native memory, to be closed
   * @throws IOException if a file is missing or damaged, if the graph has other inputs than a
   *     BERT-family model, if it has not as many word embeddings as the tokenizer has tokens, but
   *     for padding, or if it reads too few tokens to hold a query and {@value
   *     PairBatch#MIN_PASSAGE_TOKENS} tokens of a passage
   */
  public static PairModel open(NeuralModel model, OnnxGraph graph) throws IOException {
    checkInputs(model, graph);
    checkVocabulary(model, graph);
    int configured = model.configuredPositions().orElse(DEFAULT_POSITIONS);
    int maxTokens = Math.min(configured, graph.positions().orElse(configured));
    if (maxTokens <= PairBatch.SPECIAL_TOKENS + PairBatch.MIN_PASSAGE_TOKENS) {
      throw new IOException(
          "%s: reads only %d tokens at a time, by its graph or config.json; give a model that reads more than %d"
              .formatted(
                  model.onnx(),
                  maxTokens,
                  PairBatch.SPECIAL_TOKENS + PairBatch.MIN_PASSAGE_TOKENS));
    }
    OrtEnvironment environment = OnnxRuntime.environment();
    PairTokenizer tokenizer = new PairTokenizer(model.tokenizer());
    try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions()) {
      return new PairModel(
          model.onnx().toString(),
          environment.createSession(graph.bytes(), options),
          tokenizer,
          maxTokens);
    } catch (OrtException e) {
      tokenizer.close();
      throw new IOException(
          "%s: ONNX Runtime cannot load it (%s); fetch the model again"
              .formatted(model.onnx(), e.getMessage()),
          e);
    }
  }

  private static void checkInputs(NeuralModel model, OnnxGraph graph) throws IOException {
    Set<String> unknown = new HashSet<>(graph.inputs());
    unknown.removeAll(INPUTS);
    boolean complete =
        graph.inputs().contains(OnnxGraph.INPUT_IDS)
            && graph.inputs().contains(OnnxGraph.ATTENTION_MASK);
    if (!complete || !unknown.isEmpty()) {
      throw new IOException(
          "%s: its inputs are %s, not %s, %s and perhaps %s; give the export of a BERT-family model"
              .formatted(
                  model.onnx(),
                  graph.inputs(),
                  OnnxGraph.INPUT_IDS,
                  OnnxGraph.ATTENTION_MASK,
                  OnnxGraph.TOKEN_TYPE_IDS));
    }
  }

  private static void checkVocabulary(NeuralModel model, OnnxGraph graph) throws IOException {
    int tokens = Tokenizers.vocabulary(model.tokenizer()).pieces().size();
    int rows = WordEmbeddings.count(graph);
    boolean padded = rows % PADDING_MULTIPLE == 0 && rows - tokens <= MAX_PADDING_ROWS;
    if (rows < tokens || (rows > tokens && !padded)) {
      throw new IOException(
          "%s has %d tokens but %s %d word embeddings; they belong to different models"
              .formatted(model.tokenizer(), tokens, model.onnx(), rows));
    }
  }

  @Override
  public void close() throws IOException {
    try (tokenizer) {
      session.close();
    } catch (OrtException e) {
      throw new IOException(source + ": ONNX Runtime failed to close it", e);
    }
  }
}
