package org.semanticbm25.lucene;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.IndexCommit;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.ParallelLeafReader;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.index.SlowCodecReaderWrapper;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.IOUtils;
import org.apache.lucene.util.StringHelper;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SoftTermFields;

/**
 * Copies an index and adds soft term frequencies to it: a field {@link ContextualField#softField},
 * which {@link ContextualField#query} searches. The copy has the segments of the index with all
 * their fields, postings, stored values, doc values, points and vectors, its sort, soft deletes and
 * commit data; deleted documents are left out. The index is only read.
 *
 * <p>The work is in a folder beside the copy's, {@code TARGET.enriching}, and is committed twice a
 * minute. When it was stopped, by whatever, the same call goes on where it was. The copy appears at
 * its place when it is complete.
 *
 * <p>Not thread-safe.
 *
 * @lucene.experimental
 */
public final class IndexEnricher {
  /** What the commit data of a copy says of the index it was made of. */
  public static final String ORIGIN = "semanticbm25.enriched";

  private static final String SEGMENTS = "semanticbm25.enriched.segments";
  private static final String WORK = ".enriching";
  private static final int LOOKED_AT = 1000;
  private static final int CHECKED_TERMS = 200;

  private final SoftTermFields fields;
  private final PassageSource passages;
  private final SoftFrequencyEncoder encoder;
  private final Progress progress;
  private final Duration betweenCommits;

  /**
   * Prepares the work.
   *
   * @param fields makes what is added
   * @param passages where the texts come from
   * @param encoder of the same model as {@code fields}
   * @param progress notified of the documents that are done
   */
  public IndexEnricher(
      SoftTermFields fields,
      PassageSource passages,
      SoftFrequencyEncoder encoder,
      Progress progress) {
    this(fields, passages, encoder, progress, Duration.ofSeconds(30));
  }

  /** Commits the work less or more often. */
  IndexEnricher(
      SoftTermFields fields,
      PassageSource passages,
      SoftFrequencyEncoder encoder,
      Progress progress,
      Duration betweenCommits) {
    this.fields = fields;
    this.passages = passages;
    this.encoder = encoder;
    this.progress = progress;
    this.betweenCommits = betweenCommits;
  }

  /**
   * Makes the copy, or goes on with it.
   *
   * @param source folder of a Lucene index
   * @param target folder of the copy; must not exist
   * @throws IllegalArgumentException if the index has soft frequencies already, if no text can be
   *     read, or if the analyzer does not make the terms of the field; nothing is written then
   * @throws IOException if something is at the target, if what was begun there is of another state
   *     of the index or other settings, if reading or writing fails, or if the encoder does
   */
  public void enrich(Path source, Path target) throws IOException {
    if (Files.exists(target)) {
      throw new FileAlreadyExistsException(target.toString(), null, "exists; give another place");
    }
    if (!Files.isDirectory(source)) {
      throw new NoSuchFileException(
          source.toString(), null, "no such folder; give one with a Lucene index");
    }
    Path work = target.resolveSibling(target.getFileName() + WORK);
    try (Directory directory = FSDirectory.open(source);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      checkFields(source, reader);
      checkTexts(source, reader);
      write(reader, work);
      Files.move(work.resolve("index"), target, StandardCopyOption.ATOMIC_MOVE);
      IOUtils.rm(work);
    }
  }

  private void checkFields(Path source, DirectoryReader reader) {
    String soft = fields.field().softField();
    if (FieldInfos.getMergedFieldInfos(reader).fieldInfo(soft) != null) {
      throw new IllegalArgumentException(
          "%s: has a field '%s' already; enrich the index that it was made of"
              .formatted(source, soft));
    }
  }

  /** Analyses some texts of documents that have the field, which must have most of their terms. */
  private void checkTexts(Path source, DirectoryReader reader) throws IOException {
    String field = fields.field().textField();
    int documents = 0;
    int terms = 0;
    int known = 0;
    for (LeafReaderContext leaf : reader.leaves()) {
      PassageSource.Passages texts = passages.open(leaf);
      Bits live = leaf.reader().getLiveDocs();
      DocIdSetIterator withField = withField(leaf.reader(), field);
      for (int doc = withField.nextDoc();
          doc != DocIdSetIterator.NO_MORE_DOCS && documents < LOOKED_AT && terms < CHECKED_TERMS;
          doc = withField.nextDoc()) {
        if (live != null && !live.get(doc)) {
          continue;
        }
        documents++;
        String text = texts.text(doc);
        List<BytesRef> made = text == null ? List.of() : fields.field().terms(text);
        terms += made.size();
        known += known(leaf.reader(), field, made);
      }
    }
    if (terms == 0 && reader.numDocs() > 0) {
      throw new IllegalArgumentException(
          "%s: no text found for field '%s' in %s documents; it must be stored, or in doc values or term vectors"
              .formatted(source, field, documents));
    }
    if (2 * known < terms) {
      throw new IllegalArgumentException(
          "%s: field '%s' has only %s of %s terms that the analyzer makes of its texts; give the analyzer it was indexed with"
              .formatted(source, field, known, terms));
    }
  }

  /** The documents that have an indexed field; all of a segment that has it without norms. */
  private static DocIdSetIterator withField(LeafReader reader, String field) throws IOException {
    FieldInfo info = reader.getFieldInfos().fieldInfo(field);
    if (info == null || info.getIndexOptions() == IndexOptions.NONE) {
      return DocIdSetIterator.empty();
    }
    NumericDocValues norms = reader.getNormValues(field);
    return norms != null ? norms : DocIdSetIterator.all(reader.maxDoc());
  }

  private static int known(LeafReader reader, String field, List<BytesRef> terms)
      throws IOException {
    if (reader.terms(field) == null) {
      return 0;
    }
    TermsEnum all = reader.terms(field).iterator();
    int known = 0;
    for (BytesRef term : terms) {
      known += all.seekExact(term) ? 1 : 0;
    }
    return known;
  }

  private void write(DirectoryReader reader, Path work) throws IOException {
    IndexCommit commit = reader.getIndexCommit();
    SegmentInfos infos = SegmentInfos.readCommit(reader.directory(), commit.getSegmentsFileName());
    String origin = StringHelper.idToString(infos.getId()) + ", " + fields;
    try (Directory directory = FSDirectory.open(work.resolve("index"));
        IndexWriter writer = new IndexWriter(directory, config(reader, infos))) {
      Map<String, String> begun = begun(writer);
      int done = 0;
      if (begun.isEmpty()) {
        // before there is work, so that it is known what it is of
        IOUtils.rm(softTerms(work, 0));
        commit(writer, commit.getUserData(), origin, 0);
      } else {
        done = done(begun, work, origin);
      }
      for (LeafReaderContext leaf : reader.leaves().subList(done, reader.leaves().size())) {
        Path softTerms = softTerms(work, leaf.ord);
        add(writer, leaf, reader.maxDoc(), softTerms);
        commit(writer, commit.getUserData(), origin, leaf.ord + 1);
        IOUtils.rm(softTerms);
      }
    }
  }

  private static Path softTerms(Path work, int segment) {
    return work.resolve("soft-" + segment);
  }

  private static IndexWriterConfig config(DirectoryReader reader, SegmentInfos infos) {
    IndexWriterConfig config =
        new IndexWriterConfig()
            .setIndexCreatedVersionMajor(infos.getIndexCreatedVersionMajor())
            // a segment for each of the index
            .setMergePolicy(NoMergePolicy.INSTANCE)
            // what was not finished is not kept
            .setCommitOnClose(false);
    for (LeafReaderContext leaf : reader.leaves()) {
      FieldInfos fields = leaf.reader().getFieldInfos();
      if (leaf.reader().getMetaData().sort() != null) {
        config.setIndexSort(leaf.reader().getMetaData().sort());
      }
      if (fields.getSoftDeletesField() != null) {
        config.setSoftDeletesField(fields.getSoftDeletesField());
      }
      if (fields.getParentField() != null) {
        config.setParentField(fields.getParentField());
      }
    }
    return config;
  }

  /** What an earlier call has committed; empty if there was none. */
  private static Map<String, String> begun(IndexWriter writer) {
    Map<String, String> data = new HashMap<>();
    if (writer.getLiveCommitData() != null) {
      writer.getLiveCommitData().forEach(entry -> data.put(entry.getKey(), entry.getValue()));
    }
    return data;
  }

  /** Segments that an earlier call has finished. */
  private static int done(Map<String, String> data, Path work, String origin) throws IOException {
    if (!origin.equals(data.get(ORIGIN))) {
      throw new IOException(
          "%s: was begun from another state of the index or with other settings (%s, now %s); delete it"
              .formatted(work, data.get(ORIGIN), origin));
    }
    return Integer.parseInt(data.get(SEGMENTS));
  }

  private void add(IndexWriter writer, LeafReaderContext leaf, int documents, Path folder)
      throws IOException {
    try (Directory directory = FSDirectory.open(folder)) {
      new SoftTermSegment(fields, encoder, progress, betweenCommits)
          .write(leaf, passages.open(leaf), documents, directory);
      try (DirectoryReader soft = DirectoryReader.open(directory);
          ParallelLeafReader both =
              new ParallelLeafReader(false, leaf.reader(), soft.leaves().getFirst().reader())) {
        writer.addIndexes(SlowCodecReaderWrapper.wrap(both));
      }
    }
  }

  private static void commit(
      IndexWriter writer, Map<String, String> userData, String origin, int segments)
      throws IOException {
    Map<String, String> data = new HashMap<>(userData);
    data.put(ORIGIN, origin);
    data.put(SEGMENTS, Integer.toString(segments));
    writer.setLiveCommitData(data.entrySet());
    writer.commit();
  }
}
