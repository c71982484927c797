package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.runtime.PairBatch.Window;

/** Direct memory of one thread, which grows to the largest batch it has seen. */
final class InputBuffers {
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final PairTokenizer tokenizer;
  private final Set<String> inputs;
  private LongBuffer ids = longs(0);
  private LongBuffer mask = longs(0);
  private LongBuffer types = longs(0);
  private FloatBuffer marked = floats(0);
  private final LongBuffer queryEnd = longs(1);

  InputBuffers(PairModel model) {
    this.tokenizer = model.tokenizer();
    this.inputs = model.session().getInputNames();
  }

  /** Inputs of one run, over buffers that live on. */
  record Packed(Map<String, OnnxTensor> tensors) implements AutoCloseable {
    @Override
    public void close() {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  Packed pack(PairBatch batch, int[] query, int[][] tokens, Marks marks) throws OrtException {
    int rows = batch.windows().size();
    int size = rows * batch.length();
    if (ids.capacity() < size) {
      ids = longs(size);
      mask = longs(size);
      types = longs(size);
    }
    for (int row = 0; row < rows; row++) {
      Window window = batch.windows().get(row);
      fill(row * batch.length(), batch.length(), query, tokens[window.passage()], window);
    }
    queryEnd.put(0, query.length + 1L);
    long[] shape = {rows, batch.length()};
    Map<String, OnnxTensor> tensors = new HashMap<>();
    try {
      put(tensors, OnnxGraph.INPUT_IDS, ids, size, shape);
      put(tensors, OnnxGraph.ATTENTION_MASK, mask, size, shape);
      put(tensors, OnnxGraph.TOKEN_TYPE_IDS, types, size, shape);
      put(tensors, OnnxGraph.QUERY_END, queryEnd, 1, new long[] {1});
      if (inputs.contains(OnnxGraph.MARKS)) {
        tensors.put(OnnxGraph.MARKS, mark(batch, query, marks));
      }
      return new Packed(tensors);
    } catch (OrtException e) {
      new Packed(tensors).close();
      throw e;
    }
  }

  private void fill(int at, int length, int[] query, int[] passage, Window window) {
    int passageStart = at + 1 + query.length + tokenizer.separators();
    int passageEnd = passageStart + window.size();
    for (int i = at; i < at + length; i++) {
      ids.put(i, 0);
      mask.put(i, i <= passageEnd ? 1 : 0);
      types.put(i, i >= passageStart && i <= passageEnd ? tokenizer.passageType() : 0);
    }
    ids.put(at, tokenizer.first());
    for (int i = 0; i < query.length; i++) {
      ids.put(at + 1 + i, query[i]);
    }
    for (int i = at + 1 + query.length; i < passageStart; i++) {
      ids.put(i, tokenizer.separator());
    }
    for (int i = window.start(); i < window.end(); i++) {
      ids.put(passageStart + i - window.start(), passage[i]);
    }
    ids.put(passageEnd, tokenizer.separator());
  }

  private OnnxTensor mark(PairBatch batch, int[] query, Marks marks) throws OrtException {
    int rows = batch.windows().size();
    int sets = marks.count(batch.length());
    int size = rows * batch.length() * sets;
    if (marked.capacity() < size) {
      marked = floats(size);
    }
    for (int i = 0; i < size; i++) {
      marked.put(i, 0);
    }
    int start = query.length + 2;
    for (int row = 0; row < rows; row++) {
      int end = start + batch.windows().get(row).size();
      for (int token = start; token <= end; token++) {
        int set = marks.mark(token, token < end, token == end);
        if (set != Marks.NONE) {
          marked.put((row * batch.length() + token) * sets + set, 1);
        }
      }
    }
    return OnnxTensor.createTensor(
        environment, marked.slice(0, size), new long[] {rows, 1, batch.length(), sets});
  }

  private void put(
      Map<String, OnnxTensor> tensors, String name, LongBuffer values, int size, long[] shape)
      throws OrtException {
    if (inputs.contains(name)) {
      tensors.put(name, OnnxTensor.createTensor(environment, values.slice(0, size), shape));
    }
  }

  private static LongBuffer longs(int size) {
    return ByteBuffer.allocateDirect(8 * size).order(ByteOrder.nativeOrder()).asLongBuffer();
  }

  private static FloatBuffer floats(int size) {
    return ByteBuffer.allocateDirect(4 * size).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
