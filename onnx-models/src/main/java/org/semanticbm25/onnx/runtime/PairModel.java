package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.Closeable;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.semanticbm25.onnx.graph.EmbeddingShift;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.QuickForm;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * A graph that reads pairs, loaded, and its tokenizer, after checks that they belong together.
 *
 * @param source of the graph, for messages
 * @param session of the graph, whose runs take a thread each
 * @param wide the same graph as a session whose runs take all threads; {@code session} itself if
 *     there is but one
 * @param tokenizer for pairs
 * @param maxTokens longest input: the fewest positions that any file of the model tells
 */
public record PairModel(
    String source, OrtSession session, OrtSession wide, PairTokenizer tokenizer, int maxTokens)
    implements Closeable {
  private static final Set<String> INPUTS =
      Set.of(
          OnnxGraph.INPUT_IDS,
          OnnxGraph.ATTENTION_MASK,
          OnnxGraph.TOKEN_TYPE_IDS,
          OnnxGraph.MARKS,
          OnnxGraph.QUERY_END,
          EmbeddingShift.TOKEN,
          EmbeddingShift.SHIFT);
  private static final int DEFAULT_POSITIONS = 512;
  // it numbers tokens from 2 on, and is told by its two separators
  private static final int UNUSED_POSITIONS_OF_ROBERTA = 2;

  /**
   * Loads a model whose runs take a thread each.
   *
   * @param model files that the tokenizer and the number of positions are read from
   * @param graph of that model, or an edited one
   * @return graph and tokenizer in native memory, to be closed
   * @throws IOException as {@link #open(NeuralModel, OnnxGraph, int)}
   */
  public static PairModel open(NeuralModel model, OnnxGraph graph) throws IOException {
    return open(model, graph, 1);
  }

  /**
   * Loads a model.
   *
   * @param model files that the tokenizer and the number of positions are read from
   * @param graph of that model, or an edited one
   * @param threads of a run of {@link #wide}; with more than 1 the weights are held twice
   * @return graph and tokenizer in native memory, to be closed
   * @throws IOException if a file is missing or damaged, if the graph has other inputs than a
   *     BERT-family model, if it has fewer word embeddings than the tokenizer has tokens, if it
   *     reads inputs of one shape only, or if it reads too few tokens to hold a query and {@value
   *     PairBatch#MIN_PASSAGE_TOKENS} tokens of a passage
   */
  public static PairModel open(NeuralModel model, OnnxGraph graph, int threads) throws IOException {
    checkInputs(model, graph);
    checkVocabulary(model, graph);
    checkShapes(model, graph);
    PairTokenizer tokenizer = new PairTokenizer(model.tokenizer());
    try {
      int maxTokens = maxTokens(model, graph, tokenizer);
      OnnxGraph quick = QuickForm.apply(graph);
      OrtSession session = session(model, quick, 1);
      try {
        OrtSession wide = threads == 1 ? session : session(model, quick, threads);
        return new PairModel(model.onnx().toString(), session, wide, tokenizer, maxTokens);
      } catch (IOException | RuntimeException e) {
        closeQuietly(session, e);
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static void closeQuietly(OrtSession session, Exception reason) {
    try {
      session.close();
    } catch (OrtException e) {
      reason.addSuppressed(e);
    }
  }

  private static int maxTokens(NeuralModel model, OnnxGraph graph, PairTokenizer tokenizer)
      throws IOException {
    int configured = model.configuredPositions().orElse(DEFAULT_POSITIONS);
    int positions = graph.positions().orElse(configured);
    int unused = tokenizer.separators() > 1 ? UNUSED_POSITIONS_OF_ROBERTA : 0;
    int maxTokens = Math.min(configured, positions - unused);
    int least = tokenizer.specialTokens() + PairBatch.MIN_PASSAGE_TOKENS;
    if (maxTokens <= least) {
      throw new IOException(
          "%s: reads only %s tokens at a time, by its graph or config.json; give a model that reads more than %s"
              .formatted(model.onnx(), maxTokens, least));
    }
    return maxTokens;
  }

  private static OrtSession session(NeuralModel model, OnnxGraph graph, int threads)
      throws IOException {
    OrtEnvironment environment = OnnxRuntime.environment();
    try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions(threads)) {
      return environment.createSession(graph.bytes(), options);
    } catch (OrtException e) {
      throw new IOException(
          "%s: ONNX Runtime cannot load it (%s); fetch the model again"
              .formatted(model.onnx(), e.getMessage()),
          e);
    }
  }

  private static void checkShapes(NeuralModel model, OnnxGraph graph) throws IOException {
    List<Long> fixed = graph.fixedShape(OnnxGraph.INPUT_IDS);
    if (!fixed.isEmpty()) {
      throw new IOException(
          "%s: reads inputs of the shape %s only; export it with dynamic axes for batch and tokens"
              .formatted(model.onnx(), fixed));
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
    // more rows than tokens do no harm: padding, or tokens that were never added
    int rows = WordEmbeddings.count(graph).orElse(tokens);
    if (rows < tokens) {
      throw new IOException(
          "%s has %s tokens but %s %s word embeddings; they belong to different models"
              .formatted(model.tokenizer(), tokens, model.onnx(), rows));
    }
  }

  /**
   * Runs the graph for all its outputs.
   *
   * @param inputs by name
   * @return outputs, to be closed
   * @throws OrtException if ONNX Runtime fails
   * @throws IllegalStateException if the virtual machine is ending
   */
  public OrtSession.Result run(Map<String, OnnxTensor> inputs) throws OrtException {
    return NativeRuns.run(session, inputs);
  }

  @Override
  public void close() throws IOException {
    try (tokenizer;
        OrtSession narrow = session) {
      if (!wide.equals(narrow)) {
        wide.close();
      }
    } catch (OrtException e) {
      throw new IOException(source + ": ONNX Runtime failed to close it", e);
    }
  }
}
