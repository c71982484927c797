package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.analysis.tokenattributes.TermToBytesRefAttribute;
import org.apache.lucene.analysis.tokenattributes.TypeAttribute;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.BytesRef;

/** What an analyzer makes of a text: terms, and the words that they were made of. */
final class Analysis {
  // the type that Lucene's synonym filters give to what they add
  private static final String SYNONYM = "SYNONYM";

  private Analysis() {}

  /** Hears of the terms of a text, in their order. */
  @FunctionalInterface
  interface Consumer {
    /**
     * Called for each term.
     *
     * @param term to be copied if it is kept
     * @param word in lower case, as it stands in the text; that of a synonym is the term itself
     */
    void accept(BytesRef term, String word);
  }

  /** The terms of a text, in their order, to be kept. */
  static List<BytesRef> terms(Analyzer analyzer, String field, String text) {
    List<BytesRef> terms = new ArrayList<>();
    of(analyzer, field, text, (term, word) -> terms.add(BytesRef.deepCopyOf(term)));
    return terms;
  }

  /** Analyses a text. */
  static void of(Analyzer analyzer, String field, String text, Consumer consumer) {
    try (TokenStream tokens = analyzer.tokenStream(field, text)) {
      TermToBytesRefAttribute term = tokens.getAttribute(TermToBytesRefAttribute.class);
      OffsetAttribute offset = tokens.addAttribute(OffsetAttribute.class);
      TypeAttribute type = tokens.addAttribute(TypeAttribute.class);
      tokens.reset();
      while (tokens.incrementToken()) {
        String word =
            type.type().equals(SYNONYM)
                ? Term.toString(term.getBytesRef())
                : text.substring(offset.startOffset(), offset.endOffset());
        consumer.accept(term.getBytesRef(), word.toLowerCase(Locale.ROOT));
      }
      tokens.end();
    } catch (IOException e) {
      throw new UncheckedIOException("analyzing the text of field '" + field + "'", e);
    }
  }
}
