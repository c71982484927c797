package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.MultiBits;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.Interruption;

/**
 * The words that an analyzer turned into index terms, counted in texts: "studi" is not a word,
 * "studies" is.
 *
 * <p>Not thread-safe.
 *
 * @lucene.experimental
 */
public final class SurfaceForms {
  // enough to see all but the rarest words; the rest are taken as they stand in the index
  private static final int MAX_DOCUMENTS = 50_000;

  // among equally frequent forms the first in alphabetical order is the greatest
  private static final Comparator<Map.Entry<String, Integer>> BY_FREQUENCY =
      Map.Entry.<String, Integer>comparingByValue()
          .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder()));

  private final String field;
  private final Analyzer analyzer;
  private final Map<BytesRef, Forms> stored = new HashMap<>();

  /**
   * Begins without texts.
   *
   * @param field whose analysis it is
   * @param analyzer of the field
   */
  public SurfaceForms(String field, Analyzer analyzer) {
    this.field = field;
    this.analyzer = analyzer;
  }

  private record Forms(BytesRef term, Map<String, Integer> counts) {}

  /**
   * Counts the forms in the stored text, of documents spread evenly over the index.
   *
   * @param reader of an index that stores the field's text
   * @throws IOException if the index cannot be read, or as an {@code InterruptedIOException} if the
   *     thread is interrupted
   */
  public void addStoredText(IndexReader reader) throws IOException {
    int step = Math.max(1, reader.maxDoc() / MAX_DOCUMENTS);
    Bits live = MultiBits.getLiveDocs(reader);
    StoredFields texts = reader.storedFields();
    for (int doc = 0; doc < reader.maxDoc(); doc += step) {
      Interruption.check("reading stored text");
      if (live == null || live.get(doc)) {
        Document document = texts.document(doc, Set.of(field));
        for (IndexableField value : document.getFields(field)) {
          if (value.stringValue() != null) {
            add(value.stringValue());
          }
        }
      }
    }
  }

  /**
   * Counts the forms in a text.
   *
   * @param text to analyse
   * @return the terms of the text, in their order
   */
  public List<BytesRef> add(String text) {
    List<BytesRef> terms = new ArrayList<>();
    Analysis.of(analyzer, field, text, (term, surface) -> terms.add(count(term, surface)));
    return terms;
  }

  /** Returns a term that may be kept. */
  private BytesRef count(BytesRef term, String surface) {
    Forms forms = stored.get(term);
    if (forms == null) {
      forms = new Forms(BytesRef.deepCopyOf(term), new HashMap<>());
      stored.put(forms.term, forms);
    }
    forms.counts.merge(surface, 1, Integer::sum);
    return forms.term;
  }

  /**
   * The most frequent form of a term.
   *
   * @param term as it is indexed
   * @return a word in lower case; the term itself if no text had it
   */
  public String of(BytesRef term) {
    Forms forms = stored.get(term);
    if (forms == null) {
      return Term.toString(term);
    }
    return Collections.max(forms.counts.entrySet(), BY_FREQUENCY).getKey();
  }
}
