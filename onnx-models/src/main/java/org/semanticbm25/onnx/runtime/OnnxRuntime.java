package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The environment of ONNX Runtime, one for the process.
 *
 * <p>It is made on a stack of its own: version 1.29 searches the command line of the process by a
 * recursion that takes 250 bytes a character, so that on a usual thread of 1 MB a class path of
 * 4,000 characters brings the virtual machine down.
 */
final class OnnxRuntime {
  // address space alone, until it is used; given back when the thread ends
  private static final long STACK_BYTES = 256L << 20;

  private static final Logger LOG = Logger.getLogger(OnnxRuntime.class.getName());

  private OnnxRuntime() {}

  private static @Nullable OrtEnvironment environment;

  /**
   * The environment, made at the first call.
   *
   * @throws UncheckedIOException if the native library cannot be loaded
   */
  static synchronized OrtEnvironment environment() {
    if (environment == null) {
      environment = create();
    }
    return environment;
  }

  private static OrtEnvironment create() {
    FutureTask<OrtEnvironment> task =
        new FutureTask<>(
            () -> {
              OrtEnvironment environment = OrtEnvironment.getEnvironment();
              retain();
              return environment;
            });
    new Thread(null, task, "onnx-runtime-start", STACK_BYTES).start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          // there is nothing to clean up half-way: the caller hears of it later
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw new UncheckedIOException(
          new IOException(
              "the native library of ONNX Runtime cannot be unpacked to %s, or not be loaded; free space there, or give another folder with -Djava.io.tmpdir"
                  .formatted(System.getProperty("java.io.tmpdir")),
              e));
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Counts the native environment as used once more. The library has a shutdown hook that releases
   * it, perhaps before {@link NativeRuns} has ended the last run, which still uses it; there is no
   * public way to keep that hook from it.
   */
  private static void retain() {
    try {
      Class<?> library = Class.forName("ai.onnxruntime.OnnxRuntime");
      Field api = library.getDeclaredField("ortApiHandle");
      api.setAccessible(true);
      Method create =
          OrtEnvironment.class.getDeclaredMethod(
              "createHandle", long.class, int.class, String.class);
      create.setAccessible(true);
      create.invoke(
          null,
          api.getLong(null),
          OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING.getValue(),
          OrtEnvironment.DEFAULT_NAME);
    } catch (ReflectiveOperationException | InaccessibleObjectException e) {
      // another version, or a named module: scoring works, an end in its midst is less safe
      LOG.log(Level.FINE, "ONNX Runtime's environment is not retained", e);
    }
  }

  /**
   * Options for a session.
   *
   * @param threads that a run takes; with 1, several threads run batches side by side
   */
  static OrtSession.SessionOptions sessionOptions(int threads) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(threads);
    options.setInterOpNumThreads(1);
    // a plan for every shape seen would let memory grow for ever
    options.setMemoryPatternOptimization(false);
    return options;
  }
}
