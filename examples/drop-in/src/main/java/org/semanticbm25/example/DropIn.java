package org.semanticbm25.example;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.similarity.field.SemanticField;

/** Searches an index that exists and was never prepared: {@code DropIn INDEX FIELD QUERY}. */
public final class DropIn {
  private DropIn() {}

  /**
   * Prints the best ten hits.
   *
   * @param args a folder with a Lucene index, a text field of it, and what to search for
   * @throws IOException if the index cannot be read
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 3) {
      System.err.println("usage: DropIn INDEX FIELD QUERY");
      System.exit(2);
    }
    Analyzer analyzer = new EnglishAnalyzer();
    SemanticField field = SemanticField.of(EnglishModel.load(), args[1], analyzer);
    try (Directory directory = FSDirectory.open(Path.of(args[0]));
        DirectoryReader reader = DirectoryReader.open(directory)) {
      IndexSearcher searcher = new IndexSearcher(reader);
      searcher.setSimilarity(field.similarity());
      for (ScoreDoc hit : searcher.search(field.query(args[2]), 10).scoreDocs) {
        System.out.printf("%8.4f  document %d%n", hit.score, hit.doc);
      }
    }
  }
}
