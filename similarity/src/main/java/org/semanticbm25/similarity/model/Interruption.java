package org.semanticbm25.similarity.model;

import java.io.InterruptedIOException;

/**
 * Ends long work when its thread is interrupted.
 *
 * @lucene.internal
 */
public final class Interruption {
  private Interruption() {}

  /**
   * To be called between the steps of the work. The interrupt status stays set.
   *
   * @param work what is being done, for the message, as in "attaching"
   * @throws InterruptedIOException if the thread is interrupted
   */
  public static void check(String work) throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted while " + work);
    }
  }
}
