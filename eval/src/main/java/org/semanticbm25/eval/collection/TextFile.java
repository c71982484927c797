package org.semanticbm25.eval.collection;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.semanticbm25.eval.UserException;

/**
 * Reads the lines of a text file that a user gives: UTF-8, with or without a byte order mark, plain
 * or compressed with gzip. A line ends with a line feed, perhaps after a carriage return.
 */
public final class TextFile {
  private static final char BYTE_ORDER_MARK = '\ufeff';
  private static final int GZIP = 0x1f8b;
  private static final int UTF_16_BIG = 0xfeff;
  private static final int UTF_16_LITTLE = 0xfffe;

  private TextFile() {}

  /** Takes a line and its number, from 1. */
  @FunctionalInterface
  public interface LineConsumer {
    /** Takes the line. */
    void accept(String line, int number) throws IOException;
  }

  /**
   * Reads all lines that are not blank.
   *
   * @throws UserException if the file is missing, or is not UTF-8 text; the message says what to do
   */
  public static void forEachLine(Path file, LineConsumer consumer) throws IOException {
    try (Reader reader = open(file)) {
      StringBuilder line = new StringBuilder();
      char[] buffer = new char[1 << 14];
      int number = 1;
      for (int read = reader.read(buffer); read >= 0; read = reader.read(buffer)) {
        int start = 0;
        for (int i = 0; i < read; i++) {
          if (buffer[i] == '\n') {
            line.append(buffer, start, i - start);
            accept(line, number++, consumer);
            start = i + 1;
          }
        }
        line.append(buffer, start, read - start);
      }
      accept(line, number, consumer);
    } catch (IOException e) {
      throw explained(file, e);
    }
  }

  /**
   * Reads the whole text.
   *
   * @throws UserException as {@link #forEachLine}
   */
  public static String read(Path file) throws IOException {
    try (Reader reader = open(file)) {
      StringWriter text = new StringWriter();
      reader.transferTo(text);
      String all = text.toString();
      return !all.isEmpty() && all.charAt(0) == BYTE_ORDER_MARK ? all.substring(1) : all;
    } catch (IOException e) {
      throw explained(file, e);
    }
  }

  private static IOException explained(Path file, IOException e) {
    return switch (e) {
      case NoSuchFileException missing -> new UserException(file + ": no such file", missing);
      case CharacterCodingException other ->
          new UserException(file + ": not UTF-8 text; convert it to UTF-8", other);
      case ZipException damaged ->
          new UserException(file + ": a damaged gzip file; fetch it again", damaged);
      case EOFException cut ->
          new UserException(file + ": a gzip file without its end; fetch it again", cut);
      default -> e;
    };
  }

  /** Hands out what has been collected, and begins a new line. */
  private static void accept(StringBuilder collected, int number, LineConsumer consumer)
      throws IOException {
    int start =
        number == 1 && !collected.isEmpty() && collected.charAt(0) == BYTE_ORDER_MARK ? 1 : 0;
    int end = collected.length();
    if (end > start && collected.charAt(end - 1) == '\r') {
      end--;
    }
    String line = collected.substring(start, end);
    collected.setLength(0);
    if (!line.isBlank()) {
      consumer.accept(line, number);
    }
  }

  private static Reader open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new UserException(file + ": is a folder; give a file");
    }
    InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      in.mark(2);
      int first = in.read() << 8 | in.read();
      in.reset();
      if (first == UTF_16_BIG || first == UTF_16_LITTLE) {
        throw new UserException(file + ": is UTF-16; convert it to UTF-8");
      }
      // a decoder of its own reports what is not UTF-8; a named charset would replace it
      return new InputStreamReader(
          first == GZIP ? new GZIPInputStream(in, 1 << 16) : in,
          StandardCharsets.UTF_8.newDecoder());
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }
}
