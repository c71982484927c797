package org.semanticbm25.opensearch;

import org.jspecify.annotations.Nullable;
import org.opensearch.action.ActionRequest;
import org.opensearch.action.search.SearchAction;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.support.ActionFilter;
import org.opensearch.action.support.ActionFilterChain;
import org.opensearch.action.support.ActionRequestMetadata;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.action.ActionResponse;
import org.opensearch.search.rescore.RescorerBuilder;
import org.opensearch.tasks.Task;

/** Holds every search that asks for reranking until {@link Admission} lets it in. */
final class AdmissionFilter implements ActionFilter {
  private final Admission admission;

  AdmissionFilter(Admission admission) {
    this.admission = admission;
  }

  @Override
  public int order() {
    // after those that decide who may search at all
    return Integer.MAX_VALUE;
  }

  @Override
  public <Request extends ActionRequest, Response extends ActionResponse> void apply(
      Task task,
      String action,
      Request request,
      ActionRequestMetadata<Request, Response> metadata,
      ActionListener<Response> listener,
      ActionFilterChain<Request, Response> chain) {
    if (!action.equals(SearchAction.NAME) || !(request instanceof SearchRequest search)) {
      chain.proceed(task, action, request, listener);
      return;
    }
    Admission.Ticket ticket = admission.ticket(task);
    ActionListener<Response> releasing = ActionListener.runBefore(listener, ticket::close);
    Runnable proceed =
        () -> admission.with(ticket, () -> chain.proceed(task, action, request, releasing));
    SemanticRescorerBuilder rescorer = rescorer(search);
    if (rescorer == null) {
      proceed.run();
    } else {
      ticket.enter(search, rescorer.timeout(), proceed, releasing);
    }
  }

  private static @Nullable SemanticRescorerBuilder rescorer(SearchRequest search) {
    if (search.source() != null && search.source().rescores() != null) {
      for (RescorerBuilder<?> rescorer : search.source().rescores()) {
        if (rescorer instanceof SemanticRescorerBuilder own) {
          return own;
        }
      }
    }
    return null;
  }
}
