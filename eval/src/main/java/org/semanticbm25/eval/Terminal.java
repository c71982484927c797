package org.semanticbm25.eval;

import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;
import java.util.function.Consumer;
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
  private static final Duration BETWEEN_LINES = Duration.ofSeconds(30);

  private final boolean interactive;
  private final Duration betweenLines;
  private final Consumer<String> lines;
  private @Nullable ProgressBar bar;
  private @Nullable Timer timer;
  private volatile @Nullable State state;

  private record State(String task, long done, long total) {}

  /** Shows progress on the standard error of this process. */
  public Terminal() {
    this(Boolean.getBoolean("sbm25.terminal"), BETWEEN_LINES, System.err::println);
  }

  Terminal(boolean interactive, Duration betweenLines, Consumer<String> lines) {
    this.interactive = interactive;
    this.betweenLines = betweenLines;
    this.lines = lines;
  }

  @Override
  public void report(String task, long done, long total) {
    if (interactive) {
      show(task, done, total);
      return;
    }
    state = new State(task, done, total);
    if (timer == null) {
      timer = new Timer("progress", true);
      timer.schedule(new Line(), betweenLines.toMillis(), betweenLines.toMillis());
    }
  }

  /** A line of how far the work is, also where a unit of it takes long. */
  private final class Line extends TimerTask {
    @Override
    public void run() {
      State now = state;
      if (now != null && now.done() < now.total()) {
        lines.accept("%s: %d of %d".formatted(now.task(), now.done(), now.total()));
      }
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
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  /** A line about what is going on, for people. */
  public static void say(String format, Object... arguments) {
    System.err.println(format.formatted(arguments));
  }
}
