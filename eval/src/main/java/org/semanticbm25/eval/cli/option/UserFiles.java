package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.NIOFSDirectory;
import org.semanticbm25.eval.UserException;

/** Files that a user names, read and written through Lucene. */
public final class UserFiles {
  private UserFiles() {}

  /** Refuses a file that is not there: opening a folder through Lucene would create it. */
  public static void requireFile(Path file, String remedy) throws UserException {
    if (!Files.isRegularFile(file)) {
      throw new UserException(file + ": no such file; " + remedy);
    }
  }

  /** Refuses a file that could not be written when the work is done. */
  public static void requireWritable(Path file) throws UserException {
    if (Files.isDirectory(file)) {
      throw new UserException(file + ": is a folder; give a file");
    }
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      requireWritableFolder(folder);
    }
  }

  /** Refuses a folder, which may not be there yet, that could not be written to. */
  public static void requireWritableFolder(Path folder) throws UserException {
    Path existing = folder.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (existing != null && !Files.isDirectory(existing)) {
      throw new UserException(existing + ": is not a folder; give another place");
    }
    if (existing != null && !Files.isWritable(existing)) {
      throw new UserException(existing + ": permission denied; give another place");
    }
  }

  /** The folder of a file. */
  public static Directory folderOf(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new UserException(file + ": is a folder; give a file");
    }
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new UserException(folder + ": is not a folder; give another place");
    }
    return new NIOFSDirectory(folder);
  }

  /** The name of a file in its folder. */
  public static String name(Path file) {
    return Objects.toString(file.getFileName(), "");
  }
}
