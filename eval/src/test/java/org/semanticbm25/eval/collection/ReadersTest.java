package org.semanticbm25.eval.collection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.Run.Hit;

/**
 * What users' files of passages, queries, judgements and runs look like: read right, or refused.
 */
class ReadersTest {
  private static final Map<String, Map<String, Integer>> JUDGED =
      Map.of("q1", Map.of("d1", 2, "d4", 1), "q2", Map.of("d2", 1));

  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("file"), text);
  }

  /** Refused by name of the file, and with what the message must hold. */
  private void refused(Executable read, String part) {
    UserException e = assertThrows(UserException.class, read);
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private List<String> lines(Path file) throws IOException {
    List<String> lines = new ArrayList<>();
    TextFile.forEachLine(file, (line, number) -> lines.add(number + ":" + line));
    return lines;
  }

  @Test
  void linesEndWithALineFeed() throws IOException {
    assertEquals(
        List.of("1:a", "3:b\rc", "4:\u2028d\u0085"),
        lines(file("\ufeffa\r\n \nb\rc\n\u2028d\u0085")));
    assertEquals(List.of(), lines(file("")));
    assertEquals(List.of(), lines(file("\ufeff")));
    // longer than any buffer
    String wide = "x".repeat(100_000);
    assertEquals(List.of("1:" + wide, "2:é"), lines(file(wide + "\né")));
  }

  @Test
  void compressedTextIsReadAndOtherEncodingsAreRefused() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write("\ufeffgrün\nb".getBytes(StandardCharsets.UTF_8));
    }
    Path file = folder.resolve("file.gz");
    Files.write(file, bytes.toByteArray());
    assertEquals(List.of("1:grün", "2:b"), lines(file));
    assertEquals("grün\nb", TextFile.read(file));
    Files.write(file, Arrays.copyOf(bytes.toByteArray(), bytes.size() - 9));
    refused(() -> lines(file), "gzip");
    for (Charset other : List.of(StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
      Files.write(file, "\ufeffgrün".getBytes(other));
      refused(() -> lines(file), "is UTF-16");
    }
    Files.write(file, "grün".getBytes(StandardCharsets.ISO_8859_1));
    refused(() -> lines(file), "not UTF-8");
    refused(() -> TextFile.read(file), "not UTF-8");
    refused(() -> lines(folder.resolve("none")), "no such file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "q1\td1\t2\nq1\td4\t1\nq2\td2\t1\n",
        "\ufeffq1\td1\t2\r\nq1\td4\t1\r\nq2\td2\t1\r\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td4\t1\nq2\td2\t1",
        "query_id\tcorpus_id\tscore\nq1\td1\t2.0\nq1\td4\t1.\nq2\td2\t+1",
        "corpus-id\tquery-id\tscore\nd1\tq1\t2\nd4\tq1\t1\nd2\tq2\t1",
        "score\tqid\tdocid\n2\tq1\td1\n1\tq1\td4\n1\tq2\td2",
        "query-id\titer\tcorpus-id\tscore\nq1\t0\td1\t2\nq1\t0\td4\t1\nq2\t0\td2\t1",
        "q1\t0\td1\t2\nq1\t0\td4\t1\nq2\t0\td2\t1",
        "q1 0 d1 2\nq1   0 d4 1\n q2 0 d2 1 ",
        "\"query-id\"\t\"corpus-id\"\t\"score\"\n\"q1\"\t\"d1\"\t\"2\"\nq1\td4\t1\nq2\td2\t1",
        "q1 \td1\t2\nq1\t d4\t1\nq2\td2 \t 1\n\n",
        // the same pair with the same grade
        "q1\td1\t2\nq1\td4\t1\nq2\td2\t1\nq1\td1\t2\n",
      })
  void judgementsAreReadInAnyForm(String text) throws IOException {
    assertEquals(JUDGED, Qrels.read(file(text)));
  }

  @Test
  void numbersAsIdsAreNotTakenForGrades() throws IOException {
    assertEquals(
        Map.of("11", Map.of("1", 1), "13", Map.of("3", 2)),
        Qrels.read(file("11\t0\t1\t1\n13\t0\t3\t2\n")));
    assertEquals(
        Map.of("q", Map.of("a b", -2)), Qrels.read(file("q\ta b\t-2\n")), "an id with a space");
  }

  @Test
  void wrongJudgementsAreRefused() throws IOException {
    refused(() -> Qrels.read(file("")), "no judgements");
    refused(() -> Qrels.read(file("query-id\tcorpus-id\tscore\n")), "no judgements");
    refused(() -> Qrels.read(file("q\td\t1\nq\te\tNaN\n")), ":2: the grade 'NaN'");
    refused(() -> Qrels.read(file("q\td\t1\nq\te\t0.5\n")), ":2: the grade '0.5'");
    refused(() -> Qrels.read(file("q\td\t1\nq\te\t4d\n")), ":2: the grade '4d'");
    refused(() -> Qrels.read(file("q\td\t1\nq\td\t0\n")), ":2: query 'q' and passage 'd' have");
    refused(() -> Qrels.read(file("q\td\t1\nq\t0\te\t1\n")), ":2: 4 columns, not 3");
    refused(() -> Qrels.read(file("q\td\t1\n\te\t1\n")), ":2: an empty id");
    refused(() -> Qrels.read(file("a\tb\tc\n")), ":1: neither a judgement nor a header");
    refused(() -> Qrels.read(file("q\td\n")), ":1: neither a judgement nor a header");
  }

  private List<Passage> records(String text) throws IOException {
    List<Passage> records = new ArrayList<>();
    Records.forEach(file(text), records::add);
    return records;
  }

  @Test
  void recordsAreReadInAnyForm() throws IOException {
    assertEquals(
        List.of(
            new Passage("d1", "", "a"),
            new Passage("2", "t", ""),
            new Passage("3", "", "b c"),
            new Passage("12345678901234567890", "", "2020"),
            new Passage("10000000", "", "x \ud83d y")),
        records(
            """
            \ufeff{"_id": " d1 ", "title": null, "text": "a"}

            {"text": null, "_id": 2, "title": "t", "metadata": {"a": [1]}}
            {"_id": 3.0, "text": ["b", "c"]}
            {"_id": 12345678901234567890, "text": 2020}
            {"_id": 1e7, "text": "x \\ud83d y"}
            """));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"_id\": \"a\", \"text\": \"b\"},",
        "{\"_id\": \"a\", \"text\": \"b\"}{\"_id\": \"c\", \"text\": \"d\"}",
        "[{\"_id\": \"a\", \"text\": \"b\"}]",
        "{",
        "{\"_id\": \"a\", \"text\": NaN}",
        "{\"_id\": \"a\", \"text\": \"b\", \"text\": \"c\"}",
        "\"a\"",
        "{\"id\": \"a\", \"text\": \"b\"}",
        "{\"_id\": null, \"text\": \"b\"}",
        "{\"_id\": \" \", \"text\": \"b\"}",
        "{\"_id\": {\"$oid\": \"5f\"}, \"text\": \"b\"}",
        "{\"_id\": [\"a\"], \"text\": \"b\"}",
        "{\"_id\": 1.5, \"text\": \"b\"}",
        "{\"_id\": true, \"text\": \"b\"}",
        "{\"_id\": \"a\", \"contents\": \"b\"}",
        "{\"_id\": \"a\", \"text\": {\"b\": \"c\"}}",
        "{\"_id\": \"a\", \"text\": [[\"c\"]]}",
      })
  void wrongRecordsAreRefused(String line) {
    refused(() -> records("{\"_id\": \"first\", \"text\": \"b\"}\n" + line), "file:2: ");
  }

  @Test
  void anIdIsNotReadTwice() {
    refused(
        () -> records("{\"_id\": 1, \"text\": \"b\"}\n{\"_id\": \"1\", \"text\": \"c\"}"),
        "file:2: the _id '1' occurs a second time");
    refused(() -> records("\n \n"), "is empty");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "q1 Q0 d1 1 5.0 x\nq1 Q0 d4 2 4.0 x\nq2 Q0 d2 1 15 x\n",
        "\ufeffq1\tQ0\td1\t1\t5.0\tx\r\nq1  Q0  d4  2  4e0 x\r\nq2 Q0 d2 1 1.5E+1 x",
        "q1\u00a0Q0\u00a0d1\u00a01\u00a05.0\u00a0x\nq1 Q0 d4 2 4.0 x\nq2 Q0 d2 1 15. x\n",
        // ranks do not count
        "q1 Q0 d4 1 4.0 x\nq2 Q0 d2 9 15 x\nq1 Q0 d1 2 +5 x\n",
      })
  void runsAreReadInAnyForm(String text) throws IOException {
    assertEquals(
        Map.of("q1", List.of(new Hit("d1", 5), new Hit("d4", 4)), "q2", List.of(new Hit("d2", 15))),
        Run.read(file(text)).hits());
  }

  @Test
  void wrongRunsAreRefused() throws IOException {
    refused(() -> Run.read(file("")), "is empty");
    refused(() -> Run.read(file("qid Q0 docid rank score tag\nq Q0 d 1 2 x\n")), ":1: not 'qid Q0");
    for (String score : List.of("NaN", "nan", "4d", "1f", "0x1p3", "Infinity", "")) {
      refused(() -> Run.read(file("q Q0 d 1 2 x\nq Q0 e 1 " + score + " x\n")), ":2: not 'qid Q0");
    }
    refused(() -> Run.read(file("q\td\t1\n")), ":1: not 'qid Q0");
    refused(() -> Run.read(file("q Q0 doc 1 1 5.0 x\n")), ":1: not 'qid Q0");
    refused(
        () -> Run.read(file("q Q0 d 1 2 x\nq Q0 d 2 1 x\n")), ":2: passage 'd' occurs a second");
  }

  @Test
  void aRunIsReadBackAsItWasWritten() throws IOException {
    Run run =
        new Run(
            Map.of(
                "q 1",
                List.of(new Hit("doc 1", 3), new Hit("é\ud83d\ude00", 2), new Hit("\uff5e", 1)),
                "q2",
                List.of(new Hit("d", 1))));
    run.write(folder.resolve("file"), "tag");
    assertEquals(run.hits(), Run.read(folder.resolve("file")).hits());
  }

  @Test
  void tiesGoByCodePoint() throws IOException {
    // in UTF-16 the first is the smaller one
    String text = "q Q0 \ud83d\udcbb 1 1 x\nq Q0 \uff5e 2 1 x\n";
    assertEquals(
        List.of("\ud83d\udcbb", "\uff5e"),
        Run.read(file(text)).hits().get("q").stream().map(Hit::id).toList());
  }

  private void collection(String corpus, String queries, String qrels) throws IOException {
    Files.createDirectories(folder.resolve("qrels"));
    Files.writeString(folder.resolve("corpus.jsonl"), corpus);
    Files.writeString(folder.resolve("queries.jsonl"), queries);
    Files.writeString(folder.resolve("qrels/test.tsv"), qrels);
  }

  @Test
  void whatDoesNotBelongTogetherIsRefused() throws IOException {
    String corpus = "{\"_id\": \"d1\", \"text\": \"a\"}";
    collection(corpus, "{\"_id\": \"q1\", \"text\": \"a\"}", "1\td1\t1\n2\td1\t1\n");
    refused(() -> Dataset.read(folder, "test"), "none of its 2 queries, such as '1'");
    collection(corpus, "{\"_id\": \"q1\", \"text\": null}", "q1\td1\t1\n");
    refused(() -> Dataset.read(folder, "test"), "none of its 1 queries");
    collection(corpus, "{\"_id\": \"q1\", \"text\": \"a\"}", "q1\tzz\t1\n");
    refused(() -> Dataset.read(folder, "test"), "none of its 1 passages, such as 'zz'");
    collection(corpus, "{\"_id\": \"q1\", \"text\": \"a\"}", "q1\td1\t1\nq2\td1\t1\n");
    Dataset some = Dataset.read(folder, "test");
    assertEquals(Set.of("q1"), some.qrels().keySet(), "a query without a text is left out");
    refused(() -> some.readRun(file("1 Q0 d1 1 1 x\n")), "none of its 1 queries, such as '1'");
    assertEquals(
        Set.of("q1"), some.readRun(file("q1 Q0 d1 1 1 x\nq9 Q0 d1 1 1 x\n")).hits().keySet());
  }

  @Test
  void onlyTheQueryItselfIsLeftOutOfItsRanking() throws IOException {
    collection(
        """
        {"_id": "1", "text": "cheap laptops for students"}
        {"_id": "2", "title": "Cars", "text": "sports car"}
        {"_id": "3", "text": "green tea"}
        """,
        """
        {"_id": "1", "text": "cheap laptops"}
        {"_id": "2", "text": "sports car"}
        {"_id": "3", "text": "green tea"}
        """,
        "1\t1\t1\n2\t1\t1\n3\t3\t1\n");
    Dataset dataset = Dataset.read(folder, "test");
    // 1 is another text, 3 is judged
    assertEquals(Set.of("2"), dataset.self());
    Run run = dataset.readRun(file("1 Q0 1 1 2 x\n2 Q0 2 1 2 x\n2 Q0 1 2 1 x\n3 Q0 3 1 1 x\n"));
    assertEquals(List.of(new Hit("1", 1)), run.hits().get("2"));
    assertEquals(List.of(new Hit("1", 2)), run.hits().get("1"));
    assertEquals(List.of(new Hit("3", 1)), run.hits().get("3"));
  }

  @Test
  void hitsThatAreNotRerankedStayBelow() {
    List<Hit> first = List.of(new Hit("a", 9), new Hit("b", 8), new Hit("c", 7), new Hit("d", 6));
    List<Hit> reranked = List.of(new Hit("c", -1), new Hit("a", -5));
    assertEquals(
        List.of(new Hit("c", -1), new Hit("a", -5), new Hit("b", -6), new Hit("d", -7)),
        Run.withRest(reranked, first));
    assertEquals(4, Run.withRest(List.of(), first).size());
  }
}
