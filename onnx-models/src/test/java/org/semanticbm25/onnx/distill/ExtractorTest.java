package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.onnx.testing.TinyModel.Weights;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.WordTable;

class ExtractorTest {
  @TempDir Path folder;

  private static SemanticBM25Model extract(NeuralModel model) throws IOException {
    return Extractor.extract(
        model,
        SemanticBM25Model.LAST_LAYER,
        Extractor.DEFAULT_PARAMETERS,
        words(),
        Optional.of(Map.of("the", 0.1, "quick", 4.0, "car", 3.0)),
        Progress.SILENT);
  }

  private static WordCounts words() throws IOException {
    WordCounts counts = new WordCounts();
    counts.add("A laptop is quickquick.");
    counts.add("Laptops, notebooked; the laptop!");
    return counts;
  }

  private static int spell(SemanticBM25Model model, String word) {
    return model.wordpieces().spell(word)[0];
  }

  @Test
  void countedWordsAndThoseOfTheVocabularyMakeTheWordTable() throws IOException {
    WordTable table = extract(TinyModel.write(folder, Weights.FLOAT)).words();
    List<String> words = IntStream.range(0, table.size()).mapToObj(table::word).toList();
    assertEquals("laptop", words.getFirst(), "the most frequent first");
    assertEquals(2, table.frequency(0));
    assertEquals(2, table.passages());
    assertTrue(words.contains("notebooked"), "spelt with two pieces");
    assertTrue(words.contains("banana"), "a whole word of the vocabulary");
    for (String other : List.of("quickquick", "laptops", "2019", "a")) {
      assertFalse(words.contains(other), other);
    }
    int notebook = words.indexOf("notebook");
    assertTrue(table.vectors().cosine(0, table.vectors(), notebook) > 0.98f);
  }

  @ParameterizedTest
  @EnumSource
  void readsEmbeddingsHoweverTheyAreStored(Weights weights) throws IOException {
    float[][] expected = TinyModel.embeddings();
    float[][] actual = WordEmbeddings.read(TinyModel.write(folder, weights).onnx());
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i], weights == Weights.FLOAT ? 0f : 0.02f);
    }
  }

  @ParameterizedTest
  @EnumSource
  void extractsTheSameFromAnyStorage(Weights weights) throws IOException {
    SemanticBM25Model model = extract(TinyModel.write(folder, weights));
    assertEquals(
        TinyModel.VOCABULARY.size() - 6, model.wordpieces().size(), "no special and unused tokens");
    assertEquals("the", model.wordpieces().piece(0));
    // the shared direction grows with the position
    assertTrue(model.idf(0) < model.idf(model.wordpieces().size() - 1));
    int[] words = {spell(model, "laptop"), spell(model, "notebook"), spell(model, "banana")};
    float near = model.vectors().cosine(words[0], model.vectors(), words[1]);
    float far = model.vectors().cosine(words[0], model.vectors(), words[2]);
    assertTrue(near > 0.98f && far < near, near + " " + far);
    assertEquals(64, model.provenance().sourceSha256().length());
    assertTrue(Double.parseDouble(model.provenance().figures().values().iterator().next()) > 0.5);
  }

  @Test
  void idfDirectionIsTheLeadingSingularVector() {
    // E = s1 u1 v1' + s2 u2 v2' with orthonormal u and v: U0 is u1
    double[] u1 = {0.1, 0.3, 0.5, Math.sqrt(1 - 0.35)};
    double[] u2 = {0.5, -0.1, 0.3, 0};
    List<float[]> rows =
        IntStream.range(0, 4)
            .mapToObj(i -> new float[] {(float) (9 * u1[i]), (float) u2[i]})
            .toList();
    float[] values = IdfDirection.of(rows, rows);
    double mean = Arrays.stream(u1).average().orElseThrow();
    double deviation = Math.sqrt(Arrays.stream(u1).map(u -> (u - mean) * (u - mean)).sum() / 3);
    for (int i = 0; i < 4; i++) {
      assertEquals((u1[i] - mean) / deviation, values[i], 0.02);
    }
    List<float[]> flipped = rows.stream().map(r -> new float[] {-r[0], -r[1]}).toList();
    assertArrayEquals(values, IdfDirection.of(flipped, flipped), 1e-6f, "the sign is fixed");
  }

  @Test
  void encodesPiecesWithoutPaddingOrTruncation() throws IOException {
    NeuralModel model = TinyModel.write(folder, Weights.FLOAT);
    float[][] rows = TinyModel.embeddings();
    try (TermEncoder encoder =
        new TermEncoder(model, SemanticBM25Model.LAST_LAYER, Runnable::run)) {
      // the tokenizer's own settings would pad to 6 and cut at 4
      assertEquals(5, encoder.pieces("red red red red red").length);
      float[][] vectors =
          encoder.encodeWords(List.of("indexing", "the", "Banana"), Progress.SILENT);
      int index = TinyModel.VOCABULARY.indexOf("index");
      for (int d = 0; d < TinyModel.HIDDEN; d++) {
        assertEquals((rows[index][d] + rows[index + 1][d]) / 2, vectors[0][d], 1e-5);
        assertEquals(rows[6][d], vectors[1][d], 1e-6);
        assertEquals(rows[TinyModel.VOCABULARY.indexOf("banana")][d], vectors[2][d], 1e-6);
      }
    }
  }

  private void assertRefused(String part, NeuralModel model) {
    IOException e = assertThrows(IOException.class, () -> extract(model));
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void badOnnxFilesAreRefused() throws IOException {
    NeuralModel model = TinyModel.write(folder, Weights.FLOAT);
    byte[] good = Files.readAllBytes(model.onnx());
    Files.write(model.onnx(), new byte[0]);
    assertRefused("it has no graph", model);
    Files.write(model.onnx(), Arrays.copyOf(good, good.length / 2));
    assertRefused("not an ONNX model, or damaged", model);
    Files.writeString(model.onnx(), "#!/bin/sh\necho this is a script\n");
    assertRefused("not an ONNX model", model);
    Files.write(model.onnx(), withoutGather(ModelProto.parseFrom(good)).toByteArray());
    assertRefused("no word embeddings", model);
    float[][] broken = TinyModel.embeddings();
    broken[9][3] = Float.NaN;
    Files.write(model.onnx(), TinyModel.onnx(broken, Weights.FLOAT).toByteArray());
    assertRefused("not finite", model);
    Files.write(
        model.onnx(),
        TinyModel.onnx(Arrays.copyOf(TinyModel.embeddings(), 9), Weights.FLOAT).toByteArray());
    assertRefused("they belong to different models", model);
    Files.delete(model.onnx());
    IOException missing = assertThrows(IOException.class, () -> NeuralModel.at(folder));
    assertTrue(missing.getMessage().contains("no model.onnx"), missing.getMessage());
  }

  private static ModelProto withoutGather(ModelProto model) {
    GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
    for (NodeProto node : model.getGraph().getNodeList()) {
      graph.addNode(
          node.toBuilder()
              .setOpType(
                  node.getOpType().equals("Gather")
                      ? "EmbedLayerNormalization"
                      : node.getOpType()));
    }
    return model.toBuilder().setGraph(graph).build();
  }

  /** A flipped bit is a clear error, or in a weight another valid model: never a crash. */
  @Test
  void flippedBitsAreErrorsOrWeights() throws IOException {
    NeuralModel model = TinyModel.write(folder, Weights.FLOAT);
    byte[] good = Files.readAllBytes(model.onnx());
    String sha = model.sha256();
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      byte[] flipped = good.clone();
      flipped[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(model.onnx(), flipped);
      try {
        assertFalse(extract(model).provenance().sourceSha256().equals(sha));
      } catch (IOException e) {
        assertTrue(e.getMessage().contains(folder.toString()), e.toString());
      }
    }
  }

  @Test
  void badTokenizersAreRefused() throws IOException {
    NeuralModel model = TinyModel.write(folder, Weights.FLOAT);
    String good = Files.readString(model.tokenizer());
    for (String bad : List.of("", good.substring(0, 300), "{\"model\": {}}", "not json")) {
      Files.writeString(model.tokenizer(), bad);
      assertRefused("tokenizer.json", model);
    }
    Files.delete(model.tokenizer());
    IOException missing = assertThrows(IOException.class, () -> NeuralModel.at(folder));
    assertTrue(missing.getMessage().contains("no tokenizer.json"), missing.getMessage());
    IOException nowhere =
        assertThrows(IOException.class, () -> NeuralModel.at(folder.resolve("no")));
    assertTrue(nowhere.getMessage().contains("no such model"), nowhere.getMessage());
  }
}
