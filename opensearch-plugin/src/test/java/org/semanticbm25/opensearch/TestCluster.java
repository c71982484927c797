package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Closeable;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.index.mapper.MapperExtrasModulePlugin;
import org.opensearch.index.reindex.ReindexModulePlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

/** A cluster in this process, with transport and HTTP on the loopback interface. */
final class TestCluster implements Closeable {
  private static final List<Class<? extends Plugin>> PLUGINS =
      List.of(
          Netty4ModulePlugin.class,
          MapperExtrasModulePlugin.class,
          ReindexModulePlugin.class,
          EnglishAnalyzerPlugin.class,
          SemanticBM25Plugin.class);

  static {
    // several nodes of one process may not tell Netty different numbers
    System.setProperty("opensearch.set.netty.runtime.available.processors", "false");
  }

  private final Path folder;
  private final Settings common;
  private final List<Integer> ports = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();

  /** A node with plugins of the class path. */
  private static final class PluginNode extends Node {
    PluginNode(Settings settings, Path config) {
      super(
          InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "node"),
          PLUGINS.stream().map(PluginNode::info).toList(),
          true);
    }

    private static PluginInfo info(Class<? extends Plugin> plugin) {
      String name = plugin.getName();
      return new PluginInfo(
          name, "on the class path", "1", Version.CURRENT, "21", name, List.of(), false);
    }
  }

  /** An answer: its status, its body, and its warnings. */
  record Response(int status, JsonNode body, List<String> warnings) {
    List<String> ids() {
      List<String> ids = new ArrayList<>();
      body.at("/hits/hits").forEach(hit -> ids.add(hit.get("_id").asText()));
      return ids;
    }

    List<Double> scores() {
      List<Double> scores = new ArrayList<>();
      body.at("/hits/hits").forEach(hit -> scores.add(hit.get("_score").asDouble()));
      return scores;
    }

    String reason() {
      return body.at("/error").toString();
    }
  }

  /** The response, if it is no error. */
  static Response ok(Response response) {
    assertTrue(response.status() < 300, () -> response.status() + " " + response.body());
    return response;
  }

  TestCluster(Path folder, int size, Settings common) throws Exception {
    this.folder = folder;
    this.common = common;
    for (int i = 0; i < size; i++) {
      try (ServerSocket socket = new ServerSocket(0)) {
        ports.add(socket.getLocalPort());
      }
      nodes.add(null);
    }
    List<Future<?>> starting = new ArrayList<>();
    try (ExecutorService starters = Executors.newFixedThreadPool(size)) {
      for (int i = 0; i < size; i++) {
        int number = i;
        starting.add(starters.submit(() -> start(number)));
      }
    }
    for (Future<?> node : starting) {
      node.get();
    }
  }

  /** Starts a node, or starts it again with the data that it had. */
  void start(int number) {
    try {
      Path home = folder.resolve("node" + number);
      Files.createDirectories(home.resolve("config"));
      Settings settings =
          Settings.builder()
              .put("cluster.name", "test")
              .put("node.name", "node" + number)
              .put("path.home", home.toString())
              .put("network.host", "127.0.0.1")
              .put("http.port", "0")
              .put("transport.port", ports.get(number))
              .put("transport.type", "netty4")
              .put("http.type", "netty4")
              .putList(
                  "discovery.seed_hosts", ports.stream().map(port -> "127.0.0.1:" + port).toList())
              .putList("cluster.initial_cluster_manager_nodes", "node0")
              .put("node.processors", 2)
              .put("thread_pool.search.size", 8)
              .put("semantic_bm25.threads", 1)
              .put("cluster.routing.allocation.disk.threshold_enabled", false)
              .put(common)
              .build();
      Node node = new PluginNode(settings, home.resolve("config"));
      node.start();
      nodes.set(number, node);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Stops a node, whatever it is doing. */
  void stop(int number) throws IOException {
    nodes.get(number).close();
  }

  /** Where a node listens for other nodes and clusters. */
  String transportAddress(int number) {
    return "127.0.0.1:" + ports.get(number);
  }

  Response get(String path) throws Exception {
    return request(0, "GET", path, null);
  }

  Response post(String path, String body) throws Exception {
    return request(0, "POST", path, body);
  }

  Response put(String path, String body) throws Exception {
    return request(0, "PUT", path, body);
  }

  /** Sends a request to a node. */
  Response request(int node, String method, String path, String body) throws Exception {
    int port =
        nodes
            .get(node)
            .injector()
            .getInstance(HttpServerTransport.class)
            .boundAddress()
            .publishAddress()
            .getPort();
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .header("Content-Type", "application/json")
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
    return new Response(
        response.statusCode(),
        response.body().startsWith("{") ? json.readTree(response.body()) : json.nullNode(),
        response.headers().allValues("warning"));
  }

  @Override
  public void close() throws IOException {
    client.close();
    for (Node node : nodes) {
      node.close();
    }
  }
}
