package org.semanticbm25.eval.serve;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.compare.Page;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.similarity.model.ScoringParameters;

/**
 * Serves the live page and its searches over HTTP. Requests are bounded: in length, in time, and in
 * how many search or rerank at once; the rest are told to come again. Only GET is answered, only by
 * the names of the address that is listened on, and searches only for pages of this server, so that
 * no other site that a user visits can ask.
 */
public final class PageServer implements Closeable {
  private static final int MAX_URI = 16_384;
  private static final int RERANKING = 2;
  private static final long WAIT_SECONDS = 10;
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  private static final Map<String, String> FILES =
      Map.of(
          "/", "serve.html",
          "/style.css", "style.css",
          "/hits.js", "hits.js",
          "/serve.js", "serve.js");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final LiveSearch search;
  private final HttpServer server;
  private final String name;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore searching = new Semaphore(2 * Runtime.getRuntime().availableProcessors());
  private final Semaphore reranking = new Semaphore(RERANKING);

  static {
    // read when the first server is made: slow clients are cut off
    System.setProperty("sun.net.httpserver.maxReqTime", "10");
    System.setProperty("sun.net.httpserver.maxRspTime", "120");
    System.setProperty("jdk.httpserver.maxConnections", "256");
  }

  /**
   * Begins to serve.
   *
   * @param name of the address, as it was asked for
   */
  public PageServer(LiveSearch search, InetAddress address, String name, int port)
      throws IOException {
    this.search = search;
    this.name = name;
    server = HttpServer.create(new InetSocketAddress(address, port), 0);
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  /** What is listened on. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  /** What is sent back. */
  private record Reply(int status, String type, String body) {
    static Reply error(int status, String message) throws IOException {
      return json(status, Map.of("error", message));
    }

    static Reply json(int status, Object value) throws IOException {
      return new Reply(status, "application/json", JSON.writeValueAsString(value));
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Reply reply;
      try {
        reply = reply(exchange);
      } catch (IllegalArgumentException e) {
        reply = Reply.error(400, String.valueOf(e.getMessage()));
      } catch (TimeoutException | RejectedExecutionException e) {
        reply = Reply.error(503, "busy; try again");
      } catch (IOException | RuntimeException e) {
        Terminal.say("%s: %s", exchange.getRequestURI().getPath(), e);
        reply = Reply.error(500, "could not be done; see the terminal");
      }
      send(exchange, reply);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void send(HttpExchange exchange, Reply reply) throws IOException {
    byte[] body = reply.body.getBytes(StandardCharsets.UTF_8);
    var headers = exchange.getResponseHeaders();
    headers.set("Content-Type", reply.type + "; charset=utf-8");
    headers.set("Content-Security-Policy", POLICY);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(reply.status, body.length);
    exchange.getResponseBody().write(body);
  }

  private Reply reply(HttpExchange exchange)
      throws IOException, InterruptedException, TimeoutException {
    if (!exchange.getRequestMethod().equals("GET")) {
      return Reply.error(405, "only GET");
    }
    if (!isForUs(exchange.getRequestHeaders().getFirst("Host"))) {
      return Reply.error(403, "ask by the address that the page was started with");
    }
    String path = exchange.getRequestURI().getPath();
    String site = exchange.getRequestHeaders().getFirst("Sec-Fetch-Site");
    if (path.startsWith("/api/") && site != null && !site.matches("same-origin|none")) {
      return Reply.error(403, "not for other sites");
    }
    String file = FILES.get(path);
    if (file != null) {
      return new Reply(200, type(file), Page.resource(file));
    }
    String raw = exchange.getRequestURI().getRawQuery();
    return switch (path) {
      case "/api/defaults" -> Reply.json(200, defaults());
      case "/api/search" -> limited(searching, () -> search.search(setting(raw)));
      case "/api/rerank" -> limited(reranking, () -> search.rerank(setting(raw)));
      default -> Reply.error(404, "no such page");
    };
  }

  /** Whether a host is the address that is listened on, by number or by the name it was given. */
  private boolean isForUs(String host) {
    if (host == null) {
      return false;
    }
    String asked = host.replaceFirst(":\\d+$", "");
    InetAddress own = server.getAddress().getAddress();
    if (asked.matches("[\\d.]+|\\[[\\da-fA-F:.]+]")) {
      return own.isAnyLocalAddress() || isAddress(asked, own);
    }
    boolean local = own.isAnyLocalAddress() || own.isLoopbackAddress();
    return asked.equalsIgnoreCase(name) || (local && asked.equalsIgnoreCase("localhost"));
  }

  private static boolean isAddress(String number, InetAddress own) {
    try {
      return InetAddress.getByName(number).equals(own);
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** Where the page is. */
  public String url() {
    return "http://%s:%d/".formatted(inUrl(server.getAddress().getAddress()), address().getPort());
  }

  private static String inUrl(InetAddress address) {
    String number = address.getHostAddress();
    return number.indexOf(':') >= 0 ? "[" + number + "]" : number;
  }

  private static String type(String file) {
    return file.endsWith(".html")
        ? "text/html"
        : file.endsWith(".css") ? "text/css" : "text/javascript";
  }

  /** Does something within a time. */
  private interface Work {
    Object get() throws IOException, TimeoutException;
  }

  private static Reply limited(Semaphore places, Work work)
      throws IOException, InterruptedException, TimeoutException {
    if (!places.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS)) {
      return Reply.error(503, "busy; try again");
    }
    try {
      return Reply.json(200, work.get());
    } finally {
      places.release();
    }
  }

  private Map<String, Object> defaults() {
    ScoringParameters parameters = search.defaults();
    Map<String, Object> defaults = new LinkedHashMap<>();
    defaults.put("k1", parameters.k1());
    defaults.put("b", parameters.b());
    defaults.put("soft", parameters.maxSoftTerms());
    defaults.put("threshold", parameters.threshold());
    defaults.put("blend", parameters.idfBlend());
    defaults.put("w", CrossEncoderRescorer.FIRST_PASS_WEIGHT);
    defaults.put("field", search.field());
    defaults.put("documents", search.size());
    return defaults;
  }

  private Setting setting(String rawQuery) {
    if (rawQuery != null && rawQuery.length() > MAX_URI) {
      throw new IllegalArgumentException("too long");
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (String pair : rawQuery == null ? new String[0] : rawQuery.split("&")) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        values.put(decoded(pair.substring(0, equals)), decoded(pair.substring(equals + 1)));
      }
    }
    return Setting.of(values, search.defaults());
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
