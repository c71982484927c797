package org.semanticbm25.similarity.field;

import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.SortedMap;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.BytesTermAttribute;
import org.apache.lucene.analysis.tokenattributes.TermFrequencyAttribute;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/**
 * A field of the terms of a passage with given frequencies: its own terms and soft ones. Its
 * postings have documents and frequencies; there are no positions and no norms. Made by {@link
 * SoftTermFields}.
 *
 * @lucene.experimental
 */
public final class SoftTermField extends Field {
  private final SortedMap<BytesRef, Integer> frequencies;

  SoftTermField(String name, FieldType type, SortedMap<BytesRef, Integer> frequencies) {
    super(name, type);
    this.frequencies = Collections.unmodifiableSortedMap(frequencies);
  }

  /**
   * The type of such a field.
   *
   * @param attributes what the index is to say of the field
   */
  static FieldType type(Map<String, String> attributes) {
    FieldType type = new FieldType();
    type.setTokenized(true);
    type.setOmitNorms(true);
    type.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
    attributes.forEach(type::putAttribute);
    type.freeze();
    return type;
  }

  /**
   * What is indexed.
   *
   * @return frequencies by term, each at least 1; not to be changed
   */
  public SortedMap<BytesRef, Integer> frequencies() {
    return frequencies;
  }

  @Override
  public TokenStream tokenStream(Analyzer analyzer, @Nullable TokenStream reuse) {
    return new Frequencies(frequencies);
  }

  private static final class Frequencies extends TokenStream {
    private final BytesTermAttribute term = addAttribute(BytesTermAttribute.class);
    private final TermFrequencyAttribute frequency = addAttribute(TermFrequencyAttribute.class);
    private final Map<BytesRef, Integer> frequencies;
    private Iterator<Map.Entry<BytesRef, Integer>> rest;

    Frequencies(Map<BytesRef, Integer> frequencies) {
      this.frequencies = frequencies;
      this.rest = frequencies.entrySet().iterator();
    }

    @Override
    public void reset() {
      rest = frequencies.entrySet().iterator();
    }

    @Override
    public boolean incrementToken() {
      if (!rest.hasNext()) {
        return false;
      }
      clearAttributes();
      Map.Entry<BytesRef, Integer> next = rest.next();
      term.setBytesRef(next.getKey());
      frequency.setTermFrequency(next.getValue());
      return true;
    }
  }
}
