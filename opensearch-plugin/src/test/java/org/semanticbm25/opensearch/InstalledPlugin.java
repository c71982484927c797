package org.semanticbm25.opensearch;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

/**
 * A node that loads the plugin from its {@code plugins} folder, with a class loader of its own.
 * Runs in a process that has the server's classes and this one.
 */
final class InstalledPlugin {
  private InstalledPlugin() {}

  private static final class InstalledNode extends Node {
    InstalledNode(Environment environment) {
      super(
          environment,
          List.of(
              new PluginInfo(
                  "netty",
                  "transport",
                  "1",
                  Version.CURRENT,
                  "21",
                  Netty4ModulePlugin.class.getName(),
                  List.of(),
                  false)),
          true);
    }
  }

  /** Prints what a search answers. */
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Settings settings =
        Settings.builder()
            .put("path.home", home.toString())
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("discovery.type", "single-node")
            .build();
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(
            settings, Map.of(), home.resolve("config"), () -> "node");
    try (Node node = new InstalledNode(environment)) {
      node.start();
      String address =
          "http://"
              + node.injector()
                  .getInstance(HttpServerTransport.class)
                  .boundAddress()
                  .publishAddress();
      request(address, "POST", "/docs/_doc/1?refresh=true", "{\"body\": \"inexpensive laptops\"}");
      String search =
          """
          {"query": {"semantic_match": {"body": "cheap notebook"}},
           "rescore": {"cross_encoder": {"field": "body", "text": "cheap notebook"}}}
          """;
      System.out.println("ANSWER " + request(address, "POST", "/docs/_search", search));
      System.out.println("PLUGINS " + request(address, "GET", "/_cat/plugins", null));
    }
  }

  private static String request(String address, String method, String path, String body)
      throws Exception {
    var publisher =
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(body);
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(address + path))
                  .header("Content-Type", "application/json")
                  .method(method, publisher)
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }
}
