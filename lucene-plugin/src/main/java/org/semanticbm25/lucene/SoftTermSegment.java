package org.semanticbm25.lucene;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.LogDocMergePolicy;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.Bits;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.similarity.field.SoftTermFields;
import org.semanticbm25.similarity.model.SoftFrequencies;

/**
 * Writes the soft fields of a segment as an index of its own: one segment, with the same documents
 * in the same order. Goes on with what is there.
 */
final class SoftTermSegment {
  private static final int DOCUMENTS_AT_ONCE = 256;
  private static final int CHARACTERS_AT_ONCE = 1 << 20;

  private final SoftTermFields fields;
  private final SoftFrequencyEncoder encoder;
  private final Progress progress;
  private final Duration betweenCommits;

  SoftTermSegment(
      SoftTermFields fields,
      SoftFrequencyEncoder encoder,
      Progress progress,
      Duration betweenCommits) {
    this.fields = fields;
    this.encoder = encoder;
    this.progress = progress;
    this.betweenCommits = betweenCommits;
  }

  /**
   * Writes what is missing.
   *
   * @param documents of all segments, for the progress
   */
  void write(
      LeafReaderContext leaf, PassageSource.Passages passages, int documents, Directory directory)
      throws IOException {
    IndexWriterConfig config =
        new IndexWriterConfig()
            // of the segment, which it is read beside
            .setIndexCreatedVersionMajor(leaf.reader().getMetaData().createdVersionMajor())
            // merges neighbours, so that documents stay in order
            .setMergePolicy(new LogDocMergePolicy())
            .setMergeScheduler(new SerialMergeScheduler())
            .setCommitOnClose(false);
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      long lastCommit = System.nanoTime();
      int doc = writer.getDocStats().maxDoc;
      while (doc < leaf.reader().maxDoc()) {
        List<@Nullable String> texts = texts(leaf, passages, doc);
        // before: one text can take minutes
        progress.report("enriching", (long) leaf.docBase + doc, documents);
        add(writer, texts);
        doc += texts.size();
        if (System.nanoTime() - lastCommit >= betweenCommits.toNanos()) {
          writer.commit();
          lastCommit = System.nanoTime();
        }
      }
      progress.report("enriching", (long) leaf.docBase + doc, documents);
      writer.forceMerge(1);
      writer.commit();
    }
  }

  /** Texts of the next documents; null for one that is deleted or has none. */
  private static List<@Nullable String> texts(
      LeafReaderContext leaf, PassageSource.Passages passages, int first) throws IOException {
    Bits live = leaf.reader().getLiveDocs();
    int end = Math.min(first + DOCUMENTS_AT_ONCE, leaf.reader().maxDoc());
    List<@Nullable String> texts = new ArrayList<>();
    long characters = 0;
    for (int doc = first; doc < end && characters < CHARACTERS_AT_ONCE; doc++) {
      String text = live == null || live.get(doc) ? passages.text(doc) : null;
      texts.add(text == null || text.isBlank() ? null : text);
      characters += text == null ? 0 : text.length();
    }
    return texts;
  }

  private void add(IndexWriter writer, List<@Nullable String> texts) throws IOException {
    List<String> encoded = new ArrayList<>();
    for (String text : texts) {
      if (text != null) {
        encoded.add(text);
      }
    }
    List<SoftFrequencies> found = encoder.encode(encoded);
    int next = 0;
    for (String text : texts) {
      writer.addDocument(text == null ? List.of() : fields.of(text, found.get(next++)));
    }
  }
}
