package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.IOUtils;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;

/**
 * The indexes of collections in a folder, made at the first use.
 *
 * @param folder of all indexes
 */
public record CollectionIndexes(Path folder) {

  /** An index that is open for reading. */
  public record OpenIndex(Path place, DirectoryReader reader) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      IOUtils.close(reader, reader.directory());
    }
  }

  /**
   * Indexes a collection, or finds the index that an earlier call made of the same, and opens it.
   *
   * @param fingerprint of the content that is indexed
   */
  public OpenIndex open(String name, String fingerprint, Analyzer analyzer, TextIndex.Source source)
      throws IOException {
    Path index = folder.resolve(name + "-" + fingerprint.substring(0, 12));
    if (!Files.exists(index)) {
      Terminal.say("indexing %s to %s", name, index);
      TextIndex.create(index, analyzer, source);
    }
    return new OpenIndex(index, openIndex(index));
  }

  /** Opens a user's index for reading only. */
  public static DirectoryReader openIndex(Path index) throws IOException {
    if (!Files.isDirectory(index)) {
      throw new UserException(index + ": no such folder; make an index with 'sbm25 index'");
    }
    Directory directory = FSDirectory.open(index);
    try {
      return DirectoryReader.open(directory);
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
}
