package org.semanticbm25.onnx.distill;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UTFDataFormatException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionTaps;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.crossencoder.PairScorer;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * Runs a cross-encoder on queries and passages, and keeps in a file what comes out, so that a run
 * that was stopped goes on where it was. A file belongs to one model; for another it is begun anew.
 *
 * <p>Not thread-safe.
 */
public final class PairSampler implements Closeable {
  private static final String KIND = "samples ";
  private static final String FORMAT = KIND + "2 ";

  private final PairScorer scorer;
  private final AttentionTaps taps;
  private final Path file;
  private final FileChannel channel;
  // by the first 64 bits of the texts' digest
  private final Map<Long, PairSample> known = new HashMap<>();

  /**
   * A query and passages to run it with, at least one.
   *
   * @param query any text
   * @param passages any texts, at least one
   */
  public record PassageList(String query, List<String> passages) {
    /**
     * Copies the passages.
     *
     * @throws IllegalArgumentException if there are no passages
     */
    public PassageList {
      passages = List.copyOf(passages);
      if (passages.isEmpty()) {
        throw new IllegalArgumentException("no passages for query: " + query);
      }
    }

    private long hash() {
      StringBuilder texts = new StringBuilder(query);
      passages.forEach(passage -> texts.append('\0').append(passage));
      return Long.parseUnsignedLong(Digests.sha256(texts.toString()).substring(0, 16), 16);
    }
  }

  /**
   * Looks into the attention of a cross-encoder, and reads what the file has of it.
   *
   * @param encoder whose attention is not fused; not closed here
   * @param scorer the encoder itself, or what knows some of its scores
   * @param file to keep samples in; made, with its folder, if it is not there; samples of another
   *     model in it are discarded
   * @throws IOException if attention cannot be looked into, if the file is no file of samples or is
   *     damaged, if another process has it open, or if it can neither be read nor written
   */
  public PairSampler(CrossEncoder encoder, PairScorer scorer, Path file) throws IOException {
    this.scorer = scorer;
    this.file = file;
    NeuralModel model = encoder.model();
    int layers = OnnxGraph.read(model.onnx()).layersOrThrow().size();
    taps = AttentionTaps.open(model, layers, Runtime.getRuntime().availableProcessors());
    try {
      // last: for a model that is not of use nothing is thrown away
      channel = open(FORMAT + model.sha256());
    } catch (IOException | RuntimeException e) {
      taps.close();
      throw e;
    }
  }

  /**
   * What looks into its attention, in all layers.
   *
   * @return open as long as this is
   */
  public AttentionTaps taps() {
    return taps;
  }

  /**
   * Runs what the file does not have yet, and returns all samples in the order of the texts.
   *
   * @param task name of the work for progress
   * @param lists queries with their passages
   * @param progress notified of the lists that are done
   * @return a sample for each list, with attention of all layers
   * @throws IOException if the model fails, or the file cannot be written
   */
  public List<PairSample> sample(String task, List<PassageList> lists, Progress progress)
      throws IOException {
    List<PairSample> samples = new ArrayList<>();
    for (PassageList texts : lists) {
      PairSample sample = known.get(texts.hash());
      if (sample == null || sample.masses().isEmpty()) {
        float[] logits =
            sample == null ? scorer.score(texts.query(), texts.passages()) : sample.logits();
        sample = keep(texts, new PairSample(logits, taps.mass(texts.query(), texts.passages())));
      }
      samples.add(sample);
      progress.report(task, samples.size(), lists.size());
    }
    return samples;
  }

  /**
   * The same without a look at attention, for the logits alone.
   *
   * @param task name of the work for progress
   * @param lists queries with their passages
   * @param progress notified of the lists that are done
   * @return for each list its logits by passage
   * @throws IOException if the model fails, or the file cannot be written
   */
  public List<float[]> score(String task, List<PassageList> lists, Progress progress)
      throws IOException {
    List<float[]> scores = new ArrayList<>();
    for (PassageList texts : lists) {
      scores.add(logits(texts));
      progress.report(task, scores.size(), lists.size());
    }
    return scores;
  }

  private float[] logits(PassageList texts) throws IOException {
    PairSample sample = known.get(texts.hash());
    if (sample == null) {
      float[] logits = scorer.score(texts.query(), texts.passages());
      sample = keep(texts, new PairSample(logits, List.of()));
    }
    return sample.logits();
  }

  private PairSample keep(PassageList texts, PairSample sample) throws IOException {
    append(texts.hash(), sample);
    known.put(texts.hash(), sample);
    return sample;
  }

  /** Opens the file for this process alone; what was cut off at its end is cut off the file. */
  private FileChannel open(String header) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    FileChannel opened =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      lock(opened);
      long end = opened.size() > 0 ? read(opened, header) : 0;
      opened.truncate(end);
      opened.position(end);
      if (end == 0) {
        ByteArrayOutputStream begin = new ByteArrayOutputStream();
        new DataOutputStream(begin).writeUTF(header);
        write(opened, begin);
      }
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private void lock(FileChannel opened) throws IOException {
    try {
      if (opened.tryLock() != null) {
        return;
      }
    } catch (OverlappingFileLockException e) {
      // held by this process
    }
    throw new IOException(file + ": is in use by another run; wait for it, or name another file");
  }

  /** Reads whole records; returns where they end, or 0 if they are of another model or format. */
  private long read(FileChannel opened, String header) throws IOException {
    // not closed: that would close the channel
    DataInputStream in =
        new DataInputStream(new BufferedInputStream(Channels.newInputStream(opened)));
    long end = 0;
    try {
      String found = in.readUTF();
      if (!found.startsWith(KIND)) {
        throw new IOException(file + ": is no file of samples; name another");
      }
      if (found.equals(header)) {
        end = (long) Short.BYTES + header.length();
        while (true) {
          int length = in.readInt();
          byte[] record = in.readNBytes(length);
          if (record.length < length) {
            return end;
          }
          parse(new DataInputStream(new ByteArrayInputStream(record)));
          end += Integer.BYTES + length;
        }
      }
    } catch (EOFException e) {
      if (end == 0) {
        throw new IOException(file + ": is no file of samples; name another", e);
      }
      // the last record is complete
    } catch (UTFDataFormatException | RuntimeException e) {
      throw new IOException(file + ": is damaged, or no file of samples; delete it", e);
    }
    return end;
  }

  private void parse(DataInputStream record) throws IOException {
    try {
      known.put(record.readLong(), PairSample.read(record));
    } catch (EOFException e) {
      throw new IOException(file + ": is damaged; delete it", e);
    }
  }

  private static void write(FileChannel opened, ByteArrayOutputStream bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes.toByteArray());
    while (buffer.hasRemaining()) {
      opened.write(buffer);
    }
  }

  private void append(long hash, PairSample sample) throws IOException {
    ByteArrayOutputStream fields = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(fields);
    out.writeLong(hash);
    sample.write(out);
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    new DataOutputStream(record).writeInt(fields.size());
    fields.writeTo(record);
    write(channel, record);
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      taps.close();
    }
  }
}
