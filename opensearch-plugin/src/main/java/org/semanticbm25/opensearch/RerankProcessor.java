package org.semanticbm25.opensearch;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.search.BooleanClause;
import org.jspecify.annotations.Nullable;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.xcontent.LoggingDeprecationHandler;
import org.opensearch.common.xcontent.XContentType;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.index.query.MultiMatchQueryBuilder;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.index.query.QueryBuilderVisitor;
import org.opensearch.ingest.ConfigurationUtils;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.pipeline.AbstractProcessor;
import org.opensearch.search.pipeline.PipelineProcessingContext;
import org.opensearch.search.pipeline.Processor;
import org.opensearch.search.pipeline.SearchRequestProcessor;

/**
 * The search request processor {@value #TYPE}: asks for reranking where a request does not ask for
 * it, by the text of its query. Requests without a text, with more than one, with a sort or a
 * collapse, or with a rescorer of their own are left as they are.
 */
final class RerankProcessor extends AbstractProcessor implements SearchRequestProcessor {
  static final String TYPE = "semantic_rerank";

  private final SemanticRescorerBuilder template;
  private final int window;
  private final Admission admission;

  private RerankProcessor(
      String tag,
      String description,
      boolean ignoreFailure,
      SemanticRescorerBuilder template,
      int window,
      Admission admission) {
    super(tag, description, ignoreFailure);
    this.template = template;
    this.window = window;
    this.admission = admission;
  }

  /** Makes processors by the configuration of a search pipeline. */
  static final class Factory implements Processor.Factory<SearchRequestProcessor> {
    private final Reranker reranker;
    private final Admission admission;

    Factory(Reranker reranker, Admission admission) {
      this.reranker = reranker;
      this.admission = admission;
    }

    @Override
    public SearchRequestProcessor create(
        Map<String, Processor.Factory<SearchRequestProcessor>> factories,
        String tag,
        String description,
        boolean ignoreFailure,
        Map<String, Object> config,
        Processor.PipelineContext context)
        throws IOException {
      String rescorer =
          ConfigurationUtils.readStringProperty(
              TYPE, tag, config, "rescorer", SemanticRescorerBuilder.Kind.CROSS_ENCODER.name);
      int window = ConfigurationUtils.readIntProperty(TYPE, tag, config, "window_size", 100);
      if (window < 1) {
        throw ConfigurationUtils.newConfigurationException(
            TYPE, tag, "window_size", "must be 1 or more");
      }
      SemanticRescorerBuilder.Kind kind = SemanticRescorerBuilder.Kind.of(rescorer);
      try (XContentBuilder json = XContentBuilder.builder(XContentType.JSON.xContent());
          XContentParser parser = parser(json.map(config))) {
        SemanticRescorerBuilder template = SemanticRescorerBuilder.template(kind, reranker, parser);
        // what is left is what nobody has read
        config.clear();
        return new RerankProcessor(tag, description, ignoreFailure, template, window, admission);
      }
    }

    private static XContentParser parser(XContentBuilder json) throws IOException {
      return XContentType.JSON
          .xContent()
          .createParser(
              NamedXContentRegistry.EMPTY,
              LoggingDeprecationHandler.INSTANCE,
              BytesReference.bytes(json).streamInput());
    }
  }

  @Override
  public void processRequestAsync(
      SearchRequest request,
      PipelineProcessingContext context,
      ActionListener<SearchRequest> listener) {
    String text = textToRerankBy(request.source());
    Admission.Ticket ticket = admission.current();
    if (text == null) {
      listener.onResponse(request);
      return;
    }
    Runnable proceed = () -> listener.onResponse(withRescorer(request, text));
    if (ticket == null) {
      proceed.run();
    } else {
      ticket.enter(request, template.timeout(), proceed, listener);
    }
  }

  @Override
  public SearchRequest processRequest(SearchRequest request) {
    throw new UnsupportedOperationException("asynchronous");
  }

  private SearchRequest withRescorer(SearchRequest request, String text) {
    request.source().addRescorer(template.withText(text, window));
    return request;
  }

  private static @Nullable String textToRerankBy(@Nullable SearchSourceBuilder source) {
    if (source == null
        || source.query() == null
        || source.sorts() != null
        || source.collapse() != null
        || (source.rescores() != null && !source.rescores().isEmpty())) {
      return null;
    }
    Set<String> texts = texts(source.query());
    return texts.size() == 1 ? texts.iterator().next() : null;
  }

  private static Set<String> texts(QueryBuilder query) {
    Set<String> texts = new LinkedHashSet<>();
    query.visit(
        new QueryBuilderVisitor() {
          @Override
          public void accept(QueryBuilder part) {
            String text = text(part);
            if (text != null) {
              texts.add(text);
            }
          }

          @Override
          public QueryBuilderVisitor getChildVisitor(BooleanClause.Occur occur) {
            boolean scores =
                occur == BooleanClause.Occur.MUST || occur == BooleanClause.Occur.SHOULD;
            return scores ? this : NO_OP_VISITOR;
          }
        });
    return texts;
  }

  private static @Nullable String text(QueryBuilder query) {
    return switch (query) {
      case TextQueryBuilder<?> own -> own.text();
      case MatchQueryBuilder match -> String.valueOf(match.value());
      case MultiMatchQueryBuilder match -> String.valueOf(match.value());
      default -> null;
    };
  }

  @Override
  public String getType() {
    return TYPE;
  }
}
