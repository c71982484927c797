package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DocValuesType;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.SortedDocValues;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.TermVectors;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/**
 * Where the text of a document comes from that a neural model reads: a stored field, doc values,
 * term vectors, or a function of the caller's.
 *
 * <p>A caller's own source is a lambda: {@code leaf -> doc -> text(leaf, doc)}.
 *
 * @lucene.experimental
 */
@FunctionalInterface
public interface PassageSource {
  /** Texts of a segment's documents. Used by one thread, with ascending documents. */
  @FunctionalInterface
  interface Passages {
    /**
     * The text of a document.
     *
     * @param doc number in the segment
     * @return null if the document has none
     * @throws IOException if the index cannot be read
     */
    @Nullable String text(int doc) throws IOException;
  }

  /**
   * Opens a segment.
   *
   * @param leaf the segment
   * @return its texts, for one thread
   * @throws IOException if the index cannot be read
   */
  Passages open(LeafReaderContext leaf) throws IOException;

  /**
   * Reads stored fields.
   *
   * @param fields whose values are joined by a space, in the order given
   * @return a thread-safe source; a document without any value has no text
   */
  static PassageSource storedFields(String... fields) {
    Set<String> wanted = Set.of(fields);
    return leaf -> {
      StoredFields stored = leaf.reader().storedFields();
      return doc -> {
        Document document = stored.document(doc, wanted);
        List<String> values = new ArrayList<>();
        for (String field : fields) {
          values.addAll(Arrays.asList(document.getValues(field)));
        }
        return values.isEmpty() ? null : String.join(" ", values);
      };
    };
  }

  /**
   * Reads sorted or binary doc values as UTF-8.
   *
   * @param field with such doc values, or with none
   * @return a thread-safe source
   * @throws IllegalArgumentException when a segment is opened whose field is of another kind
   */
  static PassageSource docValues(String field) {
    return leaf -> {
      FieldInfo info = leaf.reader().getFieldInfos().fieldInfo(field);
      DocValuesType type = info == null ? DocValuesType.NONE : info.getDocValuesType();
      return switch (type) {
        case SORTED -> {
          SortedDocValues values = leaf.reader().getSortedDocValues(field);
          yield doc ->
              values.advanceExact(doc) ? values.lookupOrd(values.ordValue()).utf8ToString() : null;
        }
        case BINARY -> {
          BinaryDocValues values = leaf.reader().getBinaryDocValues(field);
          yield doc -> values.advanceExact(doc) ? values.binaryValue().utf8ToString() : null;
        }
        case NONE -> doc -> null;
        default ->
            throw new IllegalArgumentException(
                "field '%s' has doc values of type %s, not SORTED or BINARY; give a field that holds text"
                    .formatted(field, type));
      };
    };
  }

  /**
   * Reads term vectors: the terms of a document in the order of their positions, as the analyzer
   * left them. What it took out is lost; take this where the text itself is not kept.
   *
   * @param field with term vectors that have positions
   * @return a thread-safe source
   * @throws IllegalArgumentException when a document is read whose term vector has no positions
   */
  static PassageSource termVectors(String field) {
    return leaf -> {
      TermVectors vectors = leaf.reader().termVectors();
      return doc -> {
        Terms terms = vectors.get(doc, field);
        return terms == null ? null : inOrder(field, terms);
      };
    };
  }

  private static String inOrder(String field, Terms terms) throws IOException {
    if (!terms.hasPositions()) {
      throw new IllegalArgumentException(
          "field '%s' has term vectors without positions; give a field that has them"
              .formatted(field));
    }
    SortedMap<Integer, String> words = new TreeMap<>();
    TermsEnum each = terms.iterator();
    for (BytesRef term = each.next(); term != null; term = each.next()) {
      PostingsEnum positions = each.postings(null, PostingsEnum.POSITIONS);
      positions.nextDoc();
      for (int i = 0; i < positions.freq(); i++) {
        words.putIfAbsent(positions.nextPosition(), term.utf8ToString());
      }
    }
    return String.join(" ", words.values());
  }
}
