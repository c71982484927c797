package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.ChecksummedFile;

/**
 * What a model says about the terms of one field of one index: for each term an IDF value on the
 * scale of the collection, how much it counts in a query, and its nearest other terms. Made by {@link Attacher}, kept as a side file
 * next to the index, read whole: about 100 bytes of heap a term.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class AttachedField {
  /** Most neighbours that are kept of a term. */
  public static final int MAX_NEIGHBOURS = 16;

  private static final ChecksummedFile FILE =
      new ChecksummedFile(
          "SemanticBM25AttachedField",
          2,
          "side file of an attached index",
          "make it anew with 'sbm25 attach', or update this software");

  private final String field;
  private final String modelId;
  private final Terms terms;
  private final float[] idf;
  private final float[] weights;
  private final IdfScale idfScale;
  // neighbours of term i: [i * MAX_NEIGHBOURS, ...), nearest first, -1 where there are fewer
  private final int[] neighbours;
  private final byte[] cosines;
  private final int[] pieceTerms;

  /** Turns a model's IDF value, which has no unit, into an IDF of the collection. */
  record IdfScale(float factor, float offset) {
    float toCollection(float value) {
      return Math.max(0f, offset + factor * value);
    }
  }

  /** A term that is near another one, and how near. */
  record Neighbour(int term, float cosine) {}

  AttachedField(
      String field,
      String modelId,
      Terms terms,
      float[] idf,
      float[] weights,
      IdfScale idfScale,
      List<List<Neighbour>> neighbours,
      int[] pieceTerms) {
    this(
        field,
        modelId,
        terms,
        idf,
        weights,
        idfScale,
        new int[idf.length * MAX_NEIGHBOURS],
        new byte[idf.length * MAX_NEIGHBOURS],
        pieceTerms);
    Arrays.fill(this.neighbours, -1);
    for (int i = 0; i < idf.length; i++) {
      for (int j = 0; j < neighbours.get(i).size(); j++) {
        Neighbour neighbour = neighbours.get(i).get(j);
        this.neighbours[i * MAX_NEIGHBOURS + j] = neighbour.term;
        this.cosines[i * MAX_NEIGHBOURS + j] = (byte) Math.round(neighbour.cosine * 255f);
      }
    }
  }

  private AttachedField(
      String field,
      String modelId,
      Terms terms,
      float[] idf,
      float[] weights,
      IdfScale idfScale,
      int[] neighbours,
      byte[] cosines,
      int[] pieceTerms) {
    this.field = field;
    this.modelId = modelId;
    this.terms = terms;
    this.idf = idf;
    this.weights = weights;
    this.idfScale = idfScale;
    this.neighbours = neighbours;
    this.cosines = cosines;
    this.pieceTerms = pieceTerms;
  }

  /** The field of the index. */
  public String field() {
    return field;
  }

  /** The model that this was made with. */
  public String modelId() {
    return modelId;
  }

  /** Number of terms. */
  public int size() {
    return idf.length;
  }

  /** Position of a term in the sorted terms, or -1. */
  int ordinal(BytesRef term) {
    return terms.ordinal(term);
  }

  BytesRef term(int ordinal) {
    return terms.get(ordinal);
  }

  float idf(int ordinal) {
    return idf[ordinal];
  }

  /** How much a term counts in a query, on top of its IDF. */
  float weight(int ordinal) {
    return weights[ordinal];
  }

  IdfScale idfScale() {
    return idfScale;
  }

  /** The index term that a wordpiece of the model is analysed to, or -1. */
  int pieceTerm(int piece) {
    return pieceTerms[piece];
  }

  /** The nearest terms, nearest first; their cosines are kept to 1/255. */
  List<Neighbour> neighbours(int ordinal) {
    List<Neighbour> found = new ArrayList<>(MAX_NEIGHBOURS);
    for (int i = ordinal * MAX_NEIGHBOURS; i < (ordinal + 1) * MAX_NEIGHBOURS; i++) {
      if (neighbours[i] >= 0) {
        found.add(new Neighbour(neighbours[i], (cosines[i] & 0xFF) / 255f));
      }
    }
    return found;
  }

  /** Writes the side file whole, or leaves what was there. */
  public void write(Directory directory, String name) throws IOException {
    FILE.write(directory, name, this::write);
  }

  private void write(DataOutput out) throws IOException {
    out.writeString(field);
    out.writeString(modelId);
    out.writeInt(Float.floatToIntBits(idfScale.factor));
    out.writeInt(Float.floatToIntBits(idfScale.offset));
    terms.write(out);
    for (int i = 0; i < idf.length; i++) {
      out.writeInt(Float.floatToIntBits(idf[i]));
      out.writeInt(Float.floatToIntBits(weights[i]));
    }
    for (int neighbour : neighbours) {
      out.writeVInt(neighbour + 1);
    }
    out.writeBytes(cosines, cosines.length);
    out.writeVInt(pieceTerms.length);
    for (int term : pieceTerms) {
      out.writeVInt(term + 1);
    }
  }

  /**
   * Reads a side file.
   *
   * @throws IOException if it is missing, damaged, of another kind or of a newer version; the
   *     message says which, and what to do
   */
  public static AttachedField read(Directory directory, String name) throws IOException {
    return FILE.read(directory, name, AttachedField::read);
  }

  private static AttachedField read(DataInput in) throws IOException {
    String field = in.readString();
    String modelId = in.readString();
    IdfScale scale =
        new IdfScale(Float.intBitsToFloat(in.readInt()), Float.intBitsToFloat(in.readInt()));
    Terms terms = Terms.read(in);
    float[] idf = new float[terms.size()];
    float[] weights = new float[terms.size()];
    for (int i = 0; i < idf.length; i++) {
      idf[i] = Float.intBitsToFloat(in.readInt());
      weights[i] = Float.intBitsToFloat(in.readInt());
      if (!(weights[i] > 0f && Float.isFinite(weights[i]))) {
        throw new IllegalArgumentException("illegal weight: " + weights[i]);
      }
    }
    int[] neighbours = readOrdinals(in, idf.length * MAX_NEIGHBOURS, idf.length);
    byte[] cosines = new byte[neighbours.length];
    in.readBytes(cosines, 0, cosines.length);
    int[] pieceTerms = readOrdinals(in, in.readVInt(), idf.length);
    return new AttachedField(
        field, modelId, terms, idf, weights, scale, neighbours, cosines, pieceTerms);
  }

  private static int[] readOrdinals(DataInput in, int count, int bound) throws IOException {
    int[] ordinals = new int[count];
    for (int i = 0; i < count; i++) {
      ordinals[i] = in.readVInt() - 1;
      Objects.checkIndex(ordinals[i] + 1, bound + 1);
    }
    return ordinals;
  }

  /** Sorted terms, packed into one array of bytes. */
  static final class Terms {
    private final byte[] bytes;
    private final int[] ends;

    private Terms(byte[] bytes, int[] ends) {
      this.bytes = bytes;
      this.ends = ends;
    }

    /** Packs terms that are sorted and distinct. */
    static Terms of(List<BytesRef> sorted) {
      int[] ends = new int[sorted.size()];
      int size = 0;
      for (int i = 0; i < ends.length; i++) {
        size = Math.addExact(size, sorted.get(i).length);
        ends[i] = size;
      }
      byte[] bytes = new byte[size];
      for (int i = 0; i < ends.length; i++) {
        BytesRef term = sorted.get(i);
        System.arraycopy(term.bytes, term.offset, bytes, ends[i] - term.length, term.length);
      }
      return new Terms(bytes, ends);
    }

    int size() {
      return ends.length;
    }

    BytesRef get(int ordinal) {
      int start = ordinal == 0 ? 0 : ends[ordinal - 1];
      return new BytesRef(bytes, start, ends[ordinal] - start);
    }

    int ordinal(BytesRef term) {
      int low = 0;
      int high = ends.length - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        int order = get(middle).compareTo(term);
        if (order == 0) {
          return middle;
        } else if (order < 0) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return -1;
    }

    void write(DataOutput out) throws IOException {
      out.writeVInt(ends.length);
      for (int i = 0; i < ends.length; i++) {
        out.writeVInt(ends[i] - (i == 0 ? 0 : ends[i - 1]));
      }
      out.writeBytes(bytes, bytes.length);
    }

    static Terms read(DataInput in) throws IOException {
      int[] ends = new int[in.readVInt()];
      int size = 0;
      for (int i = 0; i < ends.length; i++) {
        size += in.readVInt();
        ends[i] = size;
      }
      byte[] bytes = new byte[size];
      in.readBytes(bytes, 0, size);
      return new Terms(bytes, ends);
    }
  }
}
