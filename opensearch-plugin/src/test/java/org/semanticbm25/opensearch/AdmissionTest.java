package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchTask;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.concurrency.OpenSearchRejectedExecutionException;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.threadpool.ThreadPool;

class AdmissionTest {
  private static final TimeValue PATIENCE = TimeValue.timeValueSeconds(60);

  private final Admission admission = new Admission(new NodeStats(), 6, 1, 2);
  private ThreadPool threads;

  @BeforeEach
  void start() {
    threads = new ThreadPool(Settings.builder().put("node.name", "test").build());
    admission.start(null, threads);
  }

  @AfterEach
  void stop() {
    ThreadPool.terminate(threads, 10, TimeUnit.SECONDS);
  }

  /** A search at the door. */
  private final class Search {
    final SearchTask task =
        new SearchTask(1, "transport", "search", () -> "test", TaskId.EMPTY_TASK_ID, Map.of());
    final Admission.Ticket ticket = admission.ticket(task);
    final SearchRequest request = new SearchRequest();
    final CompletableFuture<String> entered = new CompletableFuture<>();

    Search(TimeValue patience) {
      ticket.enter(
          request,
          patience,
          () -> entered.complete(threads.getThreadContext().getHeader("caller")),
          ActionListener.wrap(r -> {}, entered::completeExceptionally));
    }

    void isIn() throws Exception {
      entered.get(10, TimeUnit.SECONDS);
      assertEquals(1, request.getMaxConcurrentShardRequests());
    }

    Throwable failure() throws Exception {
      try {
        throw new AssertionError("let in: " + entered.get(10, TimeUnit.SECONDS));
      } catch (ExecutionException e) {
        return e.getCause();
      }
    }
  }

  @SuppressWarnings("try") // closing restores
  @Test
  void someRunSomeWaitTheRestAreRejected() throws Exception {
    Search first = new Search(PATIENCE);
    first.isIn();
    Search second;
    try (var stored = threads.getThreadContext().stashContext()) {
      threads.getThreadContext().putHeader("caller", "second");
      second = new Search(PATIENCE);
    }
    Search third = new Search(PATIENCE);
    Throwable failure = new Search(PATIENCE).failure();
    assertInstanceOf(OpenSearchRejectedExecutionException.class, failure);
    assertTrue(failure.getMessage().contains("1 searches are running on this node and 2 wait"));
    assertTrue(!second.entered.isDone() && !third.entered.isDone());
    first.ticket.close();
    second.isIn();
    assertEquals("second", second.entered.get(), "the context is the caller's");
    assertTrue(!third.entered.isDone());
    second.ticket.close();
    second.ticket.close();
    third.isIn();
    assertTrue(!new Search(PATIENCE).entered.isDone(), "a ticket is given back once");
  }

  @Test
  void whoeverIsCancelledOrLateIsNotLetIn() throws Exception {
    Search first = new Search(PATIENCE);
    Search late = new Search(TimeValue.timeValueMillis(1));
    assertTrue(late.failure().getMessage().contains("not begun within 1ms"), "though none ends");
    Search cancelled = new Search(PATIENCE);
    Search patient = new Search(PATIENCE);
    cancelled.task.cancel("test");
    Search next = new Search(PATIENCE);
    assertInstanceOf(TaskCancelledException.class, cancelled.failure(), "makes room");
    first.ticket.close();
    patient.isIn();
    patient.ticket.close();
    next.isIn();
  }

  @Test
  void entersOnce() throws Exception {
    Search search = new Search(PATIENCE);
    CompletableFuture<String> again = new CompletableFuture<>();
    search.ticket.enter(
        search.request,
        PATIENCE,
        () -> again.complete("in"),
        ActionListener.wrap(r -> {}, again::completeExceptionally));
    assertEquals("in", again.get(10, TimeUnit.SECONDS));
    search.ticket.close();
    new Search(PATIENCE).isIn();
  }

  @Test
  void aTicketGoesWithItsSearchOnly() {
    Admission.Ticket outer = admission.ticket(null);
    Admission.Ticket inner = admission.ticket(null);
    admission.with(
        outer,
        () -> {
          admission.with(inner, () -> assertSame(inner, admission.current()));
          assertSame(outer, admission.current());
        });
    assertNull(admission.current());
  }
}
