package org.semanticbm25.opensearch;

import java.util.concurrent.Callable;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.opensearch.OpenSearchException;
import org.opensearch.OpenSearchStatusException;
import org.opensearch.core.rest.RestStatus;

/**
 * Keeps what goes wrong in a model from callers, who are not told where a node has its files, and
 * from threads of the node, which an {@code Error} would end with all of the node.
 */
final class Failures {
  private static final Logger LOGGER = LogManager.getLogger(Failures.class);

  private Failures() {}

  /**
   * Does something and reports a failure to the node's log alone.
   *
   * @param what is done, for messages
   * @throws OpenSearchException with a message of ours; those that an action throws itself, and
   *     {@code IllegalArgumentException}s, pass
   */
  static <T> T hidden(String what, Callable<T> action) {
    try {
      return action.call();
    } catch (OpenSearchException | IllegalArgumentException e) {
      throw e;
    } catch (Exception e) {
      LOGGER.warn(what + " failed", e);
      throw new OpenSearchStatusException(
          what + " failed; the log of the node says why", RestStatus.INTERNAL_SERVER_ERROR);
    } catch (Error e) {
      LOGGER.error(what + " failed", e);
      throw new OpenSearchStatusException(
          what + " is not possible now; the log of the node says why",
          RestStatus.SERVICE_UNAVAILABLE);
    }
  }
}
