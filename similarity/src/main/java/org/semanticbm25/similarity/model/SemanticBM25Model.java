package org.semanticbm25.similarity.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.Accountable;
import org.apache.lucene.util.RamUsageEstimator;

/**
 * What was extracted from a cross-encoder or encoder, and all that scoring needs of it: a {@link
 * WordTable} of whole words, for every wordpiece an IDF value, a vector and a weight, and the
 * parameters of the function that uses them.
 *
 * <ul>
 *   <li>The <b>IDF value</b> of a wordpiece is its coordinate along the first left singular vector
 *       of the word-embedding matrix, sign fixed so that rare pieces are high, standardised to mean
 *       0 and deviation 1 over the vocabulary. It has no unit; a field scales it to the IDF of its
 *       collection.
 *   <li>The <b>vector</b> stands for the wordpiece as a word of its own; the cosine of two vectors,
 *       put through {@link ScoringParameters#kernel}, is the weight of a soft match. Vectors are
 *       quantised to a byte per dimension, which keeps cosines to about 0.005.
 *   <li>The <b>weight</b> says how much the wordpiece counts as a query term, on top of its IDF.
 * </ul>
 *
 * <p>Vectors and weights are made of hidden states by a {@link TermProjection}, which the model
 * keeps for further words. A term's weight can be edited: see {@link #withEdits}.
 *
 * <p>The {@linkplain #id() id} is a digest of words, wordpieces, their numbers and the projection.
 * It does not depend on parameters and edits. Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SemanticBM25Model implements Accountable {
  /** In place of a layer's number: the last of the neural model, whatever that is. */
  public static final int LAST_LAYER = 0;

  // the format of the builds before the table of words
  private static final int WITHOUT_WORDS = 3;
  private static final ChecksummedFile FILE =
      new ChecksummedFile(
          "SemanticBM25Model",
          WITHOUT_WORDS,
          4,
          "semantic BM25 model",
          "make it anew with 'sbm25 extract', or update this software");

  private final Provenance provenance;
  private final ScoringParameters parameters;
  private final Wordpieces wordpieces;
  private final float[] idf;
  private final int layer;
  private final TermProjection projection;
  private final TermVectors vectors;
  private final float[] weights;
  private final WordTable words;
  private final float[] idfOfWords;
  private final List<WordEdit> edits;
  private final String id;

  /**
   * Makes a model of hidden states.
   *
   * @param provenance where it comes from
   * @param parameters of the function
   * @param pieces the vocabulary; pieces that continue a word begin with {@code ##}
   * @param idf a value for each piece, finite
   * @param layer of the neural model after which hidden states are taken, or {@link #LAST_LAYER}
   * @param states the hidden state of each piece, read as a word of its own
   * @param projection makes vectors and weights of hidden states
   * @param words whole words, with vectors of the same projection
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
      TermProjection projection,
      WordTable words) {
    this(
        provenance,
        parameters,
        new Wordpieces(pieces),
        idf.clone(),
        layer,
        projection,
        TermVectors.quantize(
            projection.dimensions(),
            Arrays.stream(states).map(projection::vector).toArray(float[][]::new)),
        projection.weights(states),
        words);
  }

  private SemanticBM25Model(
      Provenance provenance,
      ScoringParameters parameters,
      Wordpieces wordpieces,
      float[] idf,
      int layer,
      TermProjection projection,
      TermVectors vectors,
      float[] weights,
      WordTable words) {
    this.provenance = provenance;
    this.parameters = parameters;
    this.wordpieces = wordpieces;
    this.idf = idf;
    this.layer = layer;
    this.projection = projection;
    this.vectors = vectors;
    this.weights = weights;
    this.words = words;
    this.edits = List.of();
    check();
    this.idfOfWords = new float[words.size()];
    for (int i = 0; i < idfOfWords.length; i++) {
      int[] spelling = wordpieces.spell(words.word(i));
      idfOfWords[i] = spelling.length == 0 ? Float.NaN : idf(spelling);
    }
    this.id = digest();
  }

  private SemanticBM25Model(
      SemanticBM25Model model, ScoringParameters parameters, List<WordEdit> edits) {
    this.provenance = model.provenance;
    this.parameters = parameters;
    this.wordpieces = model.wordpieces;
    this.idf = model.idf;
    this.layer = model.layer;
    this.projection = model.projection;
    this.vectors = model.vectors;
    this.weights = model.weights;
    this.words = model.words;
    this.idfOfWords = model.idfOfWords;
    this.edits = List.copyOf(edits);
    this.id = model.id;
  }

  private void check() {
    if (wordpieces.size() != idf.length || wordpieces.size() != vectors.size()) {
      throw new IllegalArgumentException(
          "illegal vocabulary: %s pieces, %s IDF values, %s vectors, must be as many of each"
              .formatted(wordpieces.size(), idf.length, vectors.size()));
    }
    if (layer < 0) {
      throw new IllegalArgumentException("illegal layer: " + layer + ", must be 0 or more");
    }
    if (words.vectors().dimensions() != vectors.dimensions()) {
      throw new IllegalArgumentException(
          "illegal word table: %s dimensions, must be %s"
              .formatted(words.vectors().dimensions(), vectors.dimensions()));
    }
    for (int i = 0; i < idf.length; i++) {
      if (!Float.isFinite(idf[i])) {
        throw new IllegalArgumentException("illegal IDF: " + idf[i] + " of " + wordpieces.piece(i));
      }
      if (!(weights[i] > 0f && Float.isFinite(weights[i]))) {
        throw new IllegalArgumentException(
            "illegal weight: " + weights[i] + " of " + wordpieces.piece(i));
      }
    }
  }

  private String digest() {
    MessageDigest digest = Sha256.begin();
    for (int i = 0; i < idf.length; i++) {
      update(digest, wordpieces.piece(i), idf[i], weights[i]);
    }
    for (int i = 0; i < words.size(); i++) {
      update(digest, words.word(i), words.frequency(i), words.weight(i));
    }
    update(digest, "", layer, words.passages());
    digest.update(vectors.bytes());
    digest.update(words.vectors().bytes());
    digest.update(projection.bytes());
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  private static void update(MessageDigest digest, String text, float a, float b) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update(ByteBuffer.allocate(2 * Float.BYTES).putFloat(a).putFloat(b).array());
  }

  /**
   * The same model with other parameters.
   *
   * @param other parameters of the function
   * @return a model with the same id
   */
  public SemanticBM25Model withParameters(ScoringParameters other) {
    return new SemanticBM25Model(this, other, edits);
  }

  /**
   * The same model with further edits of words: the controllable retrieval of Lu, Chen and
   * Eickhoff, who scale a token's entry in the IDF direction.
   *
   * @param more edits after those that it has; of several for a word the last counts
   * @return a model with the same id
   */
  public SemanticBM25Model withEdits(List<WordEdit> more) {
    List<WordEdit> all = new ArrayList<>(edits);
    all.addAll(more);
    return new SemanticBM25Model(this, parameters, all);
  }

  /**
   * All edits.
   *
   * @return in the order in which they were made
   */
  public List<WordEdit> edits() {
    return edits;
  }

  /**
   * Names the model in the files that are made with it.
   *
   * @return 16 hexadecimal digits
   */
  public String id() {
    return id;
  }

  /**
   * Where the model comes from.
   *
   * @return source, tool and figures
   */
  public Provenance provenance() {
    return provenance;
  }

  /**
   * The parameters of the function.
   *
   * @return the numbers of kernel and BM25
   */
  public ScoringParameters parameters() {
    return parameters;
  }

  /**
   * The vocabulary.
   *
   * @return wordpieces, in the order of their ordinals
   */
  public Wordpieces wordpieces() {
    return wordpieces;
  }

  /**
   * Whole words.
   *
   * @return a table, which may be empty
   */
  public WordTable words() {
    return words;
  }

  /**
   * The layer of the neural model after which hidden states are taken.
   *
   * @return at least 1, or {@link #LAST_LAYER}
   */
  public int layer() {
    return layer;
  }

  /**
   * Makes vectors and weights of hidden states.
   *
   * @return the projection of all words and wordpieces
   */
  public TermProjection projection() {
    return projection;
  }

  /**
   * The vectors of the wordpieces.
   *
   * @return by ordinal
   */
  public TermVectors vectors() {
    return vectors;
  }

  /**
   * The IDF value of a wordpiece.
   *
   * @param ordinal of the wordpiece
   * @return finite; mean 0, deviation 1 over the vocabulary
   */
  public float idf(int ordinal) {
    return idf[ordinal];
  }

  /**
   * The IDF value of a word: that of its rarest piece.
   *
   * @param spelling ordinals of its pieces, at least one
   * @return finite; mean 0, deviation 1 over the vocabulary
   */
  public float idf(int[] spelling) {
    float max = Float.NEGATIVE_INFINITY;
    for (int ordinal : spelling) {
      max = Math.max(max, idf[ordinal]);
    }
    return max;
  }

  /**
   * The IDF value of a word of the table.
   *
   * @param word its position in {@link #words}
   * @return as {@link #idf(int[])} of its pieces, or NaN if it cannot be spelt
   */
  public float idfOfWord(int word) {
    return idfOfWords[word];
  }

  /**
   * How much a word counts as a query term, on top of its IDF: the geometric mean over its pieces.
   *
   * @param spelling ordinals of its pieces
   * @return positive; 1 of no pieces
   */
  public float weight(int[] spelling) {
    double logarithms = 0;
    for (int ordinal : spelling) {
      logarithms += Math.log(weights[ordinal]) / spelling.length;
    }
    return (float) Math.exp(logarithms);
  }

  /**
   * Writes the model as a file that holds all of it, or leaves what was there.
   *
   * @param directory where to write
   * @param name of the file
   * @throws IOException if writing fails
   */
  public void write(Directory directory, String name) throws IOException {
    FILE.write(directory, name, this::write);
  }

  private void write(DataOutput out) throws IOException {
    provenance.write(out);
    parameters.write(out);
    out.writeString(id);
    out.writeVInt(idf.length);
    for (int i = 0; i < idf.length; i++) {
      out.writeString(wordpieces.piece(i));
      out.writeInt(Float.floatToIntBits(idf[i]));
      out.writeInt(Float.floatToIntBits(weights[i]));
    }
    out.writeVInt(layer);
    projection.write(out);
    vectors.write(out);
    words.write(out);
    out.writeVInt(edits.size());
    for (WordEdit edit : edits) {
      edit.write(out);
    }
  }

  /**
   * Reads a model.
   *
   * @param directory where the file is
   * @param name of the file
   * @return the model
   * @throws IOException if the file is missing, damaged, of another kind or of another version; the
   *     message says which, and what to do
   */
  public static SemanticBM25Model read(Directory directory, String name) throws IOException {
    return FILE.read(directory, name, SemanticBM25Model::read);
  }

  /**
   * Reads a model that is a resource of a class.
   *
   * @param in all bytes of the file
   * @return the model
   * @throws IOException as {@link #read(Directory, String)}
   */
  public static SemanticBM25Model read(InputStream in) throws IOException {
    return FILE.read(in, SemanticBM25Model::read);
  }

  private static SemanticBM25Model read(DataInput in, int version) throws IOException {
    Provenance provenance = Provenance.read(in);
    ScoringParameters parameters = ScoringParameters.read(in);
    String id = ChecksummedFile.readString(in);
    int size = ChecksummedFile.readSize(in, 1 + 2 * Float.BYTES);
    List<String> pieces = new ArrayList<>();
    List<Float> numbers = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      pieces.add(ChecksummedFile.readString(in));
      numbers.add(Float.intBitsToFloat(in.readInt()));
      numbers.add(Float.intBitsToFloat(in.readInt()));
    }
    float[] idf = new float[size];
    float[] weights = new float[size];
    for (int i = 0; i < size; i++) {
      idf[i] = numbers.get(2 * i);
      weights[i] = numbers.get(2 * i + 1);
    }
    int layer = in.readVInt();
    TermProjection projection = TermProjection.read(in);
    TermVectors vectors = TermVectors.read(in, size);
    boolean hasWords = version > WITHOUT_WORDS;
    WordTable words = hasWords ? WordTable.read(in) : WordTable.empty(projection.dimensions());
    SemanticBM25Model model =
        new SemanticBM25Model(
            provenance,
            parameters,
            new Wordpieces(pieces),
            idf,
            layer,
            projection,
            vectors,
            weights,
            words);
    // it was a digest of less before
    if (hasWords && !model.id.equals(id)) {
      throw new CorruptIndexException("id " + id + " but content " + model.id, "model");
    }
    List<WordEdit> edits = new ArrayList<>();
    for (int i = ChecksummedFile.readSize(in, 3 + Float.BYTES); i > 0; i--) {
      edits.add(WordEdit.read(in));
    }
    return model.withEdits(edits);
  }

  /** Heap that words, vectors and weights take, without what fields keep beside. */
  @Override
  public long ramBytesUsed() {
    return wordpieces.ramBytesUsed()
        + vectors.ramBytesUsed()
        + words.ramBytesUsed()
        + RamUsageEstimator.sizeOf(idf)
        + RamUsageEstimator.sizeOf(idfOfWords)
        + RamUsageEstimator.sizeOf(weights);
  }
}
