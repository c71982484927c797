package org.semanticbm25.onnx.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;

/** Closes a stream from which nothing has come for too long, so that its reader does not wait. */
final class StallWatch implements AutoCloseable {
  private final InputStream watched;
  private final Duration limit;
  private final Thread clock =
      Thread.ofPlatform().daemon().name("download-watch").unstarted(this::look);
  private volatile long last = System.nanoTime();
  private volatile boolean stalled;

  StallWatch(InputStream watched, Duration limit) {
    this.watched = watched;
    this.limit = limit;
    clock.start();
  }

  private void look() {
    try {
      while (System.nanoTime() - last < limit.toNanos()) {
        Thread.sleep(limit.dividedBy(4));
      }
      stalled = true;
      watched.close();
    } catch (InterruptedException e) {
      // nothing more to watch
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Something has come. */
  void alive() {
    last = System.nanoTime();
  }

  boolean isStalled() {
    return stalled;
  }

  @Override
  public void close() {
    clock.interrupt();
  }
}
