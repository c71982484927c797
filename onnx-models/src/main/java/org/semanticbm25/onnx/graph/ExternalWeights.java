package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProtoOrBuilder;
import com.google.protobuf.ByteString;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/** Puts weights that an ONNX model keeps in files beside it into the model. */
final class ExternalWeights {
  // a protobuf message holds 2 GB
  private static final long MOST_BYTES = Integer.MAX_VALUE - (1 << 20);

  private final Path file;
  private long bytes;

  private ExternalWeights(Path file) {
    this.file = file;
  }

  /**
   * Reads the weights of a model that are not in it.
   *
   * @param file of the model
   * @return the same model if it has all its weights
   * @throws IOException if another file is missing, too short, or not in the model's folder, or if
   *     model and weights together are too large for one message
   */
  static ModelProto include(Path file, ModelProto model) throws IOException {
    if (model.getGraph().getInitializerList().stream().noneMatch(ExternalWeights::isExternal)) {
      return model;
    }
    ExternalWeights weights = new ExternalWeights(file);
    weights.bytes = model.getSerializedSize();
    ModelProto.Builder whole = model.toBuilder();
    for (TensorProto.Builder tensor : whole.getGraphBuilder().getInitializerBuilderList()) {
      if (isExternal(tensor)) {
        tensor
            .setRawData(weights.read(tensor))
            .clearExternalData()
            .setDataLocation(TensorProto.DataLocation.DEFAULT);
      }
    }
    return whole.build();
  }

  private static boolean isExternal(TensorProtoOrBuilder tensor) {
    return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
  }

  private ByteString read(TensorProto.Builder tensor) throws IOException {
    Map<String, String> entries =
        tensor.getExternalDataList().stream()
            .collect(
                Collectors.toMap(
                    StringStringEntryProto::getKey, StringStringEntryProto::getValue, (a, b) -> b));
    String location = entries.getOrDefault("location", "");
    if (location.isEmpty()
        || !Path.of(location).normalize().equals(Path.of(location).getFileName())) {
      throw new IOException(
          "%s: weights of '%s' are in '%s', which is no file beside it; export it anew"
              .formatted(file, tensor.getName(), location));
    }
    Path other = file.resolveSibling(location);
    if (!Files.isRegularFile(other)) {
      throw new IOException(
          "%s: its weights are in %s, which is missing; fetch that too".formatted(file, other));
    }
    try (FileChannel channel = FileChannel.open(other)) {
      long offset = number(entries, "offset", 0);
      long length = number(entries, "length", channel.size() - offset);
      bytes += Math.max(0, length);
      if (offset < 0 || length < 0 || offset + length > channel.size()) {
        throw new IOException(
            "%s: too short for the weights of '%s'; fetch it again"
                .formatted(other, tensor.getName()));
      }
      if (bytes > MOST_BYTES) {
        throw new IOException(file + ": more than 2 GB with its weights; give a smaller model");
      }
      return read(channel, offset, (int) length);
    }
  }

  private long number(Map<String, String> entries, String key, long otherwise) throws IOException {
    String value = entries.get(key);
    try {
      return value == null ? otherwise : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IOException(
          "%s: %s '%s' of external weights is no number; fetch it again"
              .formatted(file, key, value),
          e);
    }
  }

  private static ByteString read(FileChannel channel, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new EOFException("file became shorter while it was read");
      }
    }
    return ByteString.copyFrom(buffer.flip());
  }
}
