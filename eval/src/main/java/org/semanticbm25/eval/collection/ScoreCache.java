package org.semanticbm25.eval.collection;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.onnx.AtomicFile;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.Sha256;

/**
 * Scores of a model by query and passage, in a file of its own. Scores are added at its end, each
 * with a checksum, so that what was written before a process was killed is read by the next. One
 * process writes; another one that comes meanwhile reads what is there. When the file has grown to
 * its limit, the older half goes. Not thread-safe.
 */
public final class ScoreCache implements Closeable {
  /** Most scores that are kept: 24 MB. */
  static final int MAX_SCORES = 1_000_000;

  private static final int RECORD = Long.BYTES + Long.BYTES + Float.BYTES + Integer.BYTES;
  private static final int CHECKED = RECORD - Integer.BYTES;

  /** Half of the SHA-256 of a query and a passage. */
  private record Pair(long high, long low) {}

  private final Path file;
  private final int limit;
  // in the order in which they were added
  private final Map<Pair, Float> scores = new LinkedHashMap<>();
  private final FileChannel lockFile;
  private final @Nullable FileLock lock;
  private @Nullable FileChannel out;

  /**
   * Opens the file of a model, or begins it.
   *
   * @param folder of all models' files; made if there is none
   * @param model that gives the scores
   * @param function what is made of it: nothing for its logit
   */
  public static ScoreCache open(Path folder, NeuralModel model, String function)
      throws IOException {
    StringBuilder all = new StringBuilder(model.sha256() + Digests.sha256(model.tokenizer()));
    for (Path beside : filesBeside(model)) {
      all.append(Digests.sha256(beside));
    }
    String digest = Digests.sha256(all + function);
    return new ScoreCache(folder.resolve(digest.substring(0, 16) + ".scores"), MAX_SCORES);
  }

  /** Settings and weights outside the ONNX file, which scores hang on too. */
  private static List<Path> filesBeside(NeuralModel model) throws IOException {
    try (Stream<Path> weights = Files.list(model.onnx().toAbsolutePath().getParent());
        Stream<Path> settings = Files.list(model.tokenizer().toAbsolutePath().getParent())) {
      return Stream.concat(
              weights.filter(file -> file.toString().matches(".*[._]data")),
              settings.filter(file -> file.toString().endsWith("config.json")))
          .filter(Files::isRegularFile)
          .sorted()
          .toList();
    }
  }

  ScoreCache(Path file, int limit) throws IOException {
    this.file = file;
    this.limit = limit;
    Files.createDirectories(file.toAbsolutePath().getParent());
    lockFile =
        FileChannel.open(
            file.resolveSibling(file.getFileName() + ".lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE);
    try {
      lock = tryLock();
      long end = read();
      if (lock == null) {
        Terminal.say("%s: another process writes it; scores of this one are not kept", file);
      } else {
        out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        out.truncate(end);
        out.position(end);
      }
    } catch (IOException | RuntimeException e) {
      lockFile.close();
      throw e;
    }
  }

  private @Nullable FileLock tryLock() throws IOException {
    try {
      return lockFile.tryLock();
    } catch (OverlappingFileLockException e) {
      // of this process
      return null;
    }
  }

  /** Reads whole records; returns where they end. */
  private long read() throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer all = ByteBuffer.wrap(bytes);
    while (all.remaining() >= RECORD) {
      int start = all.position();
      Pair pair = new Pair(all.getLong(), all.getLong());
      float score = all.getFloat();
      if (all.getInt() != checksum(bytes, start)) {
        return start;
      }
      scores.put(pair, score);
    }
    return all.position();
  }

  private static int checksum(byte[] bytes, int start) {
    CRC32 crc = new CRC32();
    crc.update(bytes, start, CHECKED);
    return (int) crc.getValue();
  }

  private static Pair pair(String query, String passage) {
    MessageDigest digest = Sha256.begin();
    byte[] first = query.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(first.length).flip());
    digest.update(first);
    ByteBuffer hash = ByteBuffer.wrap(digest.digest(passage.getBytes(StandardCharsets.UTF_8)));
    return new Pair(hash.getLong(), hash.getLong());
  }

  /** The score of a pair; null if it is not known. */
  public @Nullable Float get(String query, String passage) {
    return scores.get(pair(query, passage));
  }

  /** Adds scores of a query's passages. */
  public void add(String query, List<String> passages, float... added) {
    ByteBuffer records = ByteBuffer.allocate(passages.size() * RECORD);
    for (int i = 0; i < added.length; i++) {
      Pair pair = pair(query, passages.get(i));
      scores.put(pair, added[i]);
      records.put(record(pair, added[i]));
    }
    if (out == null) {
      return;
    }
    try {
      records.flip();
      while (records.hasRemaining()) {
        out.write(records);
      }
      if (scores.size() > limit) {
        dropOlderHalf();
      }
    } catch (IOException e) {
      // what was asked for is known all the same
      Terminal.say("%s: cannot be written (%s); further scores are not kept", file, e);
      IOUtils.closeWhileHandlingException(out);
      out = null;
    }
  }

  private static byte[] record(Pair pair, float score) {
    byte[] bytes = new byte[RECORD];
    ByteBuffer record = ByteBuffer.wrap(bytes);
    record.putLong(pair.high).putLong(pair.low).putFloat(score);
    record.putInt(checksum(bytes, 0));
    return bytes;
  }

  private void dropOlderHalf() throws IOException {
    var oldest = scores.keySet().iterator();
    for (int drop = scores.size() / 2; drop > 0; drop--) {
      oldest.next();
      oldest.remove();
    }
    AtomicFile.write(
        file,
        to -> {
          for (Map.Entry<Pair, Float> entry : scores.entrySet()) {
            to.write(record(entry.getKey(), entry.getValue()));
          }
        });
    if (out != null) {
      out.close();
      out = FileChannel.open(file, StandardOpenOption.APPEND);
    }
  }

  @Override
  public void close() throws IOException {
    if (out != null) {
      out.close();
    }
    if (lock != null) {
      lock.close();
    }
    lockFile.close();
  }
}
