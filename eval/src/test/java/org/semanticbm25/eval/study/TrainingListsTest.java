package org.semanticbm25.eval.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.distill.TrainingLists;

class TrainingListsTest {
  private static final List<String> DEVELOPMENT =
      List.of(
          "query 110",
          "query 137",
          "query 139",
          "query 179",
          "query 227",
          "query 257",
          "query 262",
          "query 27",
          "query 274",
          "query 336",
          "query 389",
          "query 60",
          "query 72",
          "query 97");

  @TempDir Path folder;

  private void write(String name, String text) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve(name)))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private void writeLists(int queries) throws IOException {
    write(
        TrainingLists.LISTS,
        IntStream.range(0, queries)
            .mapToObj(i -> "{\"query\": \"query %d\", \"passages\": [\"p\"]}\n".formatted(i))
            .collect(Collectors.joining()));
    write(TrainingLists.PASSAGES, "{\"_id\": \"p\", \"text\": \"a passage\"}\n");
  }

  private static List<String> queries(List<PassageList> lists) {
    return lists.stream().map(PassageList::query).toList();
  }

  @Test
  void splitsByQueryAsTheTrainingDoes() throws IOException {
    writeLists(400);
    TrainingLists all = TrainingLists.read(folder, 1000, 1000);
    assertEquals(400, all.train().size() + all.development().size());
    // what is_development of data.py says of these queries
    assertEquals(DEVELOPMENT, queries(all.development()).stream().sorted().toList());
    TrainingLists some = TrainingLists.read(folder, 5, 3);
    assertEquals(queries(all.train()).subList(0, 5), queries(some.train()));
    assertEquals(queries(all.development()).subList(0, 3), queries(some.development()));
    assertEquals(List.of("a passage"), some.train().getFirst().passages());
  }

  @Test
  void refusesFilesThatDoNotFit() throws IOException {
    refused("lists.jsonl.gz: no such file");
    writeLists(10);
    refused("too few queries");
    writeLists(100);
    write(TrainingLists.PASSAGES, "{\"_id\": \"q\", \"text\": \"another\"}\n");
    refused("passage 'p'");
    write(TrainingLists.PASSAGES, "{\"_id\": \"q\"\n");
    refused("passages.jsonl.gz:1: not a JSON object");
    write(TrainingLists.LISTS, "{\"query\": \"q\", \"passages\": []}\n");
    refused("lists.jsonl.gz:1: has no 'passages'");
    write(TrainingLists.LISTS, "{\"passages\": [\"p\"]}\n");
    refused("lists.jsonl.gz:1: has no 'query'");
    Files.writeString(folder.resolve(TrainingLists.LISTS), "plain text");
    refused("lists.jsonl.gz: not a gzip file");
  }

  private void refused(String part) {
    IOException e = assertThrows(IOException.class, () -> TrainingLists.read(folder, 100, 100));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
