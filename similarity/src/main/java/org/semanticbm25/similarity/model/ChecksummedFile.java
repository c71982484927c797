package org.semanticbm25.similarity.model;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.util.IOUtils;

/**
 * A file of ours in a Lucene {@code Directory}: {@link CodecUtil} header and checksum footer,
 * written whole or not at all, read whole or not at all.
 *
 * @param codec the name in the file's header
 * @param oldest the oldest version that can be read
 * @param version the version written, and the newest that can be read
 * @param what the file is, for messages, as in "semantic BM25 model"
 * @param remedy what to do about a bad file, for messages
 * @lucene.internal
 */
public record ChecksummedFile(String codec, int oldest, int version, String what, String remedy) {

  /** Writes the content between header and footer. */
  @FunctionalInterface
  public interface Writer {
    /**
     * Writes everything.
     *
     * @param out the file after its header
     * @throws IOException if it cannot be written
     */
    void write(DataOutput out) throws IOException;
  }

  /**
   * Reads the content between header and footer.
   *
   * @param <T> what is read
   */
  @FunctionalInterface
  public interface Reader<T> {
    /**
     * Reads everything that was written.
     *
     * @param in the file after its header
     * @param version of the file, in its header
     * @return what the file holds
     * @throws IOException if it cannot be read
     */
    T read(DataInput in, int version) throws IOException;
  }

  /**
   * Writes to a temporary file and moves it over {@code name}, which in an {@code FSDirectory}
   * either keeps its old content or has all of the new one. In other directories an old file is
   * deleted before the move.
   *
   * @param directory to write to
   * @param name of the file
   * @param writer of the content
   * @throws IOException if the file cannot be written; its temporary file is deleted
   */
  public void write(Directory directory, String name, Writer writer) throws IOException {
    String temporary = null;
    try {
      try (IndexOutput out = directory.createTempOutput(name, "writing", IOContext.DEFAULT)) {
        temporary = out.getName();
        CodecUtil.writeHeader(out, codec, version);
        writer.write(out);
        CodecUtil.writeFooter(out);
      }
      directory.sync(List.of(temporary));
      if (!(FilterDirectory.unwrap(directory) instanceof FSDirectory) && exists(directory, name)) {
        // only a file system renames over a file
        directory.deleteFile(name);
      }
      directory.rename(temporary, name);
      directory.syncMetaData();
    } catch (Throwable t) {
      if (temporary != null) {
        IOUtils.deleteFilesIgnoringExceptions(directory, temporary);
      }
      throw t;
    }
  }

  private static boolean exists(Directory directory, String name) throws IOException {
    return Arrays.asList(directory.listAll()).contains(name);
  }

  /**
   * Reads the file and verifies its checksum before anything of it is returned.
   *
   * @param <T> what is read
   * @param directory to read from
   * @param name of the file
   * @param reader of the content
   * @return what the reader returns
   * @throws IOException if the file is missing, of another kind or version, or damaged; the message
   *     names the file and the remedy
   */
  public <T> T read(Directory directory, String name, Reader<T> reader) throws IOException {
    try (IndexInput in = directory.openInput(name, IOContext.READONCE)) {
      if (in.length() < CodecUtil.headerLength(codec) + CodecUtil.footerLength()) {
        throw new CorruptIndexException("only " + in.length() + " bytes", in);
      }
      int found = CodecUtil.checkHeader(in, codec, oldest, version);
      CodecUtil.checksumEntireFile(in);
      return reader.read(in, found);
    } catch (NoSuchFileException | FileNotFoundException e) {
      throw explained(directory, name, "no such " + what, e);
    } catch (IndexFormatTooNewException e) {
      throw explained(directory, name, otherVersion("a newer", e.getVersion()), e);
    } catch (IndexFormatTooOldException e) {
      throw explained(directory, name, otherVersion("an older", e.getVersion()), e);
    } catch (CorruptIndexException | EOFException e) {
      throw explained(directory, name, "no " + what + ", or damaged", e);
    } catch (RuntimeException e) {
      // illegal values under a checksum that fits: not written by us
      throw explained(directory, name, "no valid " + what, e);
    }
  }

  /**
   * Reads the number of things that follow. A file may be crafted, with a checksum that fits: the
   * number is believed only if the rest of the file can hold so many.
   *
   * @param in what a {@link Reader} was given
   * @param bytesEach fewest bytes that one of them takes
   * @return 0 or more
   * @throws IOException if the file cannot hold them
   */
  public static int readSize(DataInput in, int bytesEach) throws IOException {
    int size = in.readVInt();
    long left = in instanceof IndexInput file ? file.length() - file.getFilePointer() : size;
    if (size < 0 || (long) size * bytesEach > left) {
      throw new CorruptIndexException(
          "%s things of %s bytes or more, but %s bytes left".formatted(size, bytesEach, left),
          in.toString());
    }
    return size;
  }

  /**
   * Reads what {@code DataOutput.writeString} wrote, if it is no longer than the rest of the file.
   *
   * @param in what a {@link Reader} was given
   * @return the string
   * @throws IOException if the file cannot hold it
   */
  public static String readString(DataInput in) throws IOException {
    byte[] utf8 = new byte[readSize(in, 1)];
    in.readBytes(utf8, 0, utf8.length);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /**
   * Reads numbers in Lucene's byte order.
   *
   * @param in what a {@link Reader} was given
   * @param count of them, of which {@link #readSize} has made sure
   * @return the numbers
   * @throws IOException if the file ends before
   */
  public static float[] readFloats(DataInput in, int count) throws IOException {
    float[] numbers = new float[count];
    in.readFloats(numbers, 0, count);
    return numbers;
  }

  /**
   * Reads a file that is a resource of a class.
   *
   * @param <T> what is read
   * @param in all bytes of the file
   * @param reader of the content
   * @return what the reader returns
   * @throws IOException as {@link #read(Directory, String, Reader)}
   */
  public <T> T read(InputStream in, Reader<T> reader) throws IOException {
    String name = "resource";
    byte[] bytes = in.readAllBytes();
    try (Directory memory = new ByteBuffersDirectory()) {
      try (IndexOutput out = memory.createOutput(name, IOContext.DEFAULT)) {
        out.writeBytes(bytes, bytes.length);
      }
      return read(memory, name, reader);
    }
  }

  private String otherVersion(String kind, Integer found) {
    return "%s of %s version, %s; this release reads %s"
        .formatted(what, kind, found, oldest == version ? version : oldest + " to " + version);
  }

  private IOException explained(Directory directory, String name, String problem, Exception cause) {
    String place =
        directory instanceof FSDirectory fs ? fs.getDirectory().resolve(name).toString() : name;
    return new IOException(place + ": " + problem + "; " + remedy, cause);
  }
}
