package org.semanticbm25.similarity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;

/**
 * What was extracted from a cross-encoder or encoder, and all that scoring needs of it: for every
 * wordpiece an IDF value, a vector and a weight, and the parameters of the function that uses them.
 *
 * <ul>
 *   <li>The <b>IDF value</b> is the wordpiece's coordinate along the first left singular vector of
 *       the word-embedding matrix, sign fixed so that rare pieces are high, standardised to mean 0
 *       and deviation 1 over the vocabulary. It has no unit: {@code attach} scales it to the IDF of
 *       the collection.
 *   <li>The <b>vector</b> stands for the wordpiece as a word of its own; the cosine of two vectors,
 *       put through {@link ScoringParameters#kernel}, is the weight of a soft match. Vectors are
 *       quantised to a byte per dimension, which keeps cosines to about 0.005.
 *   <li>The <b>weight</b> says how much the wordpiece counts as a query term, on top of its IDF.
 * </ul>
 *
 * <p>Vector and weight are made of a word's hidden state by a {@link TermProjection}, which the model
 * keeps: {@code attach} gives it the words of an index.
 *
 * <p>A term's weight can be edited: see {@link #withEdits}.
 *
 * <p>The {@linkplain #id() id} is a digest of the vocabulary, its numbers and the projection. It names
 * the model in the side files that are made from it, and does not depend on parameters and edits, so
 * these can be changed without attaching again. Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SemanticBM25Model {
  /** In place of a layer's number: the last of the neural model, whatever that is. */
  public static final int LAST_LAYER = 0;

  private static final ChecksummedFile FILE =
      new ChecksummedFile(
          "SemanticBM25Model",
          3,
          "semantic BM25 model",
          "make it anew with 'sbm25 extract', or update this software");
  private static final String CONTINUATION = "##";

  private final Provenance provenance;
  private final ScoringParameters parameters;
  private final List<String> pieces;
  private final Map<String, Integer> ordinals;
  private final float[] idf;
  private final int layer;
  private final TermProjection projection;
  private final TermVectors vectors;
  private final float[] weights;
  private final List<Edit> edits;
  private final String id;

  /**
   * Where a model comes from.
   *
   * @param source name of the neural model
   * @param sourceSha256 of its ONNX file, lower-case hexadecimal
   * @param toolVersion version of this software that made the extraction
   * @param created ISO 8601 instant
   * @param figures what was measured on the way, by name, such as the correlation with an IDF table
   */
  public record Provenance(
      String source,
      String sourceSha256,
      String toolVersion,
      String created,
      Map<String, String> figures) {
    /** Copies the figures, in the order of their names. */
    public Provenance {
      figures = Collections.unmodifiableMap(new TreeMap<>(figures));
    }

    /** Writes this as a part of a file. */
    public void write(DataOutput out) throws IOException {
      out.writeString(source);
      out.writeString(sourceSha256);
      out.writeString(toolVersion);
      out.writeString(created);
      out.writeMapOfStrings(figures);
    }

    /** Reads what {@link #write} wrote. */
    public static Provenance read(DataInput in) throws IOException {
      return new Provenance(
          in.readString(),
          in.readString(),
          in.readString(),
          in.readString(),
          in.readMapOfStrings());
    }
  }

  /**
   * A change of how much a word counts, kept in the model as a record of its own.
   *
   * @param word as it is written in texts; a field's analyzer makes a term of it
   * @param weight factor on the score of the word as a query term, and on what it is worth as a soft
   *     term: 1 changes nothing, 0 blocks the word; finite and not negative
   * @param reason who or what made it, such as "edit"
   * @param created ISO 8601 instant
   */
  public record Edit(String word, float weight, String reason, String created) {
    /**
     * @throws IllegalArgumentException if the weight is out of its range or the word is blank
     */
    public Edit {
      if (!(weight >= 0f && Float.isFinite(weight))) {
        throw new IllegalArgumentException(
            "illegal weight: " + weight + " of '" + word + "', must be non-negative and finite");
      }
      if (word.isBlank()) {
        throw new IllegalArgumentException("illegal word: it is blank");
      }
    }
  }

  /**
   * @param pieces the vocabulary; pieces that continue a word begin with {@code ##}
   * @param idf a value for each piece, finite
   * @param layer of the neural model after which hidden states are taken, or {@link #LAST_LAYER}
   * @param states the hidden state of each piece, read as a word of its own
   * @param projection makes vectors and weights of hidden states
   * @throws IllegalArgumentException if the counts differ, a piece occurs twice, or a value is not
   *     finite
   */
  public SemanticBM25Model(
      Provenance provenance,
      ScoringParameters parameters,
      List<String> pieces,
      float[] idf,
      int layer,
      float[][] states,
      TermProjection projection) {
    this(
        provenance,
        parameters,
        notEmpty(pieces),
        idf,
        layer,
        projection,
        TermVectors.quantize(
            Arrays.stream(states).map(projection::vector).toArray(float[][]::new)),
        weights(states, projection));
  }

  private static List<String> notEmpty(List<String> pieces) {
    if (pieces.isEmpty()) {
      throw new IllegalArgumentException("illegal vocabulary: it is empty");
    }
    return pieces;
  }

  private static float[] weights(float[][] states, TermProjection projection) {
    float[] weights = new float[states.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = projection.weight(states[i]);
    }
    return weights;
  }

  private SemanticBM25Model(
      Provenance provenance,
      ScoringParameters parameters,
      List<String> pieces,
      float[] idf,
      int layer,
      TermProjection projection,
      TermVectors vectors,
      float[] weights) {
    if (pieces.size() != idf.length || pieces.size() != vectors.size()) {
      throw new IllegalArgumentException(
          "illegal vocabulary: %d pieces, %d IDF values, %d vectors, must be as many of each"
              .formatted(pieces.size(), idf.length, vectors.size()));
    }
    if (layer < 0) {
      throw new IllegalArgumentException("illegal layer: " + layer + ", must be 0 or more");
    }
    this.provenance = provenance;
    this.parameters = parameters;
    this.pieces = List.copyOf(pieces);
    this.ordinals = HashMap.newHashMap(pieces.size());
    this.idf = idf.clone();
    this.layer = layer;
    this.projection = projection;
    this.vectors = vectors;
    this.weights = weights;
    this.edits = List.of();
    for (int i = 0; i < idf.length; i++) {
      if (!Float.isFinite(idf[i])) {
        throw new IllegalArgumentException("illegal IDF: " + idf[i] + " of " + pieces.get(i));
      }
      if (!(weights[i] > 0f && Float.isFinite(weights[i]))) {
        throw new IllegalArgumentException("illegal weight: " + weights[i] + " of " + pieces.get(i));
      }
      if (ordinals.put(pieces.get(i), i) != null) {
        throw new IllegalArgumentException("piece given twice: " + pieces.get(i));
      }
    }
    this.id = digest();
  }

  private SemanticBM25Model(
      SemanticBM25Model model, ScoringParameters parameters, List<Edit> edits) {
    this.provenance = model.provenance;
    this.parameters = parameters;
    this.pieces = model.pieces;
    this.ordinals = model.ordinals;
    this.idf = model.idf;
    this.layer = model.layer;
    this.projection = model.projection;
    this.vectors = model.vectors;
    this.weights = model.weights;
    this.edits = List.copyOf(edits);
    this.id = model.id;
  }

  private String digest() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
    ByteBuffer number = ByteBuffer.allocate(Float.BYTES);
    for (int i = 0; i < idf.length; i++) {
      digest.update(pieces.get(i).getBytes(StandardCharsets.UTF_8));
      digest.update(number.putFloat(0, idf[i]).array());
      digest.update(number.putFloat(0, weights[i]).array());
    }
    digest.update(number.putInt(0, layer).array());
    digest.update(vectors.bytes());
    digest.update(projection.bytes());
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  /** The same model with other parameters. */
  public SemanticBM25Model withParameters(ScoringParameters other) {
    return new SemanticBM25Model(this, other, edits);
  }

  /**
   * The same model with further edits of words: the controllable retrieval of Lu, Chen and Eickhoff,
   * who scale a token's entry in the IDF direction.
   *
   * @param more edits after those that it has; of several for a word the last counts
   */
  public SemanticBM25Model withEdits(List<Edit> more) {
    List<Edit> all = new ArrayList<>(edits);
    all.addAll(more);
    return new SemanticBM25Model(this, parameters, all);
  }

  /** All edits, in the order in which they were made. */
  public List<Edit> edits() {
    return edits;
  }

  /** 16 hexadecimal digits. */
  public String id() {
    return id;
  }

  /** Where the model comes from. */
  public Provenance provenance() {
    return provenance;
  }

  /** The parameters of the function. */
  public ScoringParameters parameters() {
    return parameters;
  }

  /** Number of wordpieces. */
  public int size() {
    return idf.length;
  }

  /** The wordpiece at an ordinal. */
  public String piece(int ordinal) {
    return pieces.get(ordinal);
  }

  /** The IDF value at an ordinal; mean 0, deviation 1. */
  public float idf(int ordinal) {
    return idf[ordinal];
  }

  /** The layer of the neural model after which hidden states are taken, or {@link #LAST_LAYER}. */
  public int layer() {
    return layer;
  }

  /** Makes vectors and weights of hidden states. */
  public TermProjection projection() {
    return projection;
  }

  /** The vectors, by ordinal. */
  public TermVectors vectors() {
    return vectors;
  }

  /**
   * Splits a word into wordpieces, greedily, the longest first, as WordPiece does.
   *
   * @param word lower-case, without white space
   * @return ordinals, or an empty array if the word cannot be put together from the vocabulary
   */
  public int[] wordpieces(String word) {
    List<Integer> found = new ArrayList<>();
    for (int start = 0; start < word.length(); ) {
      int end = word.length();
      Integer ordinal = null;
      for (; end > start && ordinal == null; end--) {
        String piece = word.substring(start, end);
        ordinal = ordinals.get(start == 0 ? piece : CONTINUATION + piece);
      }
      if (ordinal == null) {
        return new int[0];
      }
      found.add(ordinal);
      start = end + 1;
    }
    return found.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Whether a wordpiece is a word, or starts one: it does not continue a word. */
  public boolean startsWord(int ordinal) {
    return !pieces.get(ordinal).startsWith(CONTINUATION);
  }

  /** The IDF value of a word: that of its rarest piece. */
  public float idf(int[] wordpieces) {
    float max = Float.NEGATIVE_INFINITY;
    for (int ordinal : wordpieces) {
      max = Math.max(max, idf[ordinal]);
    }
    return max;
  }

  /** How much a word counts as a query term: the geometric mean over its pieces, 1 of none. */
  public float weight(int[] wordpieces) {
    double logarithms = 0;
    for (int ordinal : wordpieces) {
      logarithms += Math.log(weights[ordinal]) / wordpieces.length;
    }
    return (float) Math.exp(logarithms);
  }

  /** Writes the model as a file that holds all of it, or leaves what was there. */
  public void write(Directory directory, String name) throws IOException {
    FILE.write(directory, name, this::write);
  }

  private void write(DataOutput out) throws IOException {
    provenance.write(out);
    for (float parameter :
        new float[] {
          parameters.k1(),
          parameters.b(),
          parameters.threshold(),
          parameters.exponent(),
          parameters.scale(),
          parameters.idfBlend(),
          parameters.weightExponent()
        }) {
      out.writeInt(Float.floatToIntBits(parameter));
    }
    out.writeVInt(parameters.maxSoftTerms());
    out.writeString(id);
    out.writeVInt(idf.length);
    for (int i = 0; i < idf.length; i++) {
      out.writeString(pieces.get(i));
      out.writeInt(Float.floatToIntBits(idf[i]));
      out.writeInt(Float.floatToIntBits(weights[i]));
    }
    out.writeVInt(layer);
    projection.write(out);
    vectors.write(out);
    out.writeVInt(edits.size());
    for (Edit edit : edits) {
      out.writeString(edit.word);
      out.writeInt(Float.floatToIntBits(edit.weight));
      out.writeString(edit.reason);
      out.writeString(edit.created);
    }
  }

  /**
   * Reads a model.
   *
   * @throws IOException if the file is missing, damaged, of another kind or of a newer version; the
   *     message says which, and what to do
   */
  public static SemanticBM25Model read(Directory directory, String name) throws IOException {
    return FILE.read(directory, name, SemanticBM25Model::read);
  }

  private static SemanticBM25Model read(DataInput in) throws IOException {
    Provenance provenance = Provenance.read(in);
    float[] p = new float[7];
    for (int i = 0; i < p.length; i++) {
      p[i] = Float.intBitsToFloat(in.readInt());
    }
    ScoringParameters parameters =
        new ScoringParameters(p[0], p[1], p[2], p[3], p[4], in.readVInt(), p[5], p[6]);
    String id = in.readString();
    int size = in.readVInt();
    List<String> pieces = new ArrayList<>();
    float[] idf = new float[size];
    float[] weights = new float[size];
    for (int i = 0; i < size; i++) {
      pieces.add(in.readString());
      idf[i] = Float.intBitsToFloat(in.readInt());
      weights[i] = Float.intBitsToFloat(in.readInt());
    }
    int layer = in.readVInt();
    TermProjection projection = TermProjection.read(in);
    TermVectors vectors = TermVectors.read(in, size);
    SemanticBM25Model model =
        new SemanticBM25Model(
            provenance, parameters, pieces, idf, layer, projection, vectors, weights);
    if (!model.id.equals(id)) {
      throw new CorruptIndexException("id " + id + " but content " + model.id, "model");
    }
    return model.withEdits(readEdits(in));
  }

  private static List<Edit> readEdits(DataInput in) throws IOException {
    List<Edit> edits = new ArrayList<>();
    for (int i = in.readVInt(); i > 0; i--) {
      edits.add(
          new Edit(
              in.readString(),
              Float.intBitsToFloat(in.readInt()),
              in.readString(),
              in.readString()));
    }
    return edits;
  }
}
