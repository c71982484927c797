package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.WebElement;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.serve.CopiedCommands;
import org.semanticbm25.eval.serve.LiveSearch;
import org.semanticbm25.eval.serve.PageServer;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.field.SemanticField;

/** The report and the live page, in a browser, with texts that try to break them. */
class PagesTest {
  private static final String HOSTILE = "<img src=x onerror=\"window.broken=1\">";
  private static final String HOSTILE_NAME = "</script><i>\"&\u202E";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path folder;

  private static final Map<String, String> PASSAGES = new LinkedHashMap<>();
  private static final Map<String, String> QUERIES = new LinkedHashMap<>();

  static {
    PASSAGES.put("p1", "Inexpensive laptops with a long battery life");
    PASSAGES.put("p2", "A cheap notebook computer for students");
    PASSAGES.put("p3", "Bread is baked from flour, water and yeast");
    PASSAGES.put("p4", "The price of flour rose again this winter");
    PASSAGES.put(
        HOSTILE, "</script><script>window.broken=2</script> a laptop {{scripts}} {{data}}");
    PASSAGES.put(
        "a\u202Eb\u0001\uD83D\uDE80",
        "\u05D7\u05DC\u05DC cheap \u0007\u2028 \uD83D\uDCBB computer <!-- --> ]]>");
    PASSAGES.put("huge", "laptop computer flour ".repeat(50_000));
    QUERIES.put("q1", "cheap laptop");
    QUERIES.put("q2", "bread flour");
    QUERIES.put("q3", HOSTILE + " computer </script>");
  }

  @BeforeAll
  static void write() throws Exception {
    Path set = Files.createDirectories(folder.resolve("<b>set&\"")).toAbsolutePath();
    Files.createDirectories(set.resolve("qrels"));
    Files.writeString(set.resolve("corpus.jsonl"), records(PASSAGES));
    Files.writeString(set.resolve("queries.jsonl"), records(QUERIES));
    Files.writeString(
        set.resolve("qrels/test.tsv"),
        "query-id\tcorpus-id\tscore\nq1\tp1\t2\nq1\tp2\t1\nq2\tp3\t1\nq3\tp2\t1\n");
    Files.writeString(folder.resolve("other.run"), "q1 Q0 p3 1 2.0 x\nq1 Q0 gone 2 1.0 x\n");
    assertEquals(
        0,
        Main.run(
            "compare",
            set.toString(),
            "--no-contextual",
            "--home",
            folder.resolve("home").toString(),
            "--system",
            HOSTILE_NAME + "=" + folder.resolve("other.run"),
            "-o",
            folder.resolve("report.html").toString()));
    assertEquals(
        0,
        Main.run(
            "index", set.resolve("corpus.jsonl").toString(), folder.resolve("index").toString()));
  }

  private static String records(Map<String, String> texts) throws Exception {
    StringBuilder lines = new StringBuilder();
    for (Map.Entry<String, String> text : texts.entrySet()) {
      lines.append(JSON.writeValueAsString(Map.of("_id", text.getKey(), "text", text.getValue())));
      lines.append('\n');
    }
    return lines.toString();
  }

  @Test
  void filesHoldWhatIsShown() throws Exception {
    JsonNode report = JSON.readTree(folder.resolve("report.json").toFile());
    JsonNode set = report.at("/collections/0");
    List<String> names = new ArrayList<>();
    set.path("systems").forEach(system -> names.add(system.path("name").asText()));
    assertEquals(
        List.of(
            "bm25",
            "semantic",
            "attention-2",
            "attention-4",
            "cross-encoder + bm25",
            "cross-encoder",
            HOSTILE_NAME),
        names);
    assertEquals(3, set.path("details").size());
    for (JsonNode system : set.path("systems")) {
      assertTrue(system.at("/measures/nDCG@10").isNumber(), system::toString);
    }
    int sums = 0;
    for (JsonNode query : set.path("details")) {
      for (String system : List.of("bm25", "semantic")) {
        for (JsonNode hit : query.path("hits").path(system)) {
          double sum = 0;
          for (JsonNode part :
              query.path("passages").path(hit.path("id").asText()).path("scores").path(system)) {
            sum += part.asDouble();
          }
          assertEquals(hit.path("score").asDouble(), sum, 1e-4, system + hit);
          sums++;
        }
      }
    }
    assertTrue(sums > 10, sums + " hits");
    String csv = Files.readString(folder.resolve("report.csv"));
    assertTrue(csv.startsWith("collection,system,query,figure,value\r\n"));
    assertTrue(csv.contains("\"</script><i>\"\"&\u202E\",q1,nDCG@10,0.0"), csv);
    assertEquals(6, report.at("/heads/weights").size());
    assertEquals(3, set.at("/lengths/0/queries").asInt());
    String markdown = Files.readString(folder.resolve("report.md"));
    assertTrue(
        markdown
            .lines()
            .anyMatch(line -> line.matches(".* \\| up to 10 \\| 3 \\| nDCG@10 \\| 0\\..*")),
        markdown);
  }

  @Test
  void reportInABrowser() throws Exception {
    try (Browser browser = new Browser(folder.resolve("profile1"))) {
      for (int width : new int[] {1280, 400}) {
        for (boolean dark : new boolean[] {false, true}) {
          browser.open(folder.resolve("report.html").toUri().toString(), width, dark);
          lookAtReport(browser);
          browser.check("report-" + width + (dark ? "-dark" : "-light"));
          assertNull(browser.run("return window.broken"));
        }
      }
    }
  }

  private static void lookAtReport(Browser browser) {
    assertEquals("<b>set&\"", browser.one("#collections button").getText());
    assertEquals(7, browser.all("#systems table:first-child tbody tr").size());
    assertEquals(4, browser.all("#systems table").size());
    assertEquals(6, browser.all("#frontier .dot").size());
    assertEquals(5, browser.all("#scatter svg").size());
    assertEquals(72, browser.all("#heads rect").size());
    assertEquals(3, browser.all("#bars rect").size());
    browser.set("#search", "LAPTOP");
    assertEquals(1, browser.all("#queries button").size());
    browser.set("#search", "");
    assertEquals(3, browser.all("#queries button").size());
    browser.set("#system", "cross-encoder");
    browser.await(
        "another system",
        () -> browser.one("#tally").getText().startsWith("cross-encoder against"));
    browser.one("#queries button[data-id=q1]").click();
    assertEquals("cheap laptop", browser.one("#query-heading").getText());
    assertEquals(7, browser.all("#query .columns > div").size());
    assertEquals(2, browser.all("#query .terms li").size());
    WebElement hit = browser.one("#query .columns div:nth-child(3) .hit[data-id=p2]");
    assertTrue(hit.getText().contains("grade 1"), hit.getText());
    hit.click();
    assertTrue(browser.all("#query .passage mark").size() >= 3);
    assertEquals(2, browser.all("#query .passage tbody tr").size());
    assertTrue(browser.one("#query .reason").getText().contains("semantic"));
    assertEquals("true", hit.getDomAttribute("aria-pressed"));
  }

  /** The live page on an index of these passages. */
  private interface Visit {
    void at(PageServer server) throws Exception;
  }

  private static void serve(Visit visit) throws Exception {
    try (DirectoryReader reader = CollectionIndexes.openIndex(folder.resolve("index"));
        CrossEncoder encoder =
            CrossEncoder.builder(NeuralModel.bundled(folder.resolve("home/models"))).open()) {
      EnglishAnalyzer analyzer = new EnglishAnalyzer();
      LiveSearch search =
          new LiveSearch(
              reader,
              SemanticField.of(EnglishModel.load(), "contents", analyzer),
              analyzer,
              new CopiedCommands(" --field contents", " --field contents -- index"),
              null,
              encoder,
              20);
      try (PageServer server =
          new PageServer(search, InetAddress.getLoopbackAddress(), "localhost", 0)) {
        visit.at(server);
      }
    }
  }

  private static String address(PageServer server) {
    return "http://127.0.0.1:" + server.address().getPort();
  }

  @Test
  void livePageInABrowser() throws Exception {
    serve(
        server -> {
          try (Browser browser = new Browser(folder.resolve("profile2"))) {
            for (int width : new int[] {1280, 400}) {
              for (boolean dark : new boolean[] {false, true}) {
                browser.open(address(server) + "/", width, dark);
                searchLive(browser);
                browser.check("serve-" + width + (dark ? "-dark" : "-light"));
                assertNull(browser.run("return window.broken"));
              }
            }
          }
        });
  }

  /** In one step, since the page may change meanwhile. */
  private static Object hits(Browser browser, int column) {
    return browser.run(
        "return [...document.querySelectorAll(arguments[0])].map(hit => hit.dataset.id)",
        "#hits .columns > div:nth-child(" + column + ") .hit");
  }

  private static void searchLive(Browser browser) {
    browser.await("defaults", () -> browser.one("#about").getText().contains("7 documents"));
    browser.one("#q").sendKeys("cheap notebook");
    browser.one("#ask button").click();
    browser.await("three rankings", () -> browser.all("#hits .columns > div").size() == 3);
    Object before = hits(browser, 2);
    assertTrue(before.toString().contains("p1, ") && before.toString().contains("p2, "));
    browser.one("#hits .columns > div:nth-child(2) .hit").click();
    assertEquals(2, browser.all("#detail tbody tr").size());
    browser.set("#soft", "0");
    browser.await(
        "no soft terms", () -> browser.one("#command").getText().contains("--soft-terms 0"));
    browser.await(
        "fewer hits", () -> hits(browser, 2).toString().length() < before.toString().length());
    browser.set("#soft", "4");
    browser.await("as before", () -> hits(browser, 2).equals(before));
    browser.one("#word").sendKeys("notebook");
    browser.one("[data-factor='0']").click();
    browser.await("blocked", () -> browser.one("#java").getText().contains("\"notebook\", 0.0f"));
    assertNotEquals(before, hits(browser, 2));
    assertEquals(1, browser.all("#terms li").size());
    browser.one("#edits button").click();
    browser.await("undone", () -> hits(browser, 2).equals(before));
    browser.one("#q").clear();
    browser.one("#q").sendKeys(HOSTILE + " computer");
    browser.one("#ask button").click();
    browser.await("three rankings", () -> browser.all("#hits .columns > div").size() == 3);
  }

  @Test
  void outlivesBadAndManyClients() throws Exception {
    serve(
        server -> {
          malformed(server);
          slow(server);
          try (HttpClient client = HttpClient.newHttpClient();
              ExecutorService callers = Executors.newFixedThreadPool(50)) {
            List<Future<Integer>> running = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
              String path = i % 10 == 0 ? "/api/rerank?q=laptop" : "/api/search?q=cheap+laptop";
              running.add(callers.submit(() -> get(client, address(server) + path).statusCode()));
            }
            int answered = 0;
            for (Future<Integer> status : running) {
              assertTrue(List.of(200, 503).contains(status.get()), "status " + status.get());
              answered += status.get() == 200 ? 1 : 0;
            }
            assertTrue(answered > 150, answered + " of 200 answered");
            refused(client, server);
          }
        });
  }

  private static HttpResponse<String> get(HttpClient client, String address) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.ofString());
  }

  /** Requests of random bytes, and some that look like HTTP. */
  private static void malformed(PageServer server) throws Exception {
    Random random = new Random(42);
    String[] lines = {
      "GET / HTTP/1.1\r\n\r\n",
      "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /api/search?q=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
      "GET " + "/".repeat(10_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
    };
    for (int i = 0; i < 1000; i++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      try (Socket socket = new Socket(server.address().getAddress(), server.address().getPort())) {
        socket
            .getOutputStream()
            .write(
                i % 2 == 0 ? bytes : lines[i / 2 % lines.length].getBytes(StandardCharsets.UTF_8));
      } catch (java.io.IOException e) {
        // the server may hang up first
        assertFalse(e instanceof java.net.ConnectException, e::toString);
      }
    }
  }

  /** Clients that begin and never end. */
  private static void slow(PageServer server) throws Exception {
    List<Socket> sockets = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
      socket.getOutputStream().write("GET / HT".getBytes(StandardCharsets.UTF_8));
      sockets.add(socket);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      assertEquals(200, get(client, address(server) + "/").statusCode());
    }
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private static void refused(HttpClient client, PageServer server) throws Exception {
    String search = address(server) + "/api/search?q=laptop";
    for (String bad :
        List.of(
            "&k1=-1",
            "&k1=NaN",
            "&b=2",
            "&soft=1.5",
            "&soft=1000000000",
            "&threshold=1",
            "&blend=x",
            "&w=-1",
            "&edits=laptop",
            "&edits=a%3D1e9",
            "&edits=two%20words%3D2",
            "&edits=the%3D2",
            "&q=" + "x".repeat(3000))) {
      HttpResponse<String> response = get(client, search + bad);
      assertEquals(400, response.statusCode(), bad);
      assertFalse(response.body().contains("Exception"), response.body());
    }
    assertEquals(404, get(client, address(server) + "/nothing").statusCode());
    HttpResponse<String> page = get(client, address(server) + "/");
    String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
    assertTrue(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
    for (String foreign :
        List.of(
            "GET / HTTP/1.1\r\nHost: evil.example",
            "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example:80",
            "GET /api/search?q=laptop HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site")) {
      assertTrue(raw(server, foreign).startsWith("HTTP/1.1 403"), foreign);
    }
    for (String own :
        List.of(
            "GET / HTTP/1.1\r\nHost: localhost:1\r\nSec-Fetch-Site: cross-site",
            "GET /api/defaults HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin")) {
      assertTrue(raw(server, own).startsWith("HTTP/1.1 200"), own);
    }
  }

  private static String raw(PageServer server, String head) throws Exception {
    try (Socket socket = new Socket(server.address().getAddress(), server.address().getPort())) {
      socket
          .getOutputStream()
          .write((head + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.UTF_8));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
