package org.semanticbm25.onnx.distill;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UTFDataFormatException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
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
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * Runs a cross-encoder on queries and passages, and keeps in a file what comes out, so that a run
 * that was stopped goes on where it was. A file belongs to one model; for another it is begun anew.
 *
 * <p>Not thread-safe.
 */
public final class PairSampler implements Closeable {
  private static final String FORMAT = "samples 1 ";

  private final CrossEncoder encoder;
  private final AttentionTaps taps;
  private final Path file;
  // by hash of the texts: there are thousands of them, in 64 bits
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
      long hash = query.hashCode();
      for (String passage : passages) {
        hash = 1_000_003 * hash + passage.hashCode();
      }
      return hash;
    }
  }

  /**
   * Opens a cross-encoder whose attention can be looked into, and reads what the file has of it.
   *
   * @param model a cross-encoder whose attention is not fused
   * @param file to keep samples in; made, with its folder, if it is not there; its content is
   *     discarded unless it holds samples of this model
   * @throws IOException if the model cannot be opened, or the file neither read nor written
   */
  public PairSampler(NeuralModel model, Path file) throws IOException {
    this.file = file;
    int threads = Runtime.getRuntime().availableProcessors();
    int layers = OnnxGraph.read(model.onnx()).layersOrThrow().size();
    encoder = CrossEncoder.builder(model).threads(threads).open();
    try {
      taps = AttentionTaps.open(model, layers, threads);
    } catch (IOException | RuntimeException e) {
      encoder.close();
      throw e;
    }
    try {
      // last: for a model that is not of use nothing is thrown away
      load(FORMAT + model.sha256());
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * The cross-encoder that is run.
   *
   * @return open as long as this is
   */
  public CrossEncoder encoder() {
    return encoder;
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
            sample == null ? encoder.score(texts.query(), texts.passages()) : sample.logits();
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
      float[] logits = encoder.score(texts.query(), texts.passages());
      sample = keep(texts, new PairSample(logits, List.of()));
    }
    return sample.logits();
  }

  private PairSample keep(PassageList texts, PairSample sample) throws IOException {
    append(texts.hash(), sample);
    known.put(texts.hash(), sample);
    return sample;
  }

  /** What was cut off at the end of the file is cut off the file. */
  private void load(String header) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    long end = Files.exists(file) ? read(header) : 0;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.truncate(end);
    }
    if (end == 0) {
      try (DataOutputStream out = new DataOutputStream(appending())) {
        out.writeUTF(header);
      }
    }
  }

  /**
   * Reads whole records; returns where they end, or 0 if the file is of another model or format.
   */
  private long read(String header) throws IOException {
    long end = 0;
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      if (in.readUTF().equals(header)) {
        end = (long) Short.BYTES + header.length();
        while (true) {
          int length = in.readInt();
          byte[] record = in.readNBytes(length);
          if (record.length < length) {
            return end;
          }
          DataInputStream fields = new DataInputStream(new ByteArrayInputStream(record));
          known.put(fields.readLong(), PairSample.read(fields));
          end += Integer.BYTES + length;
        }
      }
    } catch (EOFException e) {
      // the last record is complete
    } catch (UTFDataFormatException | RuntimeException e) {
      throw new IOException(file + ": is damaged, or no file of samples; delete it", e);
    }
    return end;
  }

  private OutputStream appending() throws IOException {
    return Files.newOutputStream(file, StandardOpenOption.APPEND);
  }

  private void append(long hash, PairSample sample) throws IOException {
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    DataOutputStream fields = new DataOutputStream(record);
    fields.writeInt(0);
    fields.writeLong(hash);
    sample.write(fields);
    byte[] bytes = record.toByteArray();
    ByteBuffer.wrap(bytes).putInt(0, bytes.length - Integer.BYTES);
    try (OutputStream out = appending()) {
      out.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    try (encoder) {
      taps.close();
    }
  }
}
