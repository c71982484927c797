package org.semanticbm25.onnx.context;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.PairEngine;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.Interruption;
import org.semanticbm25.similarity.model.SoftFrequencies;

/**
 * Finds the soft frequencies of passages, as {@link ContextualModel} defines them, by one forward
 * pass over each passage alone.
 *
 * <p>A passage of more tokens than the encoder reads at a time is cut into windows of like lengths
 * that do not overlap; the sum over tokens goes over all of them, and over the two tokens that a
 * BERT-family model has around each.
 *
 * <p>Thread-safe: callers share the threads. Hold one for each model and close it.
 *
 * @lucene.experimental
 */
public final class SoftTermEncoder implements Closeable {
  // passages that a thread takes at a time
  private static final int AT_ONCE = 8;
  private static final String CONTINUED = "##";

  private final NeuralModel files;
  private final PassageEncoder encoder;
  private final ContextualModel model;
  private final TokenMatcher matcher;
  private final ExecutorService executor;

  private SoftTermEncoder(
      NeuralModel files,
      PassageEncoder encoder,
      TokenMatcher matcher,
      ContextualModel model,
      int threads) {
    this.files = files;
    this.encoder = encoder;
    this.model = model;
    this.matcher = matcher;
    this.executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("soft-terms-", 0).factory());
  }

  /**
   * Loads an encoder.
   *
   * @param files its ONNX graph, with the outputs {@code vectors [batch, tokens, dimensions]} and
   *     {@code gates [batch, tokens]}, and its tokenizer
   * @param model terms and numbers that belong to it
   * @param threads that read passages side by side, at least 1
   * @return the encoder, to be closed
   * @throws IllegalArgumentException if {@code threads} is less than 1
   * @throws IOException if a file is missing or damaged, if the graph is no such encoder, or if the
   *     model was made for another; the message names the file
   */
  public static SoftTermEncoder open(NeuralModel files, ContextualModel model, int threads)
      throws IOException {
    PairEngine.checkThreads(threads);
    if (!files.sha256().equals(model.provenance().sourceSha256())) {
      throw new IOException(
          "%s: is not the encoder that the contextual model was made for (%s); give the two that belong together"
              .formatted(files.onnx(), model.provenance().source()));
    }
    PassageEncoder encoder = PassageEncoder.open(files);
    try {
      return new SoftTermEncoder(files, encoder, new TokenMatcher(model), model, threads);
    } catch (IOException | RuntimeException e) {
      encoder.close();
      throw e;
    }
  }

  /**
   * The files that it was loaded from.
   *
   * @return ONNX graph and tokenizer
   */
  public NeuralModel files() {
    return files;
  }

  /**
   * The model.
   *
   * @return terms and numbers
   */
  public ContextualModel model() {
    return model;
  }

  /**
   * Encodes passages.
   *
   * @param passages any texts; in an empty one nothing is found
   * @return what was found in each, in their order
   * @throws IOException if the model fails, or as an {@code InterruptedIOException} if the thread
   *     is interrupted; its interrupt status is set then
   * @throws IllegalStateException if closed
   */
  public List<SoftFrequencies> encode(List<String> passages) throws IOException {
    List<Integer> longestFirst =
        IntStream.range(0, passages.size())
            .boxed()
            .sorted(Comparator.comparingInt((Integer i) -> passages.get(i).length()).reversed())
            .toList();
    SoftFrequencies[] found = new SoftFrequencies[passages.size()];
    List<Callable<Void>> tasks = new ArrayList<>();
    for (int start = 0; start < found.length; start += AT_ONCE) {
      List<Integer> some = longestFirst.subList(start, Math.min(start + AT_ONCE, found.length));
      tasks.add(
          () -> {
            encode(passages, some, found);
            return null;
          });
    }
    run(tasks);
    return List.of(found);
  }

  private void encode(List<String> passages, List<Integer> some, SoftFrequencies[] found)
      throws IOException {
    float[][] sums = new float[some.size()][model.size()];
    encoder.forEachWindow(
        some.stream().map(passages::get).toList(),
        (window, vectors, gates) -> matcher.add(sums[window.passage], vectors, gates));
    for (int i = 0; i < sums.length; i++) {
      found[some.get(i)] = matcher.frequencies(sums[i]);
    }
  }

  /**
   * What a word of a passage adds to the soft frequency of a term.
   *
   * @param word as the tokenizer spells it, or a token around the text, such as {@code [CLS]}
   * @param share positive
   */
  public record WordShare(String word, float share) {}

  /**
   * Tells which words of a passage made the soft frequencies of terms: the sum of their shares less
   * the model's cut.
   *
   * @param passage any text
   * @param terms numbers of terms of the model
   * @return for each term, different words with a share, the largest first
   * @throws IOException as {@link #encode}
   * @throws IllegalStateException if closed
   */
  public List<List<WordShare>> explain(String passage, int... terms) throws IOException {
    List<Map<String, Float>> shares = new ArrayList<>();
    for (int i = 0; i < terms.length; i++) {
      shares.add(new HashMap<>());
    }
    run(
        List.of(
            () -> {
              encoder.forEachWindow(
                  List.of(passage),
                  (window, vectors, gates) -> {
                    String[] pieces = encoder.texts(window);
                    for (int i = 0; i < terms.length; i++) {
                      addWords(shares.get(i), pieces, matcher.shares(vectors, gates, terms[i]));
                    }
                  });
              return null;
            }));
    return shares.stream().map(SoftTermEncoder::largestFirst).toList();
  }

  private static List<WordShare> largestFirst(Map<String, Float> shares) {
    return shares.entrySet().stream()
        .filter(word -> word.getValue() > 0f)
        .map(word -> new WordShare(word.getKey(), word.getValue()))
        .sorted(
            Comparator.comparingDouble((WordShare word) -> -word.share())
                .thenComparing(WordShare::word))
        .toList();
  }

  /** Adds the words of a window, each with the shares of all its pieces. */
  private static void addWords(Map<String, Float> words, String[] pieces, float[] shares) {
    for (int start = 0, end; start < pieces.length; start = end) {
      StringBuilder word = new StringBuilder(pieces[start]);
      float share = shares[start];
      for (end = start + 1; end < pieces.length && pieces[end].startsWith(CONTINUED); end++) {
        word.append(pieces[end], CONTINUED.length(), pieces[end].length());
        share += shares[end];
      }
      words.merge(word.toString(), share, Float::sum);
    }
  }

  private void run(List<Callable<Void>> tasks) throws IOException {
    // tasks may be done before they are waited for
    Interruption.check("encoding passages");
    try {
      for (Future<Void> task : executor.invokeAll(tasks)) {
        task.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while passages were encoded");
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException(encoder.source() + ": closed", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException runtime -> throw runtime;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(encoder.source() + ": failed", e);
      }
    }
  }

  /** Waits for what is running, and frees the model. */
  @Override
  public synchronized void close() throws IOException {
    if (!executor.isTerminated()) {
      executor.close();
      try (matcher) {
        encoder.close();
      }
    }
  }
}
