package org.semanticbm25.onnx.distill;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;

/**
 * What a cross-encoder makes of a query and some passages: its logits, and its attention.
 *
 * @param logits by passage
 * @param masses by passage, of all layers; none where attention was not looked at
 */
@SuppressWarnings("ArrayRecordComponent")
public record PairSample(float[] logits, List<Mass> masses) {

  private static final int NO_MASSES = -1;

  void write(DataOutput out) throws IOException {
    if (masses.isEmpty()) {
      out.writeInt(NO_MASSES);
      writeFloats(out, logits);
      return;
    }
    int[] tokens = masses.getFirst().queryTokens();
    out.writeInt(tokens.length);
    for (int token : tokens) {
      out.writeInt(token);
    }
    out.writeInt(logits.length);
    for (int i = 0; i < logits.length; i++) {
      out.writeFloat(logits[i]);
      writeFloats(out, masses.get(i).passage());
      writeFloats(out, masses.get(i).separator());
    }
  }

  private static void writeFloats(DataOutput out, float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  static PairSample read(DataInput in) throws IOException {
    int count = in.readInt();
    if (count == NO_MASSES) {
      return new PairSample(readFloats(in), List.of());
    }
    int[] tokens = new int[count];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = in.readInt();
    }
    float[] logits = new float[in.readInt()];
    List<Mass> masses = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      logits[i] = in.readFloat();
      masses.add(new Mass(tokens, readFloats(in), readFloats(in)));
    }
    return new PairSample(logits, masses);
  }

  private static float[] readFloats(DataInput in) throws IOException {
    float[] values = new float[in.readInt()];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }
}
