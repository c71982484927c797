package org.semanticbm25.eval;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.Progress;

/**
 * Progress on standard error if that is a terminal, and nothing if it is not. The start script
 * finds out which: a Java program cannot ask about standard error.
 */
public final class Terminal implements Progress, AutoCloseable {
  private static final boolean SHOWN = Boolean.getBoolean("sbm25.terminal");

  private @Nullable ProgressBar bar;

  @Override
  public void report(String task, long done, long total) {
    if (!SHOWN) {
      return;
    }
    if (bar == null || !bar.getTaskName().equals(task)) {
      close();
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setMaxRenderedLength(90)
              .build();
    }
    bar.stepTo(done);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  /** A line about what is going on, for people. */
  public static void say(String format, Object... arguments) {
    System.err.println(format.formatted(arguments));
  }
}
