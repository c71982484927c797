package org.semanticbm25.onnx;

/** Hears how far a long computation is. Called from one thread at a time. */
@FunctionalInterface
public interface Progress {
  /** Does not listen. */
  Progress SILENT = (task, done, total) -> {};

  /**
   * Called after each unit of work, or some of them.
   *
   * @param task what is being done, for a person
   * @param done units of work that are finished
   * @param total all units
   */
  void report(String task, long done, long total);
}
