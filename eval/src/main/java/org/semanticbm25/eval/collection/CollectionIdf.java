package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.similarity.field.SurfaceForms;

/**
 * How frequent terms are in a whole collection, for an index that holds some of its passages only,
 * such as the candidates of a run. A term's share of the passages is the sum of its words' shares,
 * as if no passage had two of them.
 */
public final class CollectionIdf {
  private final Map<BytesRef, Double> shares = new HashMap<>();
  private final long passages;

  /**
   * @param idf natural logarithm of the inverse of a word's share of the passages, by word
   * @param analyzer makes terms of words
   */
  public CollectionIdf(Map<String, Double> idf, Analyzer analyzer) throws IOException {
    SurfaceForms forms = new SurfaceForms(TextIndex.CONTENTS, analyzer);
    for (Map.Entry<String, Double> word : idf.entrySet()) {
      List<BytesRef> terms = forms.add(word.getKey());
      if (terms.size() == 1) {
        shares.merge(terms.getFirst(), Math.exp(-word.getValue()), Double::sum);
      }
    }
    // the rarest word is in one passage
    passages =
        Math.round(
            Math.exp(idf.values().stream().mapToDouble(Double::doubleValue).max().orElse(0)));
  }

  /** Reads lines {@code word<TAB>IDF}. */
  public static Map<String, Double> readTable(Path file) throws IOException {
    Map<String, Double> idf = new HashMap<>();
    TextFile.forEachLine(
        file,
        (line, number) -> {
          String[] columns = line.split("\t", -1);
          try {
            double value = Double.parseDouble(columns[1]);
            if (!(value >= 0 && Double.isFinite(value))) {
              throw new NumberFormatException("not an IDF");
            }
            idf.put(columns[0], value);
          } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
            throw new UserException(
                "%s:%d: not 'word<TAB>IDF': %s".formatted(file, number, line), e);
          }
        });
    if (idf.isEmpty()) {
      throw new UserException(file + ": is empty; give lines 'word<TAB>IDF'");
    }
    return idf;
  }

  /** Searches an index with the statistics of the collection; the mean length is the index's. */
  public IndexSearcher searcher(IndexReader reader) {
    return new IndexSearcher(reader) {
      @Override
      public TermStatistics termStatistics(Term term, int docFreq, long totalTermFreq) {
        Double share = shares.get(term.bytes());
        long frequency = share == null ? docFreq : Math.round(Math.min(1, share) * passages);
        long atLeastOnce = Math.max(1, Math.min(passages, frequency));
        return new TermStatistics(term.bytes(), atLeastOnce, Math.max(atLeastOnce, totalTermFreq));
      }

      @Override
      public @Nullable CollectionStatistics collectionStatistics(String field) throws IOException {
        CollectionStatistics own = super.collectionStatistics(field);
        if (own == null) {
          return null;
        }
        long tokens = own.sumTotalTermFreq() * passages / own.docCount();
        return new CollectionStatistics(field, passages, passages, tokens, passages);
      }
    };
  }
}
