package org.semanticbm25.opensearch;

import java.util.List;
import java.util.Map;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.rest.BaseRestHandler;
import org.opensearch.rest.RestRequest;
import org.opensearch.rest.RestRequest.Method;
import org.opensearch.rest.RestResponse;
import org.opensearch.rest.action.RestActions;
import org.opensearch.rest.action.RestActions.NodesResponseRestListener;
import org.opensearch.transport.client.node.NodeClient;

/** {@code GET /_plugins/_semantic_bm25/stats} and {@code /models}, of all nodes or some. */
final class RestNodesStats extends BaseRestHandler {
  static final String MODELS = "models";
  private static final String PATH = "/_plugins/_semantic_bm25/";

  @Override
  public String getName() {
    return "semantic_bm25_stats";
  }

  @Override
  public List<Route> routes() {
    return List.of(
        new Route(Method.GET, PATH + "stats"),
        new Route(Method.GET, PATH + "stats/{nodeId}"),
        new Route(Method.GET, PATH + "models"),
        new Route(Method.GET, PATH + "models/{nodeId}"));
  }

  @Override
  protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
    boolean models = request.path().startsWith(PATH + MODELS);
    NodesStats.Request nodes =
        new NodesStats.Request(request.paramAsStringArray("nodeId", new String[0]));
    ToXContent.Params params =
        new ToXContent.DelegatingMapParams(Map.of(MODELS, Boolean.toString(models)), request);
    return channel ->
        client.execute(
            NodesStats.ACTION,
            nodes,
            new NodesResponseRestListener<>(channel) {
              @Override
              public RestResponse buildResponse(
                  NodesStats.Response response, XContentBuilder builder) throws Exception {
                return RestActions.nodesResponse(builder, params, response);
              }
            });
  }
}
