package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.LockObtainFailedException;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.IOConsumer;
import org.semanticbm25.eval.UserException;

/** The Lucene index of a text collection: an id and the contents of each passage, both stored. */
public final class TextIndex {
  /** The field of the passage's id. */
  public static final String ID = "id";

  /** The field of the passage's title and text. */
  public static final String CONTENTS = "contents";

  private static final String WRITING = ".writing-";
  private static final String UUIDS = "[0-9a-f-]{36}";

  private TextIndex() {}

  /** Hands passages to a consumer, one by one. */
  @FunctionalInterface
  public interface Source {
    /** Hands out all passages. */
    void forEach(IOConsumer<Passage> consumer) throws IOException;
  }

  /**
   * Builds an index in a temporary folder and moves it to its place when it is complete.
   *
   * @param target a folder that does not exist yet, or is empty
   * @return the number of passages
   * @throws UserException if there is something at the target
   */
  public static int create(Path target, Analyzer analyzer, Source source) throws IOException {
    if (Files.exists(target) && !isEmptyFolder(target)) {
      throw new UserException(target + ": exists; delete it, or give another folder");
    }
    Path parent =
        Objects.requireNonNull(target.toAbsolutePath().getParent(), "of a folder to be made");
    Files.createDirectories(parent);
    String writing = target.getFileName() + WRITING;
    deleteLeft(parent, writing);
    // with the rights of any new folder, which a temporary one has not
    Path temporary = Files.createDirectory(parent.resolve(writing + UUID.randomUUID()));
    try {
      int count;
      try (Directory directory = FSDirectory.open(temporary)) {
        count = write(directory, analyzer, source);
      }
      Files.deleteIfExists(target);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      return count;
    } catch (Throwable t) {
      deleteFolder(temporary);
      throw t;
    }
  }

  /** Deletes what processes left that were killed as they indexed for the same target. */
  private static void deleteLeft(Path parent, String writing) throws IOException {
    Instant old = Instant.now().minus(Duration.ofMinutes(1));
    try (DirectoryStream<Path> folders =
        Files.newDirectoryStream(
            parent,
            file -> file.getFileName().toString().matches(Pattern.quote(writing) + UUIDS))) {
      for (Path folder : folders) {
        if (Files.getLastModifiedTime(folder).toInstant().isBefore(old)
            && !isBeingWritten(folder)) {
          deleteFolder(folder);
        }
      }
    }
  }

  private static boolean isBeingWritten(Path folder) throws IOException {
    try (Directory directory = FSDirectory.open(folder)) {
      directory.obtainLock(IndexWriter.WRITE_LOCK_NAME).close();
      return false;
    } catch (LockObtainFailedException e) {
      return true;
    }
  }

  private static boolean isEmptyFolder(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.findAny().isEmpty();
    }
  }

  private static void deleteFolder(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> entries = Files.list(folder)) {
      files = new ArrayList<>(entries.toList());
    }
    files.add(folder);
    for (Path file : files) {
      Files.delete(file);
    }
  }

  /**
   * The ids of all passages by document: {@code document N} for one without an id, and {@code id
   * #N} for one that has the id of an earlier one.
   */
  public static String[] ids(IndexReader reader) throws IOException {
    String[] ids = new String[reader.maxDoc()];
    Set<String> known = new HashSet<>();
    for (LeafReaderContext leaf : reader.leaves()) {
      BinaryDocValues values = leaf.reader().getBinaryDocValues(ID);
      StoredFields stored = leaf.reader().storedFields();
      for (int doc = 0; doc < leaf.reader().maxDoc(); doc++) {
        // an index of an earlier release has the stored field only
        String id =
            values == null
                ? stored.document(doc, Set.of(ID)).get(ID)
                : values.advanceExact(doc) ? values.binaryValue().utf8ToString() : null;
        int global = leaf.docBase + doc;
        boolean live = leaf.reader().getLiveDocs() == null || leaf.reader().getLiveDocs().get(doc);
        if (id == null || !live) {
          ids[global] = "document " + global;
        } else {
          ids[global] = known.add(id) ? id : id + " #" + global;
        }
      }
    }
    return ids;
  }

  /** How many of some passages an index has. */
  public static int count(IndexReader reader, Set<String> ids) throws IOException {
    int count = 0;
    for (String id : ids) {
      count += reader.docFreq(new Term(ID, id)) > 0 ? 1 : 0;
    }
    return count;
  }

  /** Writes an index of one segment, so that its scores do not hang on how it was merged. */
  public static int write(Directory directory, Analyzer analyzer, Source source)
      throws IOException {
    int[] count = new int[1];
    try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer))) {
      source.forEach(
          passage -> {
            Document document = new Document();
            document.add(new StringField(ID, passage.id(), Field.Store.YES));
            document.add(new BinaryDocValuesField(ID, new BytesRef(passage.id())));
            document.add(new TextField(CONTENTS, passage.contents(), Field.Store.YES));
            writer.addDocument(document);
            count[0]++;
          });
      writer.forceMerge(1);
    }
    return count[0];
  }
}
