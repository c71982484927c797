package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.util.ArrayUtil;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.BytesRefBuilder;
import org.semanticbm25.similarity.model.ChecksummedFile;

/** Terms in order, one after the other in one array. Immutable and thread-safe. */
final class SortedTerms {
  private final byte[] bytes;
  private final int[] ends;

  private SortedTerms(byte[] bytes, int[] ends) {
    this.bytes = bytes;
    this.ends = ends;
  }

  /** Takes terms in order. */
  static final class Builder {
    private final BytesRefBuilder all = new BytesRefBuilder();
    private int[] ends = new int[16];
    private int size;

    /**
     * Adds a term, of which it keeps a copy.
     *
     * @throws IllegalArgumentException if it does not come after the last one
     */
    void add(BytesRef term) {
      int start = size < 2 ? 0 : ends[size - 2];
      if (size > 0 && new BytesRef(all.bytes(), start, all.length() - start).compareTo(term) >= 0) {
        throw new IllegalArgumentException("terms out of order: " + term.utf8ToString());
      }
      all.append(term);
      ends = ArrayUtil.grow(ends, size + 1);
      ends[size++] = all.length();
    }

    int size() {
      return size;
    }

    SortedTerms build() {
      return new SortedTerms(all.toBytesRef().bytes, ArrayUtil.copyOfSubArray(ends, 0, size));
    }
  }

  int size() {
    return ends.length;
  }

  BytesRef get(int ordinal) {
    int start = ordinal == 0 ? 0 : ends[ordinal - 1];
    return new BytesRef(bytes, start, ends[ordinal] - start);
  }

  /** Position of a term, or -1. */
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

  @Override
  public boolean equals(Object other) {
    return other instanceof SortedTerms that
        && Arrays.equals(bytes, that.bytes)
        && Arrays.equals(ends, that.ends);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ends);
  }

  void write(DataOutput out) throws IOException {
    out.writeVInt(ends.length);
    for (int i = 0; i < ends.length; i++) {
      BytesRef term = get(i);
      out.writeVInt(term.length);
      out.writeBytes(term.bytes, term.offset, term.length);
    }
  }

  static SortedTerms read(DataInput in) throws IOException {
    Builder terms = new Builder();
    for (int i = ChecksummedFile.readSize(in, 1); i > 0; i--) {
      byte[] term = new byte[ChecksummedFile.readSize(in, 1)];
      in.readBytes(term, 0, term.length);
      terms.add(new BytesRef(term));
    }
    return terms.build();
  }
}
