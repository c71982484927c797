package org.semanticbm25.onnx.hub;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.semanticbm25.onnx.AtomicFile;

/**
 * A BERT-family model on disk: its ONNX graph and its tokenizer.
 *
 * @param name for people and provenance
 * @param onnx the graph with its weights
 * @param tokenizer a Hugging Face {@code tokenizer.json}
 */
public record NeuralModel(String name, Path onnx, Path tokenizer) {
  private static final List<String> ONNX_NAMES =
      List.of(
          "model.onnx", "onnx/model.onnx", "model_quint8_avx2.onnx", "onnx/model_quint8_avx2.onnx");
  private static final String TOKENIZER_NAME = "tokenizer.json";
  // the version keeps an older release's from being taken
  private static final String BUNDLED = "semanticbm25-cross-encoder-l6-v2";

  /**
   * Finds the files of a model in a folder as it is downloaded: {@code model.onnx}, or else {@code
   * model_quint8_avx2.onnx}, there or in {@code onnx/}, and {@code tokenizer.json}. An ONNX file
   * may be given instead of the folder; its tokenizer is then looked for beside it, and beside
   * {@code onnx/} if it is in there.
   *
   * @param place folder, or ONNX file
   * @return the model, named after the folder or file; the files are not read
   * @throws IOException if a file is missing; the message says which and where it was looked for
   */
  public static NeuralModel at(Path place) throws IOException {
    if (!Files.exists(place)) {
      throw new NoSuchFileException(
          place + ": no such model; give a folder with model.onnx and " + TOKENIZER_NAME);
    }
    Path onnx = Files.isDirectory(place) ? onnxIn(place) : place;
    Path folder = Objects.requireNonNull(onnx.toAbsolutePath().getParent(), "a file has a folder");
    Path tokenizer = folder.resolve(TOKENIZER_NAME);
    if (!Files.isRegularFile(tokenizer) && folder.endsWith("onnx")) {
      tokenizer = folder.resolveSibling(TOKENIZER_NAME);
    }
    if (Files.isRegularFile(tokenizer)) {
      String name = place.toAbsolutePath().normalize().getFileName().toString();
      return new NeuralModel(name, onnx, tokenizer);
    }
    throw new NoSuchFileException(
        folder + ": no " + TOKENIZER_NAME + " beside the model; put the model's own there");
  }

  private static Path onnxIn(Path folder) throws IOException {
    for (String name : ONNX_NAMES) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    throw new NoSuchFileException(
        folder + ": no " + String.join(" or ", ONNX_NAMES) + "; put the ONNX export there");
  }

  /**
   * The cross-encoder that ships with this library, unpacked from the class path into a folder
   * unless it is there already. Its model card is {@code MODEL-CARD.md} beside it on the class
   * path.
   *
   * @param cache folder in which the model gets one of its own; made if there is none
   * @return the unpacked model
   * @throws IOException if the folder cannot be written, or the artifact {@code
   *     semanticbm25-cross-encoder-model} is not on the class path
   */
  public static NeuralModel bundled(Path cache) throws IOException {
    Path folder = cache.resolve(BUNDLED);
    Files.createDirectories(folder);
    unpack(BUNDLED + ".onnx", folder.resolve("model.onnx"));
    unpack(TOKENIZER_NAME, folder.resolve(TOKENIZER_NAME));
    return at(folder);
  }

  /**
   * A file of the artifact {@code semanticbm25-cross-encoder-model}.
   *
   * @param name of the file
   * @return its content, to be closed
   * @throws IOException if the artifact is not on the class path
   */
  private static InputStream bundledResource(String name) throws IOException {
    InputStream in =
        NeuralModel.class.getResourceAsStream("/org/semanticbm25/crossencoder/" + name);
    if (in == null) {
      throw new NoSuchFileException(
          name + ": not on the class path; add the artifact semanticbm25-cross-encoder-model");
    }
    return in;
  }

  /**
   * The functions of attention that were extracted from {@link #bundled}, as a file.
   *
   * @return its content, to be closed
   * @throws IOException if the artifact is not on the class path
   */
  public static InputStream bundledAttention() throws IOException {
    return bundledResource(BUNDLED + ".attention");
  }

  private static void unpack(String resource, Path target) throws IOException {
    if (Files.exists(target)) {
      return;
    }
    try (InputStream in = bundledResource(resource)) {
      AtomicFile.write(target, in::transferTo);
    }
  }

  /**
   * Longest input, in tokens: {@code max_position_embeddings} of a {@code config.json} beside the
   * tokenizer.
   *
   * @return empty if there is no such file or no such entry
   * @throws IOException if the file is damaged
   */
  public OptionalInt configuredPositions() throws IOException {
    Path config = tokenizer.resolveSibling("config.json");
    if (!Files.isRegularFile(config)) {
      return OptionalInt.empty();
    }
    try {
      JsonNode positions =
          new ObjectMapper().readTree(config.toFile()).path("max_position_embeddings");
      return positions.isInt() ? OptionalInt.of(positions.asInt()) : OptionalInt.empty();
    } catch (JacksonException e) {
      throw new IOException(config + ": not JSON, or damaged; fetch it again", e);
    }
  }

  /**
   * SHA-256 of the ONNX file, lower-case hexadecimal.
   *
   * @return 64 digits; the file is read by each call
   * @throws IOException if the file cannot be read
   */
  public String sha256() throws IOException {
    return Digests.sha256(onnx);
  }
}
