package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.opensearch.TestCluster.Response;

/** The README's requests do what it says. */
class ReadmeTest {
  private static final Pattern CURL =
      Pattern.compile(
          "curl -X(\\w+) '?localhost:9200(/[^' ]*)'? -H 'Content-Type: [^']*' -d '([^']*)'");

  @TempDir Path folder;

  @Test
  void fiveRequestsLeadToAnAnswer() throws Exception {
    List<Response> responses = new ArrayList<>();
    try (TestCluster cluster = new TestCluster(folder, 1, Settings.EMPTY)) {
      Matcher curl = CURL.matcher(Files.readString(Path.of("README.md")));
      while (curl.find()) {
        Response response =
            cluster.request(0, curl.group(1), curl.group(2), curl.group(3).stripLeading());
        assertTrue(response.status() < 300, response.body()::toString);
        responses.add(response);
      }
    }
    assertEquals(5, responses.size());
    assertEquals("1", responses.get(4).ids().getFirst(), responses.get(4).body()::toString);
    assertTrue(responses.get(3).ids().contains("1"), responses.get(3).body()::toString);
  }
}
