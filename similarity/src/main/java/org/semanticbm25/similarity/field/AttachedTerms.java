package org.semanticbm25.similarity.field;

import java.io.IOException;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.ArrayUtil;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.ChecksummedFile;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermVectors;

/**
 * The rare words of one field of one index: for each term that the model's words do not cover a
 * vector, a weight and an IDF value, made by running the neural model. {@link
 * SemanticField#withAttached} adds them. Kept as a file beside the index, read whole: some 150
 * bytes of heap a term.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class AttachedTerms {
  private static final ChecksummedFile FILE =
      new ChecksummedFile(
          "SemanticBM25AttachedTerms",
          1,
          1,
          "file of attached terms",
          "make it anew with 'sbm25 attach', or update this software");

  private final Origin origin;
  private final SortedTerms terms;
  private final TermVectors vectors;
  private final float[] weights;
  private final float[] idf;

  /**
   * What the terms were made of.
   *
   * @param index where the index was, for people
   * @param indexTerms number of terms that its field had
   * @param field of the index
   * @param analysis digest of the analyzer, see {@link SemanticField#analysis}
   * @param modelId of the extracted model
   */
  public record Origin(
      String index, long indexTerms, String field, String analysis, String modelId) {}

  /** Puts terms together, a byte for each component of a vector. Not thread-safe. */
  public static final class Builder {
    private final SortedTerms.Builder terms = new SortedTerms.Builder();
    private final TermVectors.Builder vectors;
    private float[] weights = new float[0];
    private float[] idf = new float[0];

    /**
     * Begins without terms.
     *
     * @param dimensions number of components of each vector
     */
    public Builder(int dimensions) {
      this.vectors = new TermVectors.Builder(dimensions);
    }

    /**
     * Adds a term.
     *
     * @param term after the last one in the order of UTF-8; copied
     * @param vector finite
     * @param weight how much it counts in a query, on top of its IDF; positive and finite
     * @param termIdf value without a unit, finite, see {@link SemanticBM25Model#idf(int)}
     * @throws IllegalArgumentException if the term is out of order or a value out of its range; the
     *     builder cannot be used any more then
     */
    public void add(BytesRef term, float[] vector, float weight, float termIdf) {
      check(term, weight, termIdf);
      int at = terms.size();
      terms.add(term);
      vectors.add(vector);
      weights = ArrayUtil.grow(weights, at + 1);
      weights[at] = weight;
      idf = ArrayUtil.grow(idf, at + 1);
      idf[at] = termIdf;
    }

    /**
     * Builds the terms.
     *
     * @param origin what they were made of
     * @return those that were added
     */
    public AttachedTerms build(Origin origin) {
      return new AttachedTerms(
          origin,
          terms.build(),
          vectors.build(),
          ArrayUtil.copyOfSubArray(weights, 0, terms.size()),
          ArrayUtil.copyOfSubArray(idf, 0, terms.size()));
    }
  }

  private AttachedTerms(
      Origin origin, SortedTerms terms, TermVectors vectors, float[] weights, float[] idf) {
    this.origin = origin;
    this.terms = terms;
    this.vectors = vectors;
    this.weights = weights;
    this.idf = idf;
  }

  private static void check(BytesRef term, float weight, float idf) {
    if (!(weight > 0f && Float.isFinite(weight) && Float.isFinite(idf))) {
      throw new IllegalArgumentException(
          "illegal weight or IDF: %s, %s of %s".formatted(weight, idf, term.utf8ToString()));
    }
  }

  /**
   * What the terms were made of.
   *
   * @return index, field, analyzer and model
   */
  public Origin origin() {
    return origin;
  }

  /**
   * Number of terms.
   *
   * @return 0 if the model's words cover the index
   */
  public int size() {
    return terms.size();
  }

  /** Refuses to be used with what it was not made of. */
  void check(SemanticBM25Model model, String field, String analysis) {
    check("model", origin.modelId, model.id());
    check("field", origin.field, field);
    check("analyzer", origin.analysis, analysis);
  }

  private void check(String what, String own, String other) {
    if (!own.equals(other)) {
      throw new IllegalArgumentException(
          "terms of %s were attached with %s %s, not %s; attach them again"
              .formatted(origin.index, what, own, other));
    }
  }

  /**
   * A term.
   *
   * @param i its number, from 0, in the order of UTF-8
   * @return as it is indexed; not to be changed
   */
  public BytesRef term(int i) {
    return terms.get(i);
  }

  TermVectors vectors() {
    return vectors;
  }

  float weight(int i) {
    return weights[i];
  }

  /**
   * A term's IDF by the model.
   *
   * @param i the term's number, from 0
   * @return a value without a unit, see {@link SemanticBM25Model#idf(int)}
   */
  public float idf(int i) {
    return idf[i];
  }

  /**
   * Writes a file that holds all of it, or leaves what was there.
   *
   * @param directory where to write, not necessarily that of the index
   * @param name of the file
   * @throws IOException if writing fails
   */
  public void write(Directory directory, String name) throws IOException {
    FILE.write(directory, name, this::write);
  }

  private void write(DataOutput out) throws IOException {
    out.writeString(origin.index);
    out.writeVLong(origin.indexTerms);
    out.writeString(origin.field);
    out.writeString(origin.analysis);
    out.writeString(origin.modelId);
    terms.write(out);
    for (int i = 0; i < weights.length; i++) {
      out.writeInt(Float.floatToIntBits(weights[i]));
      out.writeInt(Float.floatToIntBits(idf[i]));
    }
    vectors.write(out);
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param directory where the file is
   * @param name of the file
   * @return the terms
   * @throws IOException if the file is missing, damaged, of another kind or of another version; the
   *     message says which, and what to do
   */
  public static AttachedTerms read(Directory directory, String name) throws IOException {
    return FILE.read(directory, name, (in, version) -> read(in));
  }

  private static AttachedTerms read(DataInput in) throws IOException {
    Origin origin =
        new Origin(
            ChecksummedFile.readString(in),
            in.readVLong(),
            ChecksummedFile.readString(in),
            ChecksummedFile.readString(in),
            ChecksummedFile.readString(in));
    SortedTerms terms = SortedTerms.read(in);
    float[] weights = new float[terms.size()];
    float[] idf = new float[terms.size()];
    for (int i = 0; i < idf.length; i++) {
      weights[i] = Float.intBitsToFloat(in.readInt());
      idf[i] = Float.intBitsToFloat(in.readInt());
      check(terms.get(i), weights[i], idf[i]);
    }
    return new AttachedTerms(origin, terms, TermVectors.read(in, terms.size()), weights, idf);
  }
}
