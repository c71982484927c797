package org.semanticbm25.onnx.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.testing.TinyModel;

/** Downloads from a server on this machine that misbehaves on request. */
class ModelDownloadTest {
  private static final String NAME = "someone/some-model";
  private static final String ONNX = "onnx/model.onnx";

  @TempDir Path folder;
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final List<String> ranges = new ArrayList<>();
  private HttpServer server;
  private ModelDownload download;
  private int breakAfter = Integer.MAX_VALUE;
  private boolean redirect;
  private boolean tellDigest;
  private boolean cdnDigest;
  private String tokenizerDigest;
  private final CountDownLatch release = new CountDownLatch(1);
  private boolean stall;

  @BeforeEach
  void start() throws IOException {
    byte[] model = new byte[300_000];
    new Random(1).nextBytes(model);
    files.put("onnx/model.onnx", model);
    files.put("tokenizer.json", TinyModel.tokenizer().getBytes(StandardCharsets.UTF_8));
    files.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
    download = new ModelDownload(address());
  }

  private URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  @AfterEach
  void stop() {
    release.countDown();
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String file = path.replaceFirst("^/(cdn|" + NAME + "/resolve/main)/", "");
    byte[] content = files.get(file);
    if (content == null) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    if (tellDigest && !path.startsWith("/cdn") && file.endsWith(".onnx")) {
      exchange.getResponseHeaders().set("X-Linked-ETag", '"' + sha256() + '"');
    }
    if (cdnDigest && path.startsWith("/cdn")) {
      exchange.getResponseHeaders().set("ETag", '"' + sha256() + '"');
    }
    if (tokenizerDigest != null && file.equals("tokenizer.json")) {
      exchange.getResponseHeaders().set("ETag", '"' + tokenizerDigest + '"');
    }
    if (redirect && !path.startsWith("/cdn")) {
      exchange.getResponseHeaders().set("Location", "/cdn/" + file);
      exchange.sendResponseHeaders(302, -1);
      return;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
    if (range != null) {
      ranges.add(range);
    }
    if (from >= content.length) {
      exchange.sendResponseHeaders(416, -1);
      return;
    }
    exchange.sendResponseHeaders(range == null ? 200 : 206, content.length - from);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(content, from, Math.min(content.length, breakAfter) - from);
      if (stall) {
        out.flush();
        release.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String sha256() throws IOException {
    Path copy = Files.write(folder.resolve("copy"), files.get(ONNX));
    return Digests.sha256(copy);
  }

  private NeuralModel fetch(Optional<String> sha256) throws IOException {
    return download.fetch(NAME, ONNX, sha256, folder.resolve("model"), Progress.SILENT);
  }

  @Test
  void fetchesWhatIsMissing() throws IOException {
    redirect = true;
    tellDigest = true;
    List<Long> seen = new ArrayList<>();
    NeuralModel model =
        download.fetch(
            NAME,
            ONNX,
            Optional.of(sha256()),
            folder.resolve("model"),
            (task, done, total) -> seen.add(total));
    assertArrayEquals(files.get(ONNX), Files.readAllBytes(model.onnx()));
    assertTrue(Files.exists(folder.resolve("model/config.json")));
    assertTrue(seen.contains(300_000L));
    // what is there is not fetched again, but looked at
    fetch(Optional.of(sha256()));
    fetch(Optional.empty());
    tellDigest = false;
    assertRefused(() -> fetch(Optional.empty()), "is there already");
    files.put("config.json", "{\"other\": 1}".getBytes(StandardCharsets.UTF_8));
    assertRefused(() -> fetch(Optional.of(sha256())), "is of another model");
    IOException e = assertThrows(IOException.class, () -> fetch(Optional.of("0".repeat(64))));
    assertTrue(e.getMessage().contains("is there, but"), e.getMessage());
    assertTrue(Files.exists(model.onnx()), "a file of the user's was removed");
  }

  private static void assertRefused(Executable fetch, String message) {
    IOException e = assertThrows(IOException.class, fetch);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void wantsADigestForTheModel() throws IOException {
    assertRefused(() -> fetch(Optional.empty()), "give it as --sha256");
    assertRefused(() -> fetch(Optional.of("abc")), "not a SHA-256");
    // what the place says that was redirected to does not count
    redirect = true;
    cdnDigest = true;
    assertRefused(() -> fetch(Optional.empty()), "give it as --sha256");
    tellDigest = true;
    cdnDigest = false;
    fetch(Optional.empty());
  }

  @Test
  void goesOnAfterAnInterruption() throws IOException {
    breakAfter = 100_000;
    assertRefused(() -> fetch(Optional.of(sha256())), "interrupted after");
    assertFalse(Files.exists(folder.resolve("model/onnx/model.onnx")), "half a model is in place");
    assertTrue(Files.size(folder.resolve("model/onnx/model.onnx.part")) > 0);
    breakAfter = Integer.MAX_VALUE;
    NeuralModel model = fetch(Optional.of(sha256()));
    assertEquals(1, ranges.size());
    assertArrayEquals(files.get(ONNX), Files.readAllBytes(model.onnx()));
    assertFalse(Files.exists(folder.resolve("model/onnx/model.onnx.part")));
  }

  @Test
  void takesAPartThatIsWhole() throws IOException {
    Files.createDirectories(folder.resolve("model/onnx"));
    Files.write(folder.resolve("model/onnx/model.onnx.part"), files.get(ONNX));
    assertArrayEquals(files.get(ONNX), Files.readAllBytes(fetch(Optional.of(sha256())).onnx()));
  }

  @Test
  void refusesWhatWasChangedOnItsWay() throws IOException {
    String expected = sha256();
    files.get(ONNX)[1234] ^= 1;
    IOException e = assertThrows(IOException.class, () -> fetch(Optional.of(expected)));
    assertTrue(e.getMessage().contains("damaged or changed on its way"), e.getMessage());
    assertNothingLeft();

    // the hub's own word counts where there is no other
    tellDigest = true;
    redirect = true;
    byte[] content = files.get(ONNX);
    Path part = folder.resolve("model/onnx/model.onnx.part");
    Files.write(part, Arrays.copyOf(new byte[9], 9));
    e = assertThrows(IOException.class, () -> fetch(Optional.empty()));
    assertTrue(e.getMessage().contains("damaged or changed on its way"), e.getMessage());
    assertNothingLeft();
    assertArrayEquals(content, Files.readAllBytes(fetch(Optional.empty()).onnx()));
  }

  private void assertNothingLeft() {
    assertFalse(Files.exists(folder.resolve("model/onnx/model.onnx")));
    assertFalse(Files.exists(folder.resolve("model/onnx/model.onnx.part")));
  }

  @Test
  void saysWhatIsWrongWithNamesAndAddresses() {
    IOException e =
        assertThrows(
            IOException.class,
            () -> download.fetch("someone/else", ONNX, Optional.empty(), folder, Progress.SILENT));
    assertTrue(e.getMessage().contains("the hub answers 404"), e.getMessage());
    for (String name : List.of("model", "../..", "a/b/c", "a/b?c")) {
      e =
          assertThrows(
              IOException.class,
              () -> download.fetch(name, ONNX, Optional.empty(), folder, Progress.SILENT));
      assertTrue(e.getMessage().contains("owner/model"), e.getMessage());
    }
    for (String hub : List.of("http://192.0.2.1/", "ftp://127.0.0.1/", "models")) {
      e = assertThrows(IOException.class, () -> new ModelDownload(URI.create(hub)));
      assertTrue(e.getMessage().contains("HTTPS"), e.getMessage());
    }
    server.stop(0);
    e = assertThrows(IOException.class, () -> fetch(Optional.empty()));
    assertTrue(e.getMessage().contains("cannot be reached"), e.getMessage());
  }

  @Test
  void whatWasInterruptedBetweenFilesIsFinished() throws IOException {
    tellDigest = true;
    byte[] tokenizer = files.remove("tokenizer.json");
    assertThrows(IOException.class, () -> fetch(Optional.empty()));
    assertTrue(Files.exists(folder.resolve("model").resolve(ONNX)));
    files.put("tokenizer.json", tokenizer);
    assertTrue(Files.exists(fetch(Optional.empty()).tokenizer()));
  }

  @Test
  void aServerThatFallsSilentIsNotWaitedFor() throws IOException {
    breakAfter = 100_000;
    stall = true;
    download = new ModelDownload(address(), Duration.ofMillis(200));
    String digest = sha256();
    IOException e = assertThrows(IOException.class, () -> fetch(Optional.of(digest)));
    assertTrue(e.getMessage().contains("nothing came for"), e.getMessage());
  }

  @Test
  void aTokenizerThatWasChangedOnItsWayIsNotKept() throws IOException {
    tellDigest = true;
    tokenizerDigest = "0".repeat(40);
    IOException e = assertThrows(IOException.class, () -> fetch(Optional.empty()));
    assertTrue(e.getMessage().contains("was damaged or changed"), e.getMessage());
    // echo -n hello | git hash-object --stdin
    files.put("tokenizer.json", "hello".getBytes(StandardCharsets.UTF_8));
    tokenizerDigest = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";
    assertEquals("hello", Files.readString(fetch(Optional.empty()).tokenizer()));
  }
}
