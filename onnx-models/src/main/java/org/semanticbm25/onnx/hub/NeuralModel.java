package org.semanticbm25.onnx.hub;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.semanticbm25.onnx.AtomicFile;

/**
 * A BERT-family model on disk: its ONNX graph and its tokenizer.
 *
 * @param name for people and provenance
 * @param onnx the graph with its weights
 * @param tokenizer a Hugging Face {@code tokenizer.json}
 */
public record NeuralModel(String name, Path onnx, Path tokenizer) {
  private static final List<String> ONNX_NAMES = List.of("model.onnx", "onnx/model.onnx");
  private static final String TOKENIZER_NAME = "tokenizer.json";
  // the versions keep an older release's from being taken
  private static final Bundle CROSS_ENCODER =
      new Bundle(
          "semanticbm25-cross-encoder-l6-v3",
          "/org/semanticbm25/crossencoder/",
          "semanticbm25-cross-encoder-model");
  private static final Bundle CONTEXTUAL =
      new Bundle(
          "semanticbm25-contextual-l6-v1",
          "/org/semanticbm25/contextualencoder/",
          "semanticbm25-contextual-encoder");

  /**
   * Finds the files of a model in a folder as it is downloaded: {@code model.onnx}, or else the
   * only ONNX file, there or in {@code onnx/}, and {@code tokenizer.json}. An ONNX file may be
   * given instead of the folder; its tokenizer is then looked for beside it, and beside {@code
   * onnx/} if it is in there.
   *
   * @param place folder, or ONNX file
   * @return the model, named after the folder or file; the files are not read
   * @throws IOException if a file is missing, or if there are several to choose from; the message
   *     says which and where it was looked for
   */
  public static NeuralModel at(Path place) throws IOException {
    if (!Files.exists(place)) {
      throw new NoSuchFileException(
          place.toString(),
          null,
          "no such model; give a folder with model.onnx and " + TOKENIZER_NAME);
    }
    Path onnx = Files.isDirectory(place) ? onnxIn(place) : place;
    Path folder = Objects.requireNonNull(onnx.toAbsolutePath().getParent(), "a file has a folder");
    Path tokenizer = folder.resolve(TOKENIZER_NAME);
    if (!Files.isRegularFile(tokenizer) && folder.endsWith("onnx")) {
      tokenizer = folder.resolveSibling(TOKENIZER_NAME);
    }
    if (Files.isRegularFile(tokenizer)) {
      Path name = place.toAbsolutePath().normalize().getFileName();
      return new NeuralModel(name == null ? "model" : name.toString(), onnx, tokenizer);
    }
    throw new NoSuchFileException(
        folder.toString(),
        null,
        "no " + TOKENIZER_NAME + " beside the model; put the model's own there");
  }

  private static Path onnxIn(Path folder) throws IOException {
    for (String name : ONNX_NAMES) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    List<Path> others = new ArrayList<>(onnxFiles(folder));
    others.addAll(onnxFiles(folder.resolve("onnx")));
    if (others.size() > 1) {
      throw new IOException(folder + ": several models: " + others + "; name one of these files");
    }
    if (others.isEmpty()) {
      throw new NoSuchFileException(
          folder.toString(),
          null,
          "no " + String.join(" or ", ONNX_NAMES) + "; put the ONNX export there");
    }
    return others.getFirst();
  }

  private static List<Path> onnxFiles(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".onnx") && Files.isRegularFile(file))
          .sorted()
          .toList();
    }
  }

  /** A model on the class path, in an artifact of this project. */
  private record Bundle(String name, String resources, String artifact) {
    InputStream open(String file) throws IOException {
      InputStream in = NeuralModel.class.getResourceAsStream(resources + file);
      if (in == null) {
        throw new NoSuchFileException(
            file, null, "not on the class path; add the artifact " + artifact);
      }
      return in;
    }

    /** Puts the files into a folder of their own unless they are there. */
    NeuralModel unpack(Path cache) throws IOException {
      Path folder = cache.resolve(name);
      Files.createDirectories(folder);
      unpack(name + ".onnx", folder.resolve("model.onnx"));
      unpack(TOKENIZER_NAME, folder.resolve(TOKENIZER_NAME));
      return at(folder);
    }

    private void unpack(String file, Path target) throws IOException {
      if (Files.exists(target)) {
        return;
      }
      try (InputStream in = open(file)) {
        AtomicFile.write(target, in::transferTo);
      }
    }
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
    return CROSS_ENCODER.unpack(cache);
  }

  /**
   * The functions of attention that were extracted from {@link #bundled}, as a file.
   *
   * @return its content, to be closed
   * @throws IOException if the artifact is not on the class path
   */
  public static InputStream bundledAttention() throws IOException {
    return CROSS_ENCODER.open(CROSS_ENCODER.name() + ".attention");
  }

  /**
   * The encoder of contextual soft terms that ships with this library, unpacked as {@link #bundled}
   * is.
   *
   * @param cache folder in which the model gets one of its own; made if there is none
   * @return the unpacked model
   * @throws IOException if the folder cannot be written, or the artifact {@code
   *     semanticbm25-contextual-encoder} is not on the class path
   */
  public static NeuralModel bundledContextual(Path cache) throws IOException {
    return CONTEXTUAL.unpack(cache);
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
