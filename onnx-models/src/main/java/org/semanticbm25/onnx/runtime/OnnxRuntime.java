package org.semanticbm25.onnx.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

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

  private OnnxRuntime() {}

  private static final class Holder {
    static final OrtEnvironment ENVIRONMENT = create();
  }

  static OrtEnvironment environment() {
    return Holder.ENVIRONMENT;
  }

  private static OrtEnvironment create() {
    FutureTask<OrtEnvironment> task = new FutureTask<>(OrtEnvironment::getEnvironment);
    new Thread(null, task, "onnx-runtime-start", STACK_BYTES).start();
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while ONNX Runtime was started", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("ONNX Runtime cannot be started", e);
    }
  }

  /** Options for a session of which several threads run batches side by side. */
  static OrtSession.SessionOptions sessionOptions() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    // a plan for every shape seen would let memory grow for ever
    options.setMemoryPatternOptimization(false);
    return options;
  }
}
