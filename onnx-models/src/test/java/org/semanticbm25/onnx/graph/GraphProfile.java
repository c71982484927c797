package org.semanticbm25.onnx.graph;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;

/**
 * Where the time of a batch of 4 passages of 96 tokens goes, on one thread, by ONNX Runtime's own
 * profile: a random model of the size of MiniLM-L6 in float, and the bundled one in int8, before
 * and after {@link QuickForm}. Not run by default:
 *
 * <pre>./mvnw -q test -pl onnx-models -am -Djacoco.skip -Dtest=GraphProfile
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class GraphProfile {
  private static final long[] SHAPE = {4, 96};
  private static final int RUNS = 40;

  @TempDir Path folder;

  @Test
  void timeByOperator() throws Exception {
    NeuralModel bundled = NeuralModel.bundled(folder.resolve("bundled"));
    OnnxGraph random =
        new OnnxGraph("random", new TinyBert(TinyBert.Shape.MINILM_L6, 1).onnx(true));
    profile("float", random);
    profile("int8", OnnxGraph.read(bundled.onnx()));
  }

  private void profile(String name, OnnxGraph graph) throws Exception {
    OnnxGraph scored = FirstTokenOnly.apply(ScoringForm.apply(graph));
    print(name + ", as it is stored", scored);
    print(name + ", as it runs", QuickForm.apply(scored));
  }

  private void print(String name, OnnxGraph graph) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setMemoryPatternOptimization(false);
      options.enableProfiling(folder.resolve("profile").toString());
      try (OrtSession session = environment.createSession(graph.bytes(), options)) {
        for (int run = 0; run < RUNS; run++) {
          run(environment, session);
        }
        report(name, new File(session.endProfiling()));
      }
    }
  }

  private static void run(OrtEnvironment environment, OrtSession session) throws Exception {
    int size = Math.toIntExact(SHAPE[0] * SHAPE[1]);
    long[] ones = new long[size];
    Arrays.fill(ones, 1);
    Map<String, long[]> values = new HashMap<>();
    values.put(OnnxGraph.INPUT_IDS, new Random(1).longs(size, 1_000, 21_000).toArray());
    values.put(OnnxGraph.ATTENTION_MASK, ones);
    values.put(OnnxGraph.TOKEN_TYPE_IDS, new long[size]);
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (Map.Entry<String, long[]> input : values.entrySet()) {
      inputs.put(
          input.getKey(),
          OnnxTensor.createTensor(environment, LongBuffer.wrap(input.getValue()), SHAPE));
    }
    session.run(inputs).close();
    inputs.values().forEach(OnnxTensor::close);
  }

  private static void report(String name, File profile) throws Exception {
    Map<String, Long> micros = new TreeMap<>();
    for (JsonNode event : new ObjectMapper().readTree(profile)) {
      if (event.path("name").asText().endsWith("_kernel_time")) {
        micros.merge(
            event.path("args").path("op_name").asText(), event.path("dur").asLong(), Long::sum);
      }
    }
    System.err.printf("%s: ms a batch%n", name);
    micros.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(18)
        .forEach(
            operator ->
                System.err.printf(
                    "  %-32s %6.2f%n", operator.getKey(), operator.getValue() / 1e3 / RUNS));
    System.err.printf(
        "  %-32s %6.2f%n",
        "all operators", micros.values().stream().mapToLong(v -> v).sum() / 1e3 / RUNS);
  }
}
