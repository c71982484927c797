package org.semanticbm25.eval.latency;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.util.List;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;

class TimedSearchTest {
  private final Query query = new TermQuery(new Term("body", "red"));

  @Test
  void aFilterTakesHitsAndScoresNothing() throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, new IndexWriterConfig(new WhitespaceAnalyzer()))) {
        for (String text : List.of("red fruit", "red car", "car")) {
          Document document = new Document();
          document.add(new TextField("body", text, Field.Store.NO));
          writer.addDocument(document);
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        IndexSearcher searcher = new IndexSearcher(reader);
        TimedSearch cars = new TimedSearch("cars", 10, new TermQuery(new Term("body", "car")));
        ScoreDoc[] hits = searcher.search(cars.filtered(query), cars.hits()).scoreDocs;
        assertEquals(1, hits.length);
        assertEquals(1, hits[0].doc);
        assertEquals(searcher.explain(query, 1).getValue().floatValue(), hits[0].score);
      }
    }
  }

  @Test
  void withoutAFilterTheQueryStays() {
    assertSame(query, TimedSearch.top(10).filtered(query));
    assertEquals("top 10", TimedSearch.top(10).name());
  }
}
