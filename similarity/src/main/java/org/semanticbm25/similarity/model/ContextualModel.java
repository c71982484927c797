package org.semanticbm25.similarity.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.Accountable;
import org.apache.lucene.util.RamUsageEstimator;

/**
 * The terms and numbers of soft term frequencies in context. An encoder reads a passage once, when
 * it is indexed, and gives for every token j a unit vector {@code h_j} and a gate {@code g_j}. With
 * the unit vector {@code e_t} that this class keeps of a term,
 *
 * <pre>
 *   S(t, d) = tf(t, d) + max(0, scale * sum over j of g_j * kernel(h_j . e_t) - cut)
 *   kernel  = max(0, (cosine - threshold) / (1 - threshold)) ^ 2
 *   part    = weight(t) * S / (S + k1 * (1 - b + b * dl / avgdl)) + literal * BM25(tf)
 *   BM25    = tf / (tf + 1.2 * (0.25 + 0.75 * dl / avgdl))
 *   score   = sum over query terms t of idf(t) * part(t, d)
 * </pre>
 *
 * <p>This is the semantic BM25 of Lu, Chen and Eickhoff (<i>Pathway to Relevance</i>, EMNLP 2025)
 * with soft frequencies that need no query: an approximation, trained on a cross-encoder's and
 * other teachers' scores, to which BM25 itself is added with a weight. An index keeps of a part one
 * {@link Parameters#value}, so that a search reads one postings list for each query term. Immutable
 * and thread-safe.
 *
 * @lucene.experimental
 */
public final class ContextualModel implements Accountable {
  private static final ChecksummedFile FILE =
      new ChecksummedFile(
          "ContextualModel",
          2,
          2,
          "contextual model",
          "give the file that belongs to the encoder, or update this software");

  private final Provenance provenance;
  private final Parameters parameters;
  private final List<String> words;
  private final float[] weights;
  private final float[] idf;
  private final TermVectors vectors;
  private final String id;

  /**
   * The numbers of the function.
   *
   * @param k1 saturation, positive
   * @param b length normalisation, in [0, 1]
   * @param threshold cosine at which the kernel begins, in [0, 1)
   * @param scale of soft frequencies, positive
   * @param cut from soft frequencies, not negative
   * @param literal how much BM25 of the literal frequency counts beside, not negative
   */
  public record Parameters(
      float k1, float b, float threshold, float scale, float cut, float literal) {
    // of Lucene's BM25Similarity
    private static final float LITERAL_K1 = 1.2f;
    private static final float LITERAL_B = 0.75f;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public Parameters {
      ScoringParameters.check(k1 > 0f && Float.isFinite(k1), "k1", k1, "positive and finite");
      ScoringParameters.check(b >= 0f && b <= 1f, "b", b, "in [0, 1]");
      ScoringParameters.check(
          threshold >= 0f && threshold < 1f, "threshold", threshold, "in [0, 1)");
      ScoringParameters.check(
          scale > 0f && Float.isFinite(scale), "scale", scale, "positive and finite");
      ScoringParameters.check(
          cut >= 0f && Float.isFinite(cut), "cut", cut, "not negative and finite");
      ScoringParameters.check(
          literal >= 0f && Float.isFinite(literal), "literal", literal, "not negative and finite");
    }

    /**
     * What an index keeps of a term in a passage. BM25's saturation of it is the term's part of the
     * score, as a share of the largest that the part can be:
     *
     * <pre>
     *   value / (value + k1) = part / (weight + literal)
     * </pre>
     *
     * If {@code literal} is 0, it is S over the length norm.
     *
     * @param weight of the term, positive
     * @param tf literal frequency, 0 or more
     * @param soft frequency, 0 or more; one of the two is positive
     * @param relativeLength dl / avgdl, positive
     * @return positive
     */
    public float value(float weight, int tf, float soft, float relativeLength) {
      double part =
          weight * saturation(tf + soft, k1, b, relativeLength)
              + literal * saturation(tf, LITERAL_K1, LITERAL_B, relativeLength);
      double share = part / (weight + literal);
      return (float) (k1 * share / (1 - share));
    }

    private static double saturation(float tf, float k1, float b, float relativeLength) {
      return tf / (tf + k1 * (1.0 - b + b * relativeLength));
    }

    /**
     * The weight of a token for a term.
     *
     * @param cosine of their vectors
     * @return 0 at the threshold and below; 1 for equal directions
     */
    public float kernel(float cosine) {
      float above = Math.max(0f, (cosine - threshold) / (1f - threshold));
      return above * above;
    }

    private void write(DataOutput out) throws IOException {
      writeFloats(out, k1, b, threshold, scale, cut, literal);
    }

    private static Parameters read(DataInput in) throws IOException {
      float[] p = ChecksummedFile.readFloats(in, 6);
      return new Parameters(p[0], p[1], p[2], p[3], p[4], p[5]);
    }
  }

  /**
   * Makes a model.
   *
   * @param provenance of the encoder, whose SHA-256 binds the two files together
   * @param parameters of the function
   * @param words a word of each term, the most frequent terms first
   * @param weights how much each term counts in a query, on top of its IDF, positive
   * @param idf of each term in the training passages, not negative
   * @param vectors of the terms
   * @throws IllegalArgumentException if the counts differ or a number is out of its range
   */
  public ContextualModel(
      Provenance provenance,
      Parameters parameters,
      List<String> words,
      float[] weights,
      float[] idf,
      TermVectors vectors) {
    this.provenance = provenance;
    this.parameters = parameters;
    this.words = List.copyOf(words);
    this.weights = weights.clone();
    this.idf = idf.clone();
    this.vectors = vectors;
    check();
    this.id = digest();
  }

  private void check() {
    if (words.size() != weights.length
        || words.size() != idf.length
        || words.size() != vectors.size()) {
      throw new IllegalArgumentException(
          "illegal terms: %s words, %s weights, %s IDF values, %s vectors, must be as many of each"
              .formatted(words.size(), weights.length, idf.length, vectors.size()));
    }
    for (int i = 0; i < weights.length; i++) {
      if (!(weights[i] > 0f && Float.isFinite(weights[i]))) {
        throw new IllegalArgumentException(
            "illegal weight: " + weights[i] + " of '" + words.get(i) + "'");
      }
      if (!(idf[i] >= 0f && Float.isFinite(idf[i]))) {
        throw new IllegalArgumentException("illegal IDF: " + idf[i] + " of '" + words.get(i) + "'");
      }
    }
  }

  private String digest() {
    MessageDigest digest = Sha256.begin();
    digest.update(provenance.sourceSha256().getBytes(StandardCharsets.UTF_8));
    digest.update(parameters.toString().getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < weights.length; i++) {
      digest.update(words.get(i).getBytes(StandardCharsets.UTF_8));
      digest.update(
          ByteBuffer.allocate(2 * Float.BYTES).putFloat(weights[i]).putFloat(idf[i]).array());
    }
    digest.update(vectors.bytes());
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  /**
   * Names the model in the indexes that are made with it.
   *
   * @return 16 hexadecimal digits, a digest of everything in it
   */
  public String id() {
    return id;
  }

  /**
   * Where the model comes from.
   *
   * @return provenance of the encoder
   */
  public Provenance provenance() {
    return provenance;
  }

  /**
   * The numbers of the function.
   *
   * @return parameters
   */
  public Parameters parameters() {
    return parameters;
  }

  /**
   * The same with another weight of BM25. It is another model: indexes made with this one have to
   * be made anew.
   *
   * @param literal how much BM25 of the literal frequency counts beside, not negative
   * @return all else as here
   * @throws IllegalArgumentException if the weight is out of its range
   */
  public ContextualModel withLiteral(float literal) {
    Parameters p = parameters;
    return new ContextualModel(
        provenance,
        new Parameters(p.k1(), p.b(), p.threshold(), p.scale(), p.cut(), literal),
        words,
        weights,
        idf,
        vectors);
  }

  /**
   * Number of terms.
   *
   * @return 0 or more
   */
  public int size() {
    return weights.length;
  }

  /**
   * A word of a term, its most frequent one.
   *
   * @param i in [0, {@link #size()})
   * @return in lower case
   */
  public String word(int i) {
    return words.get(i);
  }

  /**
   * How much a term counts in a query, on top of its IDF.
   *
   * @param i in [0, {@link #size()})
   * @return positive and finite
   */
  public float weight(int i) {
    return weights[i];
  }

  /**
   * BM25's IDF of a term in the training passages.
   *
   * @param i in [0, {@link #size()})
   * @return not negative, finite
   */
  public float idf(int i) {
    return idf[i];
  }

  /**
   * The vectors of the terms.
   *
   * @return in the order of the terms
   */
  public TermVectors vectors() {
    return vectors;
  }

  /**
   * Writes the model as a file, or leaves what was there.
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
    out.writeVInt(size());
    for (String word : words) {
      out.writeString(word);
    }
    writeFloats(out, weights);
    writeFloats(out, idf);
    vectors.write(out);
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
  public static ContextualModel read(Directory directory, String name) throws IOException {
    return FILE.read(directory, name, (in, version) -> read(in));
  }

  /**
   * Reads a model that is a resource of a class.
   *
   * @param in all bytes of the file
   * @return the model
   * @throws IOException as {@link #read(Directory, String)}
   */
  public static ContextualModel read(InputStream in) throws IOException {
    return FILE.read(in, (content, version) -> read(content));
  }

  private static ContextualModel read(DataInput in) throws IOException {
    Provenance provenance = Provenance.read(in);
    Parameters parameters = Parameters.read(in);
    int size = ChecksummedFile.readSize(in, 1 + 2 * Float.BYTES);
    List<String> words = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      words.add(ChecksummedFile.readString(in));
    }
    return new ContextualModel(
        provenance,
        parameters,
        words,
        ChecksummedFile.readFloats(in, size),
        ChecksummedFile.readFloats(in, size),
        TermVectors.read(in, size));
  }

  private static void writeFloats(DataOutput out, float... numbers) throws IOException {
    for (float number : numbers) {
      out.writeInt(Float.floatToIntBits(number));
    }
  }

  /** Heap that terms, vectors and weights take, without what fields keep beside. */
  @Override
  public long ramBytesUsed() {
    return words.stream().mapToLong(RamUsageEstimator::sizeOf).sum()
        + vectors.ramBytesUsed()
        + RamUsageEstimator.sizeOf(idf)
        + RamUsageEstimator.sizeOf(weights);
  }
}
