package org.semanticbm25.eval;

/** Commands to copy. */
public final class ShellWord {
  private ShellWord() {}

  /** A text as one word to a POSIX shell. */
  public static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
