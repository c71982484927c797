package org.semanticbm25.eval;

import java.io.IOException;

/** Something that the user can put right: the message is one line and says what and how. */
public final class UserException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Creates one for a message that names the place, the value and the remedy. */
  public UserException(String message) {
    super(message);
  }

  /** Creates one that keeps its cause for {@code --verbose}. */
  public UserException(String message, Throwable cause) {
    super(message, cause);
  }
}
