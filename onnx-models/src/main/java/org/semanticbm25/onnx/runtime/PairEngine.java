package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntConsumer;
import org.semanticbm25.onnx.runtime.PairBatch.Window;

/**
 * Runs a query with many passages through an ONNX model: tokenises, sorts by length, packs small
 * batches and lets as many threads as asked run them, each with its own direct buffers. A batch
 * runs on one thread: on a CPU whole batches side by side are faster than a batch on several cores.
 * Only a call with a single window, while no other is under way, has all threads work on it.
 *
 * <p>Thread-safe: callers share the threads, which serve the calls in turn, a batch of each; a call
 * with few passages does not wait for the end of one with many. {@link #close()} stops what is
 * running and waits for it.
 */
public final class PairEngine implements Closeable {
  /** Calls that may be under way at a time. */
  public static final int MAX_CALLS = 1000;

  private static final int TOKENIZE_AT_ONCE = 8;

  private final PairModel model;
  private final Set<String> outputs;
  private final int maxTokens;
  private final LongPassages longPassages;
  private final int threads;
  private final ExecutorService executor;
  private final ThreadLocal<InputBuffers> buffers;
  private final Set<Task<?>> running = new HashSet<>();
  // callers with a hold on the tokenizer; guarded, as closed is, by running
  private int tokenizing;
  private boolean closed;

  /** Hears of the output of a batch, while it lives; from several threads at a time. */
  @FunctionalInterface
  public interface Reader {
    /**
     * Takes the output of a batch. An exception fails the task.
     *
     * @param batch whose windows are the rows of the output
     * @param output {@code [windows, ...]}; closed after this returns
     * @throws OrtException if the output cannot be read
     * @throws IOException if the output is not usable
     */
    void read(PairBatch batch, OnnxTensor output) throws OrtException, IOException;
  }

  /**
   * Takes over a model and closes it in the end.
   *
   * @param model graph and tokenizer that belong together
   * @param output name of the output to compute
   * @param threads batches that run side by side, at least 1
   * @param maxTokens of a pair, with the special ones
   * @param longPassages how passages are read that do not fit beside the query
   */
  public PairEngine(
      PairModel model, String output, int threads, int maxTokens, LongPassages longPassages) {
    this.model = model;
    this.buffers = ThreadLocal.withInitial(() -> new InputBuffers(model));
    this.outputs = Set.of(output);
    this.maxTokens = maxTokens;
    this.longPassages = longPassages;
    this.threads = threads;
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("cross-encoder-", 0).factory());
    try {
      // a machine that is out of threads is told now, and not when a call is under way
      pool.prestartAllCoreThreads();
    } catch (Throwable e) {
      pool.shutdown();
      throw e;
    }
    this.executor = pool;
  }

  /**
   * Checks a number of threads.
   *
   * @param threads batches that are to run side by side
   * @return the same number
   * @throws IllegalArgumentException if it is less than 1
   */
  public static int checkThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, got: " + threads);
    }
    return threads;
  }

  /**
   * The tokens of a query; one that leaves a passage too little room is cut.
   *
   * @param query any text
   * @return ids, without the special tokens
   * @throws IllegalStateException if closed
   */
  public int[] queryTokens(String query) {
    int[] tokens = tokenize(tokenizer -> tokenizer.encode(query));
    int most = room(0) - PairBatch.MIN_PASSAGE_TOKENS;
    return Arrays.copyOf(tokens, Math.min(tokens.length, most));
  }

  /**
   * Tokens of a passage that fit beside a query.
   *
   * @param queryTokens number of tokens of the query
   * @return at least {@value PairBatch#MIN_PASSAGE_TOKENS} beside a query of {@link #queryTokens}
   */
  public int room(int queryTokens) {
    return maxTokens - queryTokens - model.tokenizer().specialTokens();
  }

  /**
   * Begins to run a query with passages.
   *
   * @param <R> type of the result
   * @param query tokens of {@link #queryTokens}
   * @param passages any texts, perhaps none
   * @param marks what a tapped graph sums attention over
   * @param reader called for every batch
   * @param result what the task completes with when the reader has heard of all batches
   * @return the task; it fails with an {@code IOException} if the model fails, or with what the
   *     reader throws, and cancelling it stops what is running
   * @throws IOException if ONNX Runtime cannot prepare the task
   * @throws RejectedExecutionException if {@value #MAX_CALLS} calls are under way
   * @throws IllegalStateException if closed
   */
  public <R> CompletableFuture<R> submit(
      int[] query, List<String> passages, Marks marks, Reader reader, R result) throws IOException {
    Task<R> task;
    synchronized (running) {
      requireOpen();
      if (running.size() == MAX_CALLS) {
        throw new RejectedExecutionException(
            "%s: %s calls are under way already; call again later"
                .formatted(model.source(), MAX_CALLS));
      }
      task = new Task<>(query, List.copyOf(passages), marks, reader, result);
      running.add(task);
    }
    task.start();
    return task;
  }

  /** A query with passages on its way. */
  final class Task<R> extends CompletableFuture<R> {
    private final int[] query;
    private final List<String> passages;
    private final Marks marks;
    private final Reader reader;
    private final R result;
    private final int[][] tokens;
    private final OrtSession.RunOptions options;
    // true when no run can use the options any more
    private boolean released;

    private Task(int[] query, List<String> passages, Marks marks, Reader reader, R result)
        throws IOException {
      this.query = query;
      this.passages = passages;
      this.marks = marks;
      this.reader = reader;
      this.result = result;
      this.tokens = new int[passages.size()][];
      try {
        options = new OrtSession.RunOptions();
      } catch (OrtException e) {
        throw new IOException(model.source() + ": ONNX Runtime failed", e);
      }
    }

    private void start() {
      int chunks = (passages.size() + TOKENIZE_AT_ONCE - 1) / TOKENIZE_AT_ONCE;
      inParallel(chunks, this::tokenize, this::runBatches);
    }

    private void tokenize(int chunk) {
      int end = Math.min((chunk + 1) * TOKENIZE_AT_ONCE, tokens.length);
      for (int i = chunk * TOKENIZE_AT_ONCE; i < end && !isDone(); i++) {
        String passage = passages.get(i);
        tokens[i] = longPassages.encode(model.tokenizer(), passage, room(query.length));
      }
    }

    private void runBatches() {
      List<PairBatch> batches = new ArrayList<>();
      // one that is done already, stopped that is, may lack tokens
      unlessDone(() -> batches.addAll(batches()));
      boolean isSingle = batches.size() == 1 && batches.getFirst().windows().size() == 1;
      OrtSession session = isSingle && isAlone() ? model.wide() : model.session();
      inParallel(batches.size(), i -> run(session, batches.get(i)), this::end);
    }

    private List<PairBatch> batches() {
      List<Window> windows = new ArrayList<>();
      for (int i = 0; i < tokens.length; i++) {
        windows.addAll(longPassages.windows(i, tokens[i].length, room(query.length)));
      }
      return PairBatch.of(windows, query.length + model.tokenizer().specialTokens(), threads);
    }

    private boolean isAlone() {
      synchronized (running) {
        return running.size() == 1;
      }
    }

    /**
     * Has units of work done by the threads and then, in any event, what comes next. The executor
     * holds a unit for each thread at most and gets another when one is done, so that the threads
     * take turns between the tasks.
     */
    private void inParallel(int units, IntConsumer work, Runnable next) {
      if (units == 0) {
        next.run();
      }
      AtomicInteger begun = new AtomicInteger();
      AtomicInteger left = new AtomicInteger(units);
      Runnable one =
          new Runnable() {
            @Override
            public void run() {
              int unit = begun.getAndIncrement();
              unlessDone(() -> work.accept(unit));
              if (unit + threads < units) {
                executor.execute(this);
              }
              if (left.decrementAndGet() == 0) {
                next.run();
              }
            }
          };
      for (int i = 0; i < Math.min(units, threads); i++) {
        executor.execute(one);
      }
    }

    private void unlessDone(Runnable work) {
      try {
        if (!isDone()) {
          work.run();
        }
      } catch (Throwable e) {
        stop(e);
      }
    }

    private void run(OrtSession session, PairBatch batch) {
      try (InputBuffers.Packed packed = buffers.get().pack(batch, query, tokens, marks);
          OrtSession.Result ran = NativeRuns.run(session, packed.tensors(), outputs, options)) {
        reader.read(batch, (OnnxTensor) ran.get(0));
      } catch (OrtException e) {
        if (!isDone()) {
          stop(
              new IOException(
                  model.source() + ": ONNX Runtime failed to run it: " + e.getMessage(), e));
        }
      } catch (IOException e) {
        stop(e);
      }
    }

    private void end() {
      release();
      synchronized (running) {
        running.remove(this);
        running.notifyAll();
      }
      complete(result);
    }

    private synchronized void release() {
      released = true;
      options.close();
    }

    private synchronized void stop(Throwable reason) {
      completeExceptionally(reason);
      terminate();
    }

    /** Stops also what is running now. */
    @Override
    public synchronized boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      terminate();
      return cancelled;
    }

    private void terminate() {
      try {
        if (!released) {
          options.setTerminate(true);
        }
      } catch (OrtException e) {
        throw new IllegalStateException(model.source() + ": ONNX Runtime failed to stop", e);
      }
    }
  }

  /**
   * What a caller is told when waiting for work failed. If the thread was interrupted, stops the
   * work and sets the thread's interrupt status again.
   *
   * @param work that was waited for
   * @param e what {@link Future#get()} threw: an {@code InterruptedException} or {@code
   *     ExecutionException}
   * @return exception to throw: the cause if it is an {@code IOException}, or an {@code
   *     InterruptedIOException}
   * @throws RuntimeException the cause, if it is one
   * @throws Error the cause, if it is one
   */
  public static IOException failure(Future<?> work, Exception e) {
    return switch (e.getCause()) {
      case IOException io -> io;
      case RuntimeException runtime -> throw runtime;
      case Error error -> throw error;
      case null, default -> {
        work.cancel(true);
        Thread.currentThread().interrupt();
        yield new InterruptedIOException("interrupted while scoring");
      }
    };
  }

  /**
   * Works with the tokenizer, which stays open for so long.
   *
   * @param <T> type of the result
   * @param work called once, by this thread; it must not keep the tokenizer
   * @return what the work returns
   * @throws IllegalStateException if closed
   */
  public <T> T tokenize(Function<PairTokenizer, T> work) {
    synchronized (running) {
      requireOpen();
      tokenizing++;
    }
    try {
      return work.apply(model.tokenizer());
    } finally {
      synchronized (running) {
        tokenizing--;
        running.notifyAll();
      }
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(model.source() + ": closed");
    }
  }

  /** Stops what is running, waits for it and frees the session. Callers see an exception. */
  @Override
  public void close() throws IOException {
    synchronized (running) {
      if (closed) {
        return;
      }
      closed = true;
      running.forEach(task -> task.stop(new IllegalStateException(model.source() + ": closed")));
      awaitTasks();
    }
    executor.close();
    model.close();
  }

  private void awaitTasks() {
    boolean interrupted = false;
    while (!running.isEmpty() || tokenizing > 0) {
      try {
        running.wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
