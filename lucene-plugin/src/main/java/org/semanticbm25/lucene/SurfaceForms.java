package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.analysis.tokenattributes.TermToBytesRefAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.MultiBits;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.SemanticBM25Model;

/**
 * The words that an analyzer turned into index terms: "studi" is not a word, "studies" is.
 *
 * <p>Two sources: the stored text of the field, where there is any, and the whole words of the
 * model's vocabulary. The stored text says which form is the most frequent here, so it goes first.
 *
 * <p>Not thread-safe.
 *
 * @lucene.experimental
 */
public final class SurfaceForms {
  // enough to see all but the rarest words; the rest are taken as they stand in the index
  private static final int MAX_DOCUMENTS = 50_000;

  private final String field;
  private final Analyzer analyzer;
  private final Map<BytesRef, Forms> stored = new HashMap<>();
  private final Map<BytesRef, String> vocabulary = new HashMap<>();

  /**
   * @param field whose analysis it is
   */
  public SurfaceForms(String field, Analyzer analyzer) {
    this.field = field;
    this.analyzer = analyzer;
  }

  private record Forms(BytesRef term, Map<String, Integer> counts) {}

  @FunctionalInterface
  private interface TokenConsumer {
    void accept(BytesRef term, String surface);
  }

  private void analyze(String text, TokenConsumer consumer) throws IOException {
    try (TokenStream tokens = analyzer.tokenStream(field, text)) {
      TermToBytesRefAttribute term = tokens.getAttribute(TermToBytesRefAttribute.class);
      OffsetAttribute offset = tokens.addAttribute(OffsetAttribute.class);
      tokens.reset();
      while (tokens.incrementToken()) {
        String surface = text.substring(offset.startOffset(), offset.endOffset());
        consumer.accept(term.getBytesRef(), surface.toLowerCase(Locale.ROOT));
      }
      tokens.end();
    }
  }

  /** Counts the forms in the stored text, of documents spread evenly over the index. */
  void addStoredText(IndexReader reader) throws IOException {
    int step = Math.max(1, reader.maxDoc() / MAX_DOCUMENTS);
    Bits live = MultiBits.getLiveDocs(reader);
    for (int doc = 0; doc < reader.maxDoc(); doc += step) {
      if (live == null || live.get(doc)) {
        Document document = reader.storedFields().document(doc, Set.of(field));
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
   * @return the terms of the text, in their order
   */
  public List<BytesRef> add(String text) throws IOException {
    List<BytesRef> terms = new ArrayList<>();
    analyze(text, (term, surface) -> terms.add(count(term, surface)));
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
   * Analyses the model's words, and notes the term that each becomes.
   *
   * @return by wordpiece; null for what is no word, or becomes none or several terms
   */
  BytesRef[] addVocabulary(SemanticBM25Model model) throws IOException {
    BytesRef[] pieceTerms = new BytesRef[model.size()];
    Set<Integer> ambiguous = new HashSet<>();
    for (int i = 0; i < pieceTerms.length; i++) {
      int piece = i;
      if (model.startsWord(i)) {
        analyze(
            model.piece(i),
            (term, surface) -> {
              if (pieceTerms[piece] != null) {
                ambiguous.add(piece);
              }
              pieceTerms[piece] = BytesRef.deepCopyOf(term);
            });
      }
      if (ambiguous.contains(i)) {
        pieceTerms[i] = null;
      } else if (pieceTerms[i] != null) {
        // vocabularies begin with the frequent words
        vocabulary.putIfAbsent(pieceTerms[i], model.piece(i));
      }
    }
    return pieceTerms;
  }

  /** Whether a form is one that a model knows more about than its letters: digits are not. */
  public static boolean isWord(String form) {
    return form.length() > 1
        && form.chars().allMatch(c -> Character.isLetter(c) || c == '-' || c == '\'');
  }

  /** The most frequent form of a term in the texts, else the model's, else the term. */
  public String of(BytesRef term) {
    Forms forms = stored.get(term);
    if (forms == null) {
      String word = vocabulary.get(term);
      return word != null ? word : Term.toString(term);
    }
    String best = null;
    for (Map.Entry<String, Integer> form : forms.counts.entrySet()) {
      int more = best == null ? 1 : form.getValue() - forms.counts.get(best);
      if (more > 0 || (more == 0 && form.getKey().compareTo(best) < 0)) {
        best = form.getKey();
      }
    }
    return best;
  }
}
