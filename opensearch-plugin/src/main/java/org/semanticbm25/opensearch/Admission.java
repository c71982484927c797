package org.semanticbm25.opensearch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.lease.Releasable;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.concurrency.OpenSearchRejectedExecutionException;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.tasks.CancellableTask;
import org.opensearch.tasks.Task;
import org.opensearch.threadpool.Scheduler;
import org.opensearch.threadpool.ThreadPool;

/**
 * Lets searches that rerank in, on the node that coordinates them: some at a time, some wait, the
 * rest are rejected. A search that is let in asks one shard of a node at a time, so that all nodes
 * together do not ask a node for more shards than {@link Reranker} takes; but one with distributed
 * statistics asks all of its shards at once. No thread waits here. Thread-safe.
 */
final class Admission {
  private static final String TICKET = "semantic_bm25.admission";

  private final NodeStats stats;
  private final int maxShards;
  private final int maxRequests;
  private final int queueSize;
  // with what gives them up
  private final Map<Waiting, Scheduler.ScheduledCancellable> queue = new LinkedHashMap<>();
  private int running;
  private @Nullable ClusterService cluster;
  private @Nullable ThreadPool threads;

  /**
   * @param maxShards shards that each node reranks hits of at a time
   * @param maxRequests searches at a time, or 0 for a share of {@code maxShards}
   * @param queueSize searches that may wait
   */
  Admission(NodeStats stats, int maxShards, int maxRequests, int queueSize) {
    this.stats = stats;
    this.maxShards = maxShards;
    this.maxRequests = maxRequests;
    this.queueSize = queueSize;
  }

  /** Called once, before the first search. */
  synchronized void start(ClusterService clusterService, ThreadPool threadPool) {
    cluster = clusterService;
    threads = threadPool;
  }

  private int limit() {
    if (maxRequests > 0) {
      return maxRequests;
    }
    int nodes = Objects.requireNonNull(cluster, "started").state().nodes().getSize();
    return Math.max(1, maxShards / Math.max(1, nodes));
  }

  /** A search in the queue. */
  private record Waiting(
      Ticket ticket, TimeValue patience, Runnable proceed, ActionListener<?> listener) {}

  /** A search that may come to rerank. To be closed when it has ended. */
  final class Ticket implements Releasable {
    private final Task task;
    private boolean admitted;

    private Ticket(Task task) {
      this.task = task;
    }

    private boolean isCancelled() {
      return task instanceof CancellableTask cancellable && cancellable.isCancelled();
    }

    /**
     * Goes on with a search once it is let in.
     *
     * @param patience longest time to wait
     * @param proceed called in the context of the caller
     * @param listener told if the search is rejected or cancelled meanwhile
     */
    void enter(
        SearchRequest request, TimeValue patience, Runnable proceed, ActionListener<?> listener) {
      Runnable narrow =
          () -> {
            request.setMaxConcurrentShardRequests(1);
            proceed.run();
          };
      if (enter(patience, narrow, listener)) {
        narrow.run();
      }
    }

    private boolean enter(TimeValue patience, Runnable proceed, ActionListener<?> listener) {
      synchronized (Admission.this) {
        if (!admitted && (running >= limit() || !queue.isEmpty())) {
          List.copyOf(queue.keySet()).stream()
              .filter(waiting -> waiting.ticket.isCancelled())
              .forEach(Admission.this::giveUp);
          if (queue.size() < queueSize) {
            enqueue(new Waiting(this, patience, inContext(proceed), listener));
            return false;
          }
        } else {
          running += admitted ? 0 : 1;
          admitted = true;
          return true;
        }
      }
      stats.rejected();
      listener.onFailure(
          new OpenSearchRejectedExecutionException(
              "reranking: %s searches are running on this node and %s wait; try again later"
                  .formatted(limit(), queueSize)));
      return false;
    }

    @Override
    public void close() {
      synchronized (Admission.this) {
        if (admitted) {
          admitted = false;
          running--;
        }
        while (running < limit() && !queue.isEmpty()) {
          Waiting next = queue.keySet().iterator().next();
          if (next.ticket.isCancelled()) {
            giveUp(next);
          } else {
            leave(next);
            running++;
            next.ticket.admitted = true;
            execute(next.proceed);
          }
        }
      }
    }
  }

  private synchronized void enqueue(Waiting waiting) {
    queue.put(
        waiting,
        threads().schedule(() -> giveUp(waiting), waiting.patience, ThreadPool.Names.GENERIC));
  }

  private synchronized void giveUp(Waiting waiting) {
    if (leave(waiting)) {
      fail(waiting);
    }
  }

  private boolean leave(Waiting waiting) {
    Scheduler.ScheduledCancellable timer = queue.remove(waiting);
    if (timer != null) {
      timer.cancel();
    }
    return timer != null;
  }

  private ThreadPool threads() {
    return Objects.requireNonNull(threads, "started");
  }

  @SuppressWarnings("try") // closing restores
  private Runnable inContext(Runnable proceed) {
    Supplier<ThreadContext.StoredContext> context = context().newRestorableContext(true);
    return () -> {
      try (ThreadContext.StoredContext restored = context.get()) {
        proceed.run();
      }
    };
  }

  private void fail(Waiting waiting) {
    Exception cause;
    if (waiting.ticket.isCancelled()) {
      cause = new TaskCancelledException("cancelled before reranking");
    } else {
      stats.rejected();
      cause =
          new OpenSearchRejectedExecutionException(
              "reranking: not begun within %s; try again later".formatted(waiting.patience));
    }
    execute(() -> waiting.listener.onFailure(cause));
  }

  private void execute(Runnable work) {
    threads().generic().execute(work);
  }

  private ThreadContext context() {
    return threads().getThreadContext();
  }

  /** A ticket for a search that begins. */
  Ticket ticket(Task task) {
    return new Ticket(task);
  }

  /** Runs something with which the ticket goes, to be found by {@link #current}. */
  @SuppressWarnings("try") // closing restores
  void with(Ticket ticket, Runnable work) {
    ThreadContext context = context();
    // a search may begin where another one ends, in its context
    try (ThreadContext.StoredContext stored = context.newStoredContext(true, List.of(TICKET))) {
      context.putTransient(TICKET, ticket);
      work.run();
    }
  }

  /** The ticket of the search that is being prepared here. */
  @Nullable Ticket current() {
    return context().getTransient(TICKET);
  }
}
