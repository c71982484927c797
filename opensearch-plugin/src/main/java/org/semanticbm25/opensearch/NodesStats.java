package org.semanticbm25.opensearch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.opensearch.action.ActionType;
import org.opensearch.action.FailedNodeException;
import org.opensearch.action.support.ActionFilters;
import org.opensearch.action.support.nodes.BaseNodeResponse;
import org.opensearch.action.support.nodes.BaseNodesRequest;
import org.opensearch.action.support.nodes.BaseNodesResponse;
import org.opensearch.action.support.nodes.TransportNodesAction;
import org.opensearch.cluster.ClusterName;
import org.opensearch.cluster.node.DiscoveryNode;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.inject.Inject;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ToXContentFragment;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.TransportRequest;
import org.opensearch.transport.TransportService;

/** Asks nodes for their models and statistics. */
public final class NodesStats {
  static final ActionType<Response> ACTION =
      new ActionType<>("cluster:monitor/semantic_bm25/stats", Response::new);

  private NodesStats() {}

  /** What the action needs of a node, bound by its class. */
  record Source(Models models, SemanticFields fields, NodeStats stats) {}

  /** Asks nodes. */
  static final class Request extends BaseNodesRequest<Request> {
    Request(String... nodes) {
      super(nodes);
    }

    Request(StreamInput in) throws IOException {
      super(in);
    }
  }

  /** Asks one node. */
  static final class NodeRequest extends TransportRequest {
    NodeRequest() {}

    NodeRequest(StreamInput in) throws IOException {
      super(in);
    }
  }

  /** A node's answer. */
  static final class NodeResponse extends BaseNodeResponse implements ToXContentFragment {
    private final List<String> available;
    private final List<ModelInfo> models;
    private final StatsSnapshot stats;

    NodeResponse(
        DiscoveryNode node, List<String> available, List<ModelInfo> models, StatsSnapshot stats) {
      super(node);
      this.available = available;
      this.models = models;
      this.stats = stats;
    }

    NodeResponse(StreamInput in) throws IOException {
      super(in);
      available = in.readStringList();
      models = in.readList(ModelInfo::new);
      stats = new StatsSnapshot(in);
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      super.writeTo(out);
      out.writeStringCollection(available);
      out.writeList(models);
      stats.writeTo(out);
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
      builder.startObject(getNode().getId()).field("name", getNode().getName());
      if (params.paramAsBoolean(RestNodesStats.MODELS, false)) {
        builder.field("available", available).field("open", models);
      } else {
        stats.toXContent(builder, params);
      }
      return builder.endObject();
    }
  }

  /** The answers of all nodes. */
  static final class Response extends BaseNodesResponse<NodeResponse>
      implements ToXContentFragment {
    Response(ClusterName cluster, List<NodeResponse> nodes, List<FailedNodeException> failures) {
      super(cluster, nodes, failures);
    }

    Response(StreamInput in) throws IOException {
      super(in);
    }

    @Override
    protected List<NodeResponse> readNodesFrom(StreamInput in) throws IOException {
      return in.readList(NodeResponse::new);
    }

    @Override
    protected void writeNodesTo(StreamOutput out, List<NodeResponse> nodes) throws IOException {
      out.writeList(nodes);
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
      builder.startObject("nodes");
      for (NodeResponse node : getNodes()) {
        node.toXContent(builder, params);
      }
      return builder.endObject();
    }
  }

  /** Runs on each node. */
  public static final class Action
      extends TransportNodesAction<Request, Response, NodeRequest, NodeResponse> {
    private final Source source;

    /**
     * Made by OpenSearch, which needs a public class with a public constructor.
     *
     * @param threadPool of the node
     * @param clusterService of the node
     * @param transportService of the node
     * @param filters of all actions
     * @param source of what a node answers
     */
    @Inject
    @SuppressWarnings("this-escape") // of the base class
    public Action(
        ThreadPool threadPool,
        ClusterService clusterService,
        TransportService transportService,
        ActionFilters filters,
        Source source) {
      super(
          ACTION.name(),
          threadPool,
          clusterService,
          transportService,
          filters,
          Request::new,
          NodeRequest::new,
          ThreadPool.Names.MANAGEMENT,
          NodeResponse.class);
      this.source = source;
    }

    @Override
    protected Response newResponse(
        Request request, List<NodeResponse> nodes, List<FailedNodeException> failures) {
      return new Response(clusterService.getClusterName(), nodes, failures);
    }

    @Override
    protected NodeRequest newNodeRequest(Request request) {
      return new NodeRequest();
    }

    @Override
    protected NodeResponse newNodeResponse(StreamInput in) throws IOException {
      return new NodeResponse(in);
    }

    @Override
    protected NodeResponse nodeOperation(NodeRequest request) {
      try {
        return new NodeResponse(
            clusterService.localNode(),
            source.models().available(),
            source.models().opened(),
            source.stats().snapshot(source.fields()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
