package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The runs of ONNX Runtime that are under way. When the virtual machine ends, whatever the reason,
 * they are stopped and waited for: one that went on while the process takes its libraries apart
 * would end it with a fault in native code.
 */
final class NativeRuns {
  private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(10);

  // guards the other two; options of a task occur once for each of its runs
  private static final Object LOCK = new Object();
  private static final List<OrtSession.RunOptions> RUNNING = new ArrayList<>();
  private static boolean ending;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(NativeRuns::end, "onnx-runs-end"));
  }

  private NativeRuns() {}

  /**
   * Runs a session.
   *
   * @throws IllegalStateException if the virtual machine is ending
   */
  static OrtSession.Result run(
      OrtSession session,
      Map<String, OnnxTensor> inputs,
      Set<String> outputs,
      OrtSession.RunOptions options)
      throws OrtException {
    synchronized (LOCK) {
      if (ending) {
        throw new IllegalStateException("the virtual machine is ending");
      }
      RUNNING.add(options);
    }
    try {
      return session.run(inputs, outputs, options);
    } finally {
      synchronized (LOCK) {
        RUNNING.remove(options);
        LOCK.notifyAll();
      }
    }
  }

  /** Runs a session for all its outputs. */
  static OrtSession.Result run(OrtSession session, Map<String, OnnxTensor> inputs)
      throws OrtException {
    try (OrtSession.RunOptions options = new OrtSession.RunOptions()) {
      return run(session, inputs, session.getOutputNames(), options);
    }
  }

  private static void end() {
    long deadline = System.nanoTime() + LONGEST_WAIT;
    synchronized (LOCK) {
      ending = true;
      try {
        for (OrtSession.RunOptions options : RUNNING) {
          options.setTerminate(true);
        }
        long left = LONGEST_WAIT;
        while (!RUNNING.isEmpty() && left > 0) {
          TimeUnit.NANOSECONDS.timedWait(LOCK, left);
          left = deadline - System.nanoTime();
        }
      } catch (OrtException | InterruptedException e) {
        // there is nobody left to tell
        Thread.currentThread().interrupt();
      }
    }
  }
}
