package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.lucene.PassageSource;

/**
 * Texts of documents. Thread-safe.
 *
 * @param reader of the index
 * @param source of the texts in it
 */
public record PassageTexts(IndexReader reader, PassageSource source) {
  /** The text of each document, in their order; empty for one without. */
  public List<String> of(int... docs) throws IOException {
    List<LeafReaderContext> leaves = reader.leaves();
    List<String> texts = new ArrayList<>();
    LeafReaderContext leaf = null;
    PassageSource.@Nullable Passages open = null;
    for (int doc : docs) {
      LeafReaderContext own = leaves.get(ReaderUtil.subIndex(doc, leaves));
      if (open == null || own != leaf) {
        leaf = own;
        open = source.open(leaf);
      }
      String text = open.text(doc - own.docBase);
      texts.add(text == null ? "" : text);
    }
    return texts;
  }
}
