package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.util.IOUtils;
import org.semanticbm25.lucene.Attacher;

/** How the time of attaching grows with the words that a model does not know. */
public final class AttachGrowth {
  private static final String FIELD = "body";
  private static final int[] TERMS = {1_000, 4_000, 16_000, 64_000};
  private static final int WORDS_OF_A_DOCUMENT = 100;
  private static final int WARM_UP = 1;
  private static final int ROUNDS = 3;

  private AttachGrowth() {}

  /**
   * Attaches indexes of new words, in memory.
   *
   * @param texts where the words come from
   */
  public static List<Growth> measure(Attacher attacher, Analyzer analyzer, GeneratedText texts)
      throws IOException {
    SortedMap<Integer, DirectoryReader> readers = new TreeMap<>();
    try {
      for (int terms : TERMS) {
        readers.put(terms, index(terms, analyzer, texts));
      }
      return List.of(
          Growth.measure(
              "attach",
              "terms",
              readers,
              WARM_UP,
              ROUNDS,
              (reader, round) -> attacher.attach(reader, FIELD, analyzer, 1)));
    } finally {
      IOUtils.close(readers.values());
    }
  }

  private static DirectoryReader index(int terms, Analyzer analyzer, GeneratedText texts)
      throws IOException {
    Set<String> words = new HashSet<>();
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer))) {
      StringBuilder text = new StringBuilder();
      while (words.size() < terms) {
        String word = texts.newWord();
        if (words.add(word)) {
          text.append(word).append(' ');
        }
        if (words.size() % WORDS_OF_A_DOCUMENT == 0 && !text.isEmpty()) {
          Document document = new Document();
          document.add(new TextField(FIELD, text.toString(), Field.Store.YES));
          writer.addDocument(document);
          text.setLength(0);
        }
      }
    }
    return DirectoryReader.open(directory);
  }
}
