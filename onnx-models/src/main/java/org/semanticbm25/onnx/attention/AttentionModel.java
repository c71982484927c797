package org.semanticbm25.onnx.attention;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;
import org.semanticbm25.onnx.distill.AttentionExtractor;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.ChecksummedFile;
import org.semanticbm25.similarity.model.Provenance;

/**
 * What {@link AttentionExtractor} makes of a cross-encoder: the IDF value of every token, and for
 * each number of layers the {@link AttentionFunction} that comes closest to the model with them.
 * The number of layers is a dial between time and fidelity.
 *
 * <p>Needs the cross-encoder it was made of to be of use, see {@link AttentionScorer}. Immutable
 * and thread-safe.
 */
public final class AttentionModel {
  private static final ChecksummedFile FILE =
      new ChecksummedFile(
          "SemanticBM25AttentionModel",
          1,
          1,
          "attention model",
          "make it anew with 'sbm25 extract --lists', or update this software");

  private final Provenance provenance;
  private final int headsOfLayer;
  private final List<AttentionFunction> functions;

  /**
   * Creates a model.
   *
   * @param provenance where the functions come from, and their figures
   * @param headsOfLayer number of heads of a layer
   * @param functions with one layer, with two, and so on; at least one
   */
  public AttentionModel(
      Provenance provenance, int headsOfLayer, List<AttentionFunction> functions) {
    this.provenance = provenance;
    this.headsOfLayer = headsOfLayer;
    this.functions = List.copyOf(functions);
  }

  /**
   * Where the model comes from, and how close it comes on development queries.
   *
   * @return as it was given to the constructor
   */
  public Provenance provenance() {
    return provenance;
  }

  /**
   * Number of layers of the cross-encoder.
   *
   * @return at least 1
   */
  public int layers() {
    return functions.size();
  }

  /**
   * Number of heads of a layer.
   *
   * @return at least 1
   */
  public int headsOfLayer() {
    return headsOfLayer;
  }

  /**
   * The function of the first layers.
   *
   * @param layers number of layers, in [1, {@link #layers()}]
   * @return the function fitted with these layers alone
   * @throws IllegalArgumentException if the cross-encoder has not that many
   */
  public AttentionFunction function(int layers) {
    if (layers < 1 || layers > functions.size()) {
      throw new IllegalArgumentException(
          "layers must be in [1, %s], got: %s".formatted(functions.size(), layers));
    }
    return functions.get(layers - 1);
  }

  /**
   * Writes the model as a file that holds all of it, or leaves what was there.
   *
   * @param directory to write to
   * @param name of the file
   * @throws IOException if the file cannot be written
   */
  public void write(Directory directory, String name) throws IOException {
    FILE.write(directory, name, this::write);
  }

  private void write(DataOutput out) throws IOException {
    provenance.write(out);
    out.writeVInt(headsOfLayer);
    float[] idf = functions.getFirst().idf();
    out.writeVInt(idf.length);
    writeFloats(out, idf);
    out.writeVInt(functions.size());
    for (AttentionFunction function : functions) {
      writeFloats(out, new float[] {function.bias(), function.idfWeight()});
      for (int head = 0; head < function.layers() * headsOfLayer; head++) {
        writeFloats(out, new float[] {function.massWeight(head), function.idfMassWeight(head)});
      }
    }
  }

  private static void writeFloats(DataOutput out, float[] values) throws IOException {
    for (float value : values) {
      out.writeInt(Float.floatToIntBits(value));
    }
  }

  /**
   * Reads a model.
   *
   * @param directory to read from
   * @param name of the file
   * @return the model, after its checksum was verified
   * @throws IOException if the file is missing, damaged, of another kind or of a newer version; the
   *     message says which, and what to do
   */
  public static AttentionModel read(Directory directory, String name) throws IOException {
    return FILE.read(directory, name, (in, version) -> read(in));
  }

  /**
   * The attention model of the cross-encoder that ships with this library, see {@link
   * NeuralModel#bundled}.
   *
   * @return read anew by each call
   * @throws IOException if the artifact {@code semanticbm25-cross-encoder-model} is not on the
   *     class path, or its file is damaged
   */
  public static AttentionModel bundled() throws IOException {
    try (InputStream in = NeuralModel.bundledAttention()) {
      return FILE.read(in, (content, version) -> read(content));
    }
  }

  private static AttentionModel read(DataInput in) throws IOException {
    Provenance provenance = Provenance.read(in);
    int headsOfLayer = ChecksummedFile.readSize(in, 2 * Float.BYTES);
    float[] idf = ChecksummedFile.readFloats(in, ChecksummedFile.readSize(in, Float.BYTES));
    int layers = ChecksummedFile.readSize(in, 2 * Float.BYTES * (1 + headsOfLayer));
    List<AttentionFunction> functions = new ArrayList<>();
    for (int k = 1; k <= layers; k++) {
      float[] first = ChecksummedFile.readFloats(in, 2);
      float[] massWeights = new float[k * headsOfLayer];
      float[] idfMassWeights = new float[massWeights.length];
      for (int head = 0; head < massWeights.length; head++) {
        massWeights[head] = Float.intBitsToFloat(in.readInt());
        idfMassWeights[head] = Float.intBitsToFloat(in.readInt());
      }
      functions.add(new AttentionFunction(k, idf, first[0], first[1], massWeights, idfMassWeights));
    }
    return new AttentionModel(provenance, headsOfLayer, functions);
  }
}
