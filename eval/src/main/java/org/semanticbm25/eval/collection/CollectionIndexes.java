package org.semanticbm25.eval.collection;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.SoftDeletesDirectoryReaderWrapper;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;

/**
 * The indexes of collections in a folder, made at the first use.
 *
 * @param folder of all indexes
 */
public record CollectionIndexes(Path folder) {
  private static final String LUCENE = "org.apache.lucene.analysis.";

  /** An index that is open for reading. */
  public record OpenIndex(Path place, DirectoryReader reader) implements Closeable {
    @Override
    public void close() throws IOException {
      IOUtils.close(reader, reader.directory());
    }
  }

  /**
   * Indexes a collection, or finds the index that an earlier call made of the same content with the
   * same analyzer, under whatever name, and opens it.
   *
   * @param name for messages
   * @param fingerprint of the content that is indexed
   */
  public OpenIndex open(String name, String fingerprint, Analyzer analyzer, TextIndex.Source source)
      throws IOException {
    String type = analyzer.getClass().getName();
    // another one may have the simple name of one of Lucene's
    String analysis = type.startsWith(LUCENE) ? analyzer.getClass().getSimpleName() : type;
    Path index = folder.resolve(fingerprint.substring(0, 12) + "-" + analysis);
    if (!Files.exists(index)) {
      Terminal.say("indexing %s to %s", name, index);
      try {
        TextIndex.create(index, analyzer, source);
      } catch (FileSystemException e) {
        // another process may have been faster
        if (!Files.exists(index)) {
          throw e;
        }
      }
    }
    return new OpenIndex(index, openIndex(index));
  }

  /** Opens a user's index for reading only, without documents that are softly deleted. */
  public static DirectoryReader openIndex(Path index) throws IOException {
    if (!Files.isDirectory(index)) {
      throw new UserException(index + ": no such folder; make an index with 'sbm25 index'");
    }
    Directory directory = FSDirectory.open(index);
    try {
      DirectoryReader reader = DirectoryReader.open(directory);
      String softDeletes = softDeletesField(reader);
      return softDeletes == null
          ? reader
          : new SoftDeletesDirectoryReaderWrapper(reader, softDeletes);
    } catch (IndexFormatTooOldException e) {
      IOUtils.closeWhileHandlingException(directory);
      throw new UserException(
          index + ": written by a release of Lucene that is too old to be read; index it anew", e);
    } catch (IndexNotFoundException e) {
      IOUtils.closeWhileHandlingException(directory);
      throw new UserException(index + ": no Lucene index there; make one with 'sbm25 index'", e);
    } catch (CorruptIndexException e) {
      IOUtils.closeWhileHandlingException(directory);
      throw new UserException(index + ": the index is damaged; make it anew", e);
    } catch (IOException | RuntimeException e) {
      IOUtils.closeWhileHandlingException(directory);
      throw e;
    }
  }

  private static @Nullable String softDeletesField(DirectoryReader reader) {
    for (LeafReaderContext leaf : reader.leaves()) {
      String field = leaf.reader().getFieldInfos().getSoftDeletesField();
      if (field != null) {
        return field;
      }
    }
    return null;
  }
}
