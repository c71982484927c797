package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.semanticbm25.onnx.graph.OnnxGraph;

/**
 * Inputs of one run of a model that reads texts alone: a row {@code [CLS] pieces [SEP]} for each
 * text, padded to the longest. To be closed.
 */
public final class TokenBatch implements AutoCloseable {
  private final Map<String, OnnxTensor> tensors = new HashMap<>();
  private final int width;

  /**
   * Makes the inputs.
   *
   * @param session that is to read them
   * @param texts wordpieces of each text, without the tokens around it
   * @param first id of the token before a text
   * @param last id of the token after it
   * @throws OrtException if ONNX Runtime has no memory for them
   */
  public TokenBatch(OrtSession session, List<int[]> texts, int first, int last)
      throws OrtException {
    width = 2 + texts.stream().mapToInt(text -> text.length).max().orElse(0);
    long[] ids = new long[texts.size() * width];
    long[] mask = new long[ids.length];
    for (int row = 0; row < texts.size(); row++) {
      int[] text = texts.get(row);
      int at = row * width;
      ids[at] = first;
      for (int i = 0; i < text.length; i++) {
        ids[at + 1 + i] = text[i];
      }
      ids[at + 1 + text.length] = last;
      for (int i = 0; i < text.length + 2; i++) {
        mask[at + i] = 1;
      }
    }
    long[] shape = {texts.size(), width};
    try {
      put(session, OnnxGraph.INPUT_IDS, ids, shape);
      put(session, OnnxGraph.ATTENTION_MASK, mask, shape);
      put(session, OnnxGraph.TOKEN_TYPE_IDS, new long[ids.length], shape);
    } catch (OrtException e) {
      close();
      throw e;
    }
  }

  private void put(OrtSession session, String name, long[] values, long[] shape)
      throws OrtException {
    if (session.getInputNames().contains(name)) {
      OrtEnvironment environment = OnnxRuntime.environment();
      tensors.put(name, OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape));
    }
  }

  /**
   * The inputs that the session has.
   *
   * @return tensors by name, closed with this
   */
  public Map<String, OnnxTensor> tensors() {
    return tensors;
  }

  /**
   * Number of tokens of a row, padding included.
   *
   * @return at least 2
   */
  public int width() {
    return width;
  }

  @Override
  public void close() {
    tensors.values().forEach(OnnxTensor::close);
  }
}
