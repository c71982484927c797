package org.semanticbm25.eval.collection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.TermStatistics;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.eval.collection.Run.Hit;

class CollectionIdfTest {
  private static final int PASSAGES = 1_000_000;

  @TempDir Path folder;
  private final Analyzer analyzer = new EnglishAnalyzer();
  private DirectoryReader reader;
  private IndexSearcher searcher;

  @BeforeEach
  void index() throws IOException {
    Path index = folder.resolve("index");
    TextIndex.create(
        index,
        analyzer,
        passages -> {
          passages.accept(new Passage("d1", "", "laptop laptop computer"));
          passages.accept(new Passage("d2", "", "laptops for running"));
          passages.accept(new Passage("d3", "", "unheard laptop"));
        });
    reader = CollectionIndexes.openIndex(index);
    Map<String, Double> idf = new LinkedHashMap<>();
    idf.put("laptop", Math.log(PASSAGES / 300d));
    idf.put("laptops", Math.log(PASSAGES / 100d));
    idf.put("computer", Math.log(PASSAGES / 50_000d));
    idf.put("running", Math.log(2));
    idf.put("runs", Math.log(1.5));
    idf.put("rarest", Math.log(PASSAGES));
    searcher = new CollectionIdf(idf, analyzer).searcher(reader);
  }

  @AfterEach
  void close() throws IOException {
    reader.close();
  }

  private long documents(String term, int inIndex) throws IOException {
    TermStatistics statistics =
        searcher.termStatistics(new Term(TextIndex.CONTENTS, term), inIndex, inIndex);
    assertTrue(statistics.totalTermFreq() >= statistics.docFreq());
    return statistics.docFreq();
  }

  @Test
  void frequenciesAreThoseOfTheCollection() throws IOException {
    assertEquals(400, documents("laptop", 3), "both forms");
    assertEquals(50_000, documents("comput", 1));
    assertEquals(PASSAGES, documents("run", 1), "no more than all");
    assertEquals(1, documents("unheard", 1), "what the table does not have is as rare as here");
    assertEquals(PASSAGES, searcher.collectionStatistics(TextIndex.CONTENTS).docCount());
    double length =
        (double) searcher.collectionStatistics(TextIndex.CONTENTS).sumTotalTermFreq() / PASSAGES;
    assertEquals(7 / 3d, length, 1e-5, "'for' is a stop word");
  }

  /** In the index "laptop" is everywhere and tells nothing; in the collection it is rare. */
  @Test
  void reranksByTheCollectionsStatistics() throws IOException {
    Run first = new Run(Map.of("q", List.of(new Hit("d3", 3), new Hit("d2", 2), new Hit("d1", 1))));
    Run second =
        RankingSystem.bm25(searcher, TextIndex.CONTENTS, analyzer, 0.9f, 0.4f)
            .rerank(first, Map.of("q", "computer laptop"));
    List<Hit> hits = second.hits().get("q");
    assertEquals(List.of("d1", "d3", "d2"), hits.stream().map(Hit::id).toList());
    double idf = Math.log(1 + (PASSAGES - 400 + 0.5) / 400.5);
    assertEquals(idf / (1 + 0.9 * (0.6 + 0.4 * 2 / (7 / 3d))), hits.get(1).score(), 1e-3);
    Run none =
        RankingSystem.bm25(searcher, TextIndex.CONTENTS, analyzer, 0.9f, 0.4f)
            .rerank(first, Map.of("q", "banana"));
    assertEquals(
        List.of("d3", "d2", "d1"),
        none.hits().get("q").stream().map(Hit::id).toList(),
        "what does not match keeps its order");
  }
}
