package org.semanticbm25.eval;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.Progress;

/**
 * Progress on standard error: a bar if that is a terminal, and a line every half minute if it is
 * not. The start script finds out which: a Java program cannot ask about standard error.
 */
public final class Terminal implements Progress, AutoCloseable {
  private static final long NANOS_BETWEEN_LINES = Duration.ofSeconds(30).toNanos();

  private final boolean interactive;
  private final LongSupplier clock;
  private final Consumer<String> lines;
  private @Nullable ProgressBar bar;
  private long lastLine;

  /** Shows progress on the standard error of this process. */
  public Terminal() {
    this(Boolean.getBoolean("sbm25.terminal"), System::nanoTime, System.err::println);
  }

  Terminal(boolean interactive, LongSupplier clock, Consumer<String> lines) {
    this.interactive = interactive;
    this.clock = clock;
    this.lines = lines;
    this.lastLine = clock.getAsLong();
  }

  @Override
  public void report(String task, long done, long total) {
    if (interactive) {
      show(task, done, total);
      return;
    }
    long now = clock.getAsLong();
    if (now - lastLine >= NANOS_BETWEEN_LINES) {
      lastLine = now;
      lines.accept("%s: %d of %d".formatted(task, done, total));
    }
  }

  private void show(String task, long done, long total) {
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
