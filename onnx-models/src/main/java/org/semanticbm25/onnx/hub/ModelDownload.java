package org.semanticbm25.onnx.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.AtomicFile;
import org.semanticbm25.onnx.Progress;

/**
 * Downloads a model's files by its name from a model hub, {@code <hub>/<name>/resolve/main/<file>},
 * and checks them.
 *
 * <p>The ONNX file is first written beside its place, as {@code .part}; a download that was
 * interrupted goes on from there. It is moved to its place only when its SHA-256 is the expected
 * one: the one given, else the one known here, else the one that the hub tells. Tokenizer and
 * configuration are checked by git's SHA-1 of them, where the hub tells that.
 */
public final class ModelDownload {
  /** The hub that models are fetched from unless another is given. */
  public static final String HUB = "https://huggingface.co/";

  private static final String MINILM_L12 = "cross-encoder/ms-marco-MiniLM-L-12-v2";
  private static final Map<String, String> KNOWN =
      Map.of(
          MINILM_L12 + "/onnx/model.onnx",
          "2ac389ab6abe08dcbddf2c41a69b6a18853e0dca440adbc2abc1adfcee46483f",
          MINILM_L12 + "/onnx/model_quint8_avx2.onnx",
          "0a9906ae940e137b83d512c8d0f5c6ce9980bf487b168d40b9522b4747c4c89b");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  // what hubs tell of small files: the SHA-1 that git gives their content
  private static final Pattern GIT_BLOB = Pattern.compile("[0-9a-f]{40}");
  private static final List<String> BESIDE = List.of("tokenizer.json", "config.json");
  private static final int OK = 200;
  private static final int PARTIAL = 206;
  private static final int RANGE_NOT_SATISFIABLE = 416;
  private static final int REPORT_BYTES = 1 << 20;

  private final URI hub;
  private final Duration patience;
  private final HttpClient client =
      HttpClient.newBuilder()
          .followRedirects(HttpClient.Redirect.NORMAL)
          .connectTimeout(Duration.ofSeconds(30))
          .build();

  /**
   * Prepares downloads from a hub.
   *
   * @param hub address that names of models are put behind
   * @throws IOException if the address is neither HTTPS nor this machine
   */
  public ModelDownload(URI hub) throws IOException {
    this(hub, Duration.ofSeconds(60));
  }

  /** Waits for the next bytes for so long. */
  ModelDownload(URI hub, Duration patience) throws IOException {
    this.patience = patience;
    boolean local =
        "http".equals(hub.getScheme())
            && hub.getHost() != null
            && InetAddress.getByName(hub.getHost()).isLoopbackAddress();
    if (!local && !"https".equals(hub.getScheme())) {
      throw new IOException(hub + ": is not an HTTPS address; give one that begins with https://");
    }
    this.hub = hub.toString().endsWith("/") ? hub : URI.create(hub + "/");
  }

  /**
   * Fetches what is not there yet of a model.
   *
   * @param name as on the hub, {@code owner/model}
   * @param onnx path of the ONNX file within the model, as in {@code onnx/model.onnx}
   * @param sha256 expected of the ONNX file, 64 hexadecimal digits; empty for the one known here or
   *     told by the hub
   * @param folder to write to
   * @param progress notified of the bytes of the ONNX file
   * @return the model in the folder
   * @throws IOException if a file cannot be fetched whole and unchanged, or another is in its
   *     place; what was fetched of the ONNX file is kept to go on from, unless it is wrong
   */
  public NeuralModel fetch(
      String name, String onnx, Optional<String> sha256, Path folder, Progress progress)
      throws IOException {
    if (!name.matches("\\w[\\w.-]*/\\w[\\w.-]*") || !onnx.matches("(onnx/)?\\w[\\w.-]*\\.onnx")) {
      throw new IOException(
          "%s, %s: not a model and its file; give them as owner/model and onnx/model.onnx"
              .formatted(name, onnx));
    }
    Optional<String> expected =
        sha256
            .map(digest -> digest.toLowerCase(Locale.ROOT))
            .or(() -> Optional.ofNullable(KNOWN.get(name + "/" + onnx)));
    if (expected.isPresent() && !SHA256.matcher(expected.get()).matches()) {
      throw new IOException(expected.get() + ": not a SHA-256; give its 64 hexadecimal digits");
    }
    Files.createDirectories(folder.resolve(onnx).toAbsolutePath().getParent());
    fetchOnnx(name, onnx, expected, folder.resolve(onnx), progress);
    for (String file : BESIDE) {
      fetchSmall(hub.resolve(name + "/resolve/main/" + file), folder.resolve(file));
    }
    return NeuralModel.at(folder.resolve(onnx));
  }

  private void fetchOnnx(
      String name, String file, Optional<String> expected, Path target, Progress progress)
      throws IOException {
    URI uri = hub.resolve(name + "/resolve/main/" + file);
    if (Files.exists(target)) {
      Optional<String> known = expected.isPresent() ? expected : told(uri);
      if (known.isEmpty()) {
        throw new IOException(
            target + ": is there already; give another folder, or its --sha256 to check it by");
      }
      check(target, known.get(), target + ": is there, but ");
      return;
    }
    Path part = target.resolveSibling(target.getFileName() + ".part");
    Optional<String> told = told(download(uri, part, progress), SHA256);
    String digest =
        expected
            .or(() -> told)
            .orElseThrow(
                () ->
                    new IOException(
                        uri + ": the hub does not tell its SHA-256; give it as --sha256"));
    try {
      check(part, digest, uri + ": was damaged or changed on its way: ");
    } catch (IOException e) {
      Files.delete(part);
      throw e;
    }
    AtomicFile.move(part, target);
  }

  /** What the hub tells of a file that is there already. */
  private Optional<String> told(URI uri) throws IOException {
    HttpResponse<InputStream> response = send(HttpRequest.newBuilder(uri));
    response.body().close();
    return told(response, SHA256);
  }

  /** A file too small to go on with: it must come whole in one answer. */
  private void fetchSmall(URI uri, Path target) throws IOException {
    Path part = target.resolveSibling(target.getFileName() + ".part");
    Files.deleteIfExists(part);
    Optional<String> told = told(download(uri, part, Progress.SILENT), GIT_BLOB);
    if (told.isPresent() && !told.get().equals(Digests.gitBlob(part))) {
      Files.delete(part);
      throw new IOException(uri + ": was damaged or changed on its way; fetch it again");
    }
    if (Files.exists(target) && Files.mismatch(part, target) >= 0) {
      Files.delete(part);
      throw new IOException(target + ": is of another model; give another folder");
    }
    AtomicFile.move(part, target);
  }

  private static void check(Path file, String sha256, String problem) throws IOException {
    String actual = Digests.sha256(file);
    if (!sha256.equals(actual)) {
      throw new IOException(
          "%sits SHA-256 is %s, not %s; remove it and fetch it again"
              .formatted(problem, actual, sha256));
    }
  }

  /** Downloads what is missing of a file. */
  private HttpResponse<?> download(URI uri, Path part, Progress progress) throws IOException {
    long have = Files.exists(part) ? Files.size(part) : 0;
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    if (have > 0) {
      request.header("Range", "bytes=" + have + "-");
    }
    HttpResponse<InputStream> response = send(request);
    try (InputStream body = response.body()) {
      int status = response.statusCode();
      if (status == RANGE_NOT_SATISFIABLE && have > 0) {
        // nothing is missing, or the part is of another file: its digest will tell
        return response;
      }
      if (status != OK && status != PARTIAL) {
        throw new IOException(
            "%s: the hub answers %s; check the model's name and file".formatted(uri, status));
      }
      if (status == OK) {
        have = 0;
      }
      OptionalLong length = response.headers().firstValueAsLong("Content-Length");
      long total = length.isPresent() ? have + length.getAsLong() : -1;
      receive(uri, body, part, have, total, progress);
    }
    return response;
  }

  private HttpResponse<InputStream> send(HttpRequest.Builder builder) throws IOException {
    HttpRequest request = builder.timeout(patience).build();
    try {
      return client.send(request, BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(request.uri() + ": interrupted", e);
    } catch (IOException e) {
      throw new IOException(
          "%s: cannot be reached (%s); check the network and run it again"
              .formatted(
                  request.uri(),
                  e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()),
          e);
    }
  }

  private void receive(
      URI uri, InputStream body, Path part, long have, long total, Progress progress)
      throws IOException {
    long done = have;
    StallWatch watch = new StallWatch(body, patience);
    try (watch;
        OutputStream out =
            have > 0
                ? Files.newOutputStream(part, StandardOpenOption.APPEND)
                : Files.newOutputStream(part)) {
      byte[] buffer = new byte[REPORT_BYTES];
      for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
        watch.alive();
        out.write(buffer, 0, n);
        done += n;
        progress.report("fetching " + part.getFileName(), done, Math.max(done, total));
      }
    } catch (IOException e) {
      String reason = watch.isStalled() ? "nothing came for " + patience : e.getMessage();
      throw interrupted(uri, done, total, " (" + reason + ")", e);
    }
    if (total >= 0 && done != total) {
      throw interrupted(uri, done, total, "", null);
    }
  }

  private static IOException interrupted(
      URI uri, long done, long total, String reason, @Nullable IOException cause) {
    return new IOException(
        "%s: interrupted after %s of %s bytes%s; run it again to go on from there"
            .formatted(uri, done, total < 0 ? "unknown" : Long.toString(total), reason),
        cause);
  }

  /**
   * The digest that a hub tells, of a form. It tells that of large files before it redirects to
   * where these lie; what that place says itself does not count.
   */
  private static Optional<String> told(HttpResponse<?> last, Pattern form) {
    HttpResponse<?> first = last;
    while (first.previousResponse().isPresent()) {
      first = first.previousResponse().get();
    }
    for (String header : List.of("X-Linked-ETag", "ETag")) {
      Optional<String> digest =
          first
              .headers()
              .firstValue(header)
              .map(value -> value.replace("W/", "").replace("\"", ""))
              .filter(form.asMatchPredicate());
      if (digest.isPresent()) {
        return digest;
      }
    }
    return Optional.empty();
  }
}
