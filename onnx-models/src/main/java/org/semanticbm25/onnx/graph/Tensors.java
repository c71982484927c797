package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns the tensors that an ONNX file holds into arrays, and arrays into tensors. */
public final class Tensors {
  private Tensors() {}

  /**
   * All numbers of a tensor in row-major order, as floats.
   *
   * @throws IOException if the tensor's type is not float, half or an 8-bit integer, or if there
   *     are more or fewer numbers than its shape says
   */
  static float[] decode(TensorProto tensor) throws IOException {
    ByteBuffer raw = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    boolean isRaw = raw.hasRemaining();
    TensorProto.DataType type = TensorProto.DataType.forNumber(tensor.getDataType());
    float[] values =
        switch (type) {
          case FLOAT -> new float[isRaw ? raw.remaining() / 4 : tensor.getFloatDataCount()];
          case FLOAT16 -> new float[isRaw ? raw.remaining() / 2 : tensor.getInt32DataCount()];
          case INT8, UINT8 -> new float[isRaw ? raw.remaining() : tensor.getInt32DataCount()];
          case null, default ->
              throw new IOException(
                  "'%s' is of type %s, which cannot be read; export it as float or int8"
                      .formatted(tensor.getName(), type));
        };
    if (values.length != elements(tensor)) {
      throw new IOException(
          "'%s' holds %s numbers, not %s as its shape says; fetch the model again"
              .formatted(tensor.getName(), values.length, elements(tensor)));
    }
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case FLOAT -> isRaw ? raw.getFloat() : tensor.getFloatData(i);
            case FLOAT16 ->
                Float.float16ToFloat(isRaw ? raw.getShort() : (short) tensor.getInt32Data(i));
            case UINT8 -> isRaw ? raw.get() & 0xFF : tensor.getInt32Data(i);
            default -> isRaw ? raw.get() : tensor.getInt32Data(i);
          };
    }
    return values;
  }

  /**
   * The same tensor with other values, of its type: integers are rounded.
   *
   * @param source of the tensor, for messages
   * @throws IOException as {@link #decode}, or if an integer is out of range
   */
  static TensorProto encode(String source, TensorProto tensor, float[] values) throws IOException {
    TensorProto.DataType type = TensorProto.DataType.forNumber(tensor.getDataType());
    int least = type == TensorProto.DataType.UINT8 ? 0 : Byte.MIN_VALUE;
    int size =
        switch (type) {
          case FLOAT -> 4;
          case FLOAT16 -> 2;
          case INT8, UINT8 -> 1;
          case null, default ->
              throw new IOException(
                  "'%s' is of type %s, which cannot be written; export it as float or int8"
                      .formatted(tensor.getName(), type));
        };
    ByteBuffer raw = ByteBuffer.allocate(size * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (type) {
        case FLOAT -> raw.putFloat(value);
        case FLOAT16 -> raw.putShort(Float.floatToFloat16(value));
        default -> raw.put(inRange(source, Math.round(value), least));
      }
    }
    return tensor.toBuilder()
        .clearFloatData()
        .clearInt32Data()
        .setRawData(UnsafeByteOperations.unsafeWrap(raw.array()))
        .build();
  }

  private static byte inRange(String source, int value, int least) throws IOException {
    if (value < least || value > least + 255) {
      throw new IOException(
          source
              + ": its bytes cannot hold the edited embeddings; give smaller factors, or edit the"
              + " float model and quantise that");
    }
    return (byte) value;
  }

  private static long elements(TensorProto tensor) {
    long elements = 1;
    for (long dimension : tensor.getDimsList()) {
      elements *= dimension;
    }
    return elements;
  }

  /**
   * A float tensor; no dimensions make a scalar.
   *
   * @param name of the tensor in its graph
   * @param values in row-major order; copied
   * @param dimensions sizes, whose product is the number of values
   * @return a tensor of type {@code FLOAT}
   */
  public static TensorProto floats(String name, float[] values, long... dimensions) {
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return tensor(
        name, TensorProto.DataType.FLOAT, UnsafeByteOperations.unsafeWrap(raw), dimensions);
  }

  /**
   * A tensor of 64-bit integers; no dimensions make a scalar.
   *
   * @param name of the tensor in its graph
   * @param values in row-major order; copied
   * @param dimensions sizes, whose product is the number of values
   * @return a tensor of type {@code INT64}
   */
  public static TensorProto longs(String name, long[] values, long... dimensions) {
    ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asLongBuffer().put(values);
    return tensor(
        name, TensorProto.DataType.INT64, UnsafeByteOperations.unsafeWrap(raw), dimensions);
  }

  /** A tensor of bytes, {@code INT8} or {@code UINT8}. */
  static TensorProto bytes(
      String name, TensorProto.DataType type, byte[] values, long... dimensions) {
    return tensor(name, type, UnsafeByteOperations.unsafeWrap(values), dimensions);
  }

  private static TensorProto tensor(
      String name, TensorProto.DataType type, ByteString raw, long... dimensions) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(type.getNumber()).setRawData(raw);
    for (long dimension : dimensions) {
      tensor.addDims(dimension);
    }
    return tensor.build();
  }
}
