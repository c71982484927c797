package org.semanticbm25.eval.compare;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.lucene.PassageSource;

/**
 * What systems are compared on: an index, and queries with or without judgements.
 *
 * @param dataset queries, and judgements unless there are none
 * @param allQueries how many queries there were before some were taken
 * @param reader of the index, enriched if contextual soft terms are compared
 * @param field that is searched
 * @param analyzer of the field
 * @param passages the text of each document
 * @param firstPass a run that is reranked in place of BM25's hits; null for these
 * @param documents by id
 */
public record Subject(
    Dataset dataset,
    int allQueries,
    DirectoryReader reader,
    String field,
    Analyzer analyzer,
    PassageSource passages,
    @Nullable Run firstPass,
    Map<String, Integer> documents) {

  /** Reads the ids from the index. */
  public static Subject of(
      Dataset dataset,
      int allQueries,
      DirectoryReader reader,
      String field,
      Analyzer analyzer,
      @Nullable Run firstPass)
      throws IOException {
    Map<String, Integer> documents = new HashMap<>();
    String[] ids = TextIndex.ids(reader);
    for (int doc = 0; doc < ids.length; doc++) {
      documents.put(ids[doc], doc);
    }
    return new Subject(
        dataset,
        allQueries,
        reader,
        field,
        analyzer,
        PassageSource.storedFields(field),
        firstPass,
        documents);
  }

  /** Whether there are judgements. */
  public boolean isJudged() {
    return !dataset.qrels().isEmpty();
  }
}
