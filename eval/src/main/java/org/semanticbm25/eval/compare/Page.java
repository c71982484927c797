package org.semanticbm25.eval.compare;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Pages of the comparison, made of resources. Data is text to them: it lies in a block that no
 * browser executes, and the content security policy names the scripts and styles by their digests.
 */
public final class Page {
  private static final String D3 = "/META-INF/resources/webjars/d3/7.9.0/dist/d3.min.js";

  private Page() {}

  /** A resource of the pages, or D3 as {@code d3.js}. */
  public static String resource(String name) throws IOException {
    String path = name.equals("d3.js") ? D3 : name;
    try (InputStream in = Page.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IOException("no resource " + path + " on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /**
   * The report in one file.
   *
   * @param json of the comparison
   */
  static String report(String json) throws IOException {
    String style = resource("style.css");
    List<String> scripts = List.of(resource("d3.js"), resource("hits.js"), resource("report.js"));
    String policy =
        "default-src 'none'; script-src %s; style-src %s; base-uri 'none'; form-action 'none'"
            .formatted(
                scripts.stream().map(Page::digest).collect(Collectors.joining(" ")), digest(style));
    return resource("report.html")
        .replace("{{policy}}", policy)
        .replace("{{style}}", style)
        .replace(
            "{{scripts}}",
            scripts.stream()
                .map(script -> "<script>" + script + "</script>")
                .collect(Collectors.joining("\n")))
        // last, since it may hold anything
        .replace("{{data}}", inScript(json));
  }

  /** JSON that neither ends the block it is in nor begins another one. */
  private static String inScript(String json) {
    return json.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029");
  }

  private static String digest(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
