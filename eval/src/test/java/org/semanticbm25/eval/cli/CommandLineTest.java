package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.onnx.testing.TinyModel.Weights;
import org.semanticbm25.onnx.testing.TinySoftTerms;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/** Runs the commands as a user does, with good and bad input. */
class CommandLineTest {
  private static final String CORPUS =
      """
      {"_id": "d1", "title": "Cheap", "text": "the cheap notebook"}
      {"_id": "d2", "title": "", "text": "a red car is a quick car"}
      {"_id": "d3", "title": "Banana", "text": "banana fruit"}
      """;

  @TempDir Path folder;
  private String out;
  private String err;

  @BeforeEach
  void files() throws IOException {
    TinyModel.write(folder.resolve("onnx"), Weights.FLOAT);
    Files.writeString(folder.resolve("corpus.jsonl"), CORPUS);
    Files.createDirectories(folder.resolve("qrels"));
    Files.writeString(
        folder.resolve("queries.jsonl"),
        "{\"_id\": \"q1\", \"text\": \"inexpensive laptop\"}\n"
            + "{\"_id\": \"q2\", \"text\": \"fruit\"}\n");
    Files.writeString(
        folder.resolve("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td3\t1\n");
  }

  private Path at(String name) {
    return folder.resolve(name);
  }

  private int run(Object... arguments) {
    PrintStream realOut = System.out;
    PrintStream realErr = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      return Main.run(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
    } finally {
      System.setOut(realOut);
      System.setErr(realErr);
      out = outBytes.toString(StandardCharsets.UTF_8);
      err = errBytes.toString(StandardCharsets.UTF_8);
    }
  }

  private void ok(Object... arguments) {
    assertEquals(0, run(arguments), () -> err);
  }

  private void ok(List<?> first, Object[] more) {
    ok(Stream.concat(first.stream(), Arrays.stream(more)).toArray());
  }

  /** Exit code 1, one line that holds the parts, no stack trace, and no file that was not there. */
  private void refused(List<?> arguments, Object... parts) throws IOException {
    List<Path> before = listing();
    assertEquals(1, run(arguments.toArray()), () -> out + err);
    assertEquals(1, err.lines().filter(l -> l.startsWith("sbm25: ")).count(), err);
    assertFalse(err.contains("\tat "), err);
    for (Object part : parts) {
      assertTrue(err.contains(part.toString()), () -> "'" + part + "' is not in: " + err);
    }
    assertEquals(before, listing());
  }

  private List<Path> listing() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.sorted().toList();
    }
  }

  @Test
  void latencyTimesSearchesAndTellsHowTheyGrow() throws IOException {
    ok(
        List.of("latency", "--only", "search", "--passages", 640, "--queries", 5),
        new Object[] {
          "--soft-terms", "0,2", "--format", "json", "--home", at("home"), "--picture", at("p.svg")
        });
    JsonNode report = new ObjectMapper().readTree(out);
    assertEquals(12, report.path("systems").size(), "three searches of four systems");
    assertEquals("top 10", report.path("systems").path(0).path("search").asText());
    assertEquals("top 1000", report.path("systems").path(4).path("search").asText());
    assertEquals("top 10, filter of 1 %", report.path("systems").path(8).path("search").asText());
    assertEquals(5, report.path("growth").size());
    JsonNode passages = report.path("growth").path(0);
    assertEquals(640, passages.path("points").path(3).path("size").asInt());
    assertTrue(passages.path("slope").isNumber());
    assertTrue(Files.readString(at("p.svg")).startsWith("<svg"));
    refused(List.of("latency", "--passages", 63), "--passages 63", "64 or more");
  }

  private void prepare() {
    ok("extract", at("tiny.sbm25"), "--model", at("onnx"));
    ok("index", at("corpus.jsonl"), at("index"));
    ok(attach());
  }

  private Object[] attach() {
    return new Object[] {
      "attach", at("index"), "--extracted", at("tiny.sbm25"), "--encoder", at("onnx")
    };
  }

  private List<Object> search(String query, Object... more) {
    List<Object> arguments =
        new ArrayList<>(List.of("search", at("index"), query, "--extracted", at("tiny.sbm25")));
    arguments.addAll(List.of(more));
    return arguments;
  }

  @Test
  void editsWordsAndShowsWhatThatChanges() throws IOException {
    prepare();
    Path edited = at("edited.sbm25");
    Object[] edit = {
      "edit",
      "banana=0",
      "car=2",
      "-o",
      edited,
      "--extracted",
      at("tiny.sbm25"),
      "--index",
      at("index"),
      "--preview",
      "banana car"
    };
    ok(edit);
    assertTrue(out.lines().toList().get(1).matches(" +1 .* d2"), out);
    assertTrue(out.lines().anyMatch(line -> line.matches(" +- .* d3")), out);
    ok("search", at("index"), "banana", "--extracted", edited);
    assertTrue(err.contains("no hits"), out);
    ok("edit", "banana=1", "-o", edited, "--extracted", edited);
    assertTrue(err.contains("3 edits in all"), err);
    ok("search", at("index"), "banana", "--extracted", edited);
    assertTrue(out.contains("d3"), out);
    Object[] common = {"--extracted", at("tiny.sbm25")};
    refused(
        List.of("edit", "the=2", "-o", at("no"), common[0], common[1]),
        "makes no single term of it");
    refused(List.of("edit", "car=-1", "-o", at("no"), common[0], common[1]), "-1.0 of 'car'");
    refused(
        List.of("edit", "car=1", "-o", at("no"), common[0], common[1], "--preview", "car"),
        "--index");
    assertEquals(2, run("edit", "car", "-o", at("no")));
    assertEquals(2, run("edit", "car=1"));
  }

  @Test
  void profilesChangeASearchAndNoFile() throws IOException {
    prepare();
    Files.writeString(at("mine.txt"), "banana=0\ncar=2\n");
    List<Object> search = search("banana car", "--profile", at("mine.txt"));
    ok(search.toArray());
    assertFalse(out.contains("d3"), out);
    float raised = Float.parseFloat(out.strip().split("\\s+")[1]);
    ok(search("car").toArray());
    assertEquals(2 * Float.parseFloat(out.strip().split("\\s+")[1]), raised, 2e-4);
    Files.writeString(at("wrong.txt"), "banana\n");
    refused(search("car", "--profile", at("wrong.txt")), "wrong.txt, line 1: must be word=factor");
    refused(search("car", "--profile", at("none.txt")), "none.txt: no such file");
    for (String word : List.of("the", "quick-car", "red car")) {
      Files.writeString(at("wrong.txt"), "banana=2\n" + word + "=2\n");
      refused(
          search("car", "--profile", at("wrong.txt")), "makes no single term of '" + word + "'");
    }
    List<Object> bm25 = search("car", "--profile", at("mine.txt"), "--scorer", "bm25");
    refused(bm25, "--scorer bm25 knows none");
    refused(and(bm25, "--first-pass", "semantic"), "--scorer bm25 knows none");
  }

  @Test
  void auditMeasuresWhatSwappedWordsDo() throws IOException {
    prepare();
    Files.writeString(at("pairs.txt"), "banana car\nzebra gnu\n");
    Files.writeString(at("log.txt"), "a {}\nquick banana\n");
    List<Object> audit =
        List.of(
            "audit",
            at("index"),
            "--queries",
            at("log.txt"),
            "--pairs",
            at("pairs.txt"),
            "--rerank",
            0,
            "--extracted",
            at("tiny.sbm25"));
    ok(audit.toArray());
    assertTrue(out.lines().anyMatch(line -> line.matches("banana / car +2 +0.*")), out);
    assertTrue(out.lines().anyMatch(line -> line.matches("zebra / gnu +1 +1.0000.*")), out);
    Files.writeString(at("mine.txt"), "banana=0\ncar=0\n");
    List<Object> profiled = new ArrayList<>(audit);
    profiled.addAll(List.of("--profile", at("mine.txt")));
    ok(profiled.toArray());
    assertTrue(out.lines().anyMatch(line -> line.matches("semantic-profile +3 +1.0000.*")), out);
    refused(auditWith("none.txt"), "none.txt: no such file");
    for (String pairs : List.of("he she it", "he", "he HE")) {
      Files.writeString(at("wrong.txt"), "# pairs\n" + pairs + "\n");
      refused(auditWith("wrong.txt"), "wrong.txt, line 2: must be two different words");
    }
    Files.writeString(at("log.txt"), "red\n");
    refused(auditWith("pairs.txt"), "pairs.txt: none of 1 queries has one word of a pair");
    List<Object> few = new ArrayList<>(auditWith("pairs.txt"));
    few.addAll(List.of("--rerank", 5));
    refused(few, "--rerank 5: must be 0, or 10 or more");
  }

  private List<Object> auditWith(String pairs) {
    return List.of("audit", at("index"), "--queries", at("log.txt"), "--pairs", at(pairs));
  }

  @Test
  void evalTellsHowMuchAProfileLeaves() throws IOException {
    prepare();
    Files.writeString(at("mine.txt"), "fruit=3\n");
    ok(
        "eval",
        folder,
        "--rerank",
        0,
        "--no-contextual",
        "--extracted",
        at("tiny.sbm25"),
        "--profile",
        at("mine.txt"),
        "--home",
        at("home"));
    assertTrue(out.lines().findFirst().orElse("").contains("RBO without profile"), out);
    assertTrue(out.lines().anyMatch(line -> line.matches("semantic-profile .* 1.0000")), out);
  }

  @Test
  void extractsIndexesAttachesAndSearches() {
    prepare();
    ok(search("inexpensive laptop", "--scorer", "bm25").toArray());
    assertEquals("", out, "no word in common");
    assertTrue(err.contains("no hits"));
    ok(search("inexpensive laptop", "--explain").toArray());
    assertTrue(out.contains("d1"), out);
    assertTrue(out.contains("Cheap the cheap notebook"), out);
    assertTrue(out.contains("softFreq, over matching terms the sum of:"), out);
    ok(search("banana", "-n", "1").toArray());
    assertTrue(out.startsWith(" 1  "), out);
  }

  @Test
  void indexesTsvAndFolders() throws IOException {
    Files.writeString(at("corpus.tsv"), "t1\tred banana\nt2\tquick car\n");
    ok("index", at("corpus.tsv"), at("fromTsv"));
    ok("search", at("fromTsv"), "banana", "--scorer", "bm25");
    assertTrue(out.contains("t1"), out);
    Files.createDirectories(at("texts/deep"));
    Files.writeString(at("texts/deep/one.txt"), "a notebook");
    ok("index", at("texts"), at("fromFolder"), "--analyzer", "standard");
    ok("search", at("fromFolder"), "notebook", "--scorer", "bm25", "--analyzer", "standard");
    assertTrue(out.contains("deep/one.txt"), out);
  }

  private static List<Object> and(List<?> first, Object... more) {
    List<Object> all = new ArrayList<>(first);
    all.addAll(List.of(more));
    return all;
  }

  private List<Object> evaluation() {
    return List.of(
        "eval", folder, "--no-contextual", "--extracted", at("tiny.sbm25"), "--home", at("home"));
  }

  private JsonNode evaluateAsJson() throws IOException {
    ok(evaluation(), new Object[] {"--rerank", "0", "-o", at("runs"), "--format", "json"});
    return new ObjectMapper().readTree(out);
  }

  @Test
  void evaluatesAsJsonAndNothingElse() throws IOException {
    ok("extract", at("tiny.sbm25"), "--model", at("onnx"));
    JsonNode report = evaluateAsJson();
    assertEquals(List.of("dataset", "settings", "systems"), names(report));
    assertEquals(List.of("bm25", "semantic"), names(report.path("systems")));
    for (JsonNode system : report.path("systems")) {
      for (String measure : List.of("nDCG@10", "RR@10", "R@100", "AP@1000", "Judged@10")) {
        assertTrue(system.path(measure).isNumber(), measure);
      }
    }
    assertEquals(0.5, report.at("/systems/bm25/nDCG@10").asDouble(), 1e-9);
    assertEquals(1, report.at("/systems/semantic/nDCG@10").asDouble(), 1e-9);
    assertTrue(Files.readString(at("runs/semantic.run")).startsWith("q1 Q0 d1 1 "));

    crossEncoder();
    Files.createDirectories(at("given"));
    Files.createSymbolicLink(at("link"), at("given"));
    Files.writeString(
        at("given/first.run"), "q1 Q0 d2 1 3.0 x\nq1 Q0 d1 2 2.9 x\nq2 Q0 d3 1 1.0 x\n");
    Files.copy(at("given/first.run"), at("first.run"));
    ok(
        evaluation(),
        new Object[] {
          "--model", at("bert"), "-o", at("runs"), "--run", at("first.run"), "--relevant", "2"
        });
    assertTrue(out.contains("RR(rel=2)@10"), out);
    assertTrue(Files.readString(at("runs/bm25.run")).startsWith("q1 Q0 d2 1 3.0"));
    assertTrue(Files.readString(at("runs/semantic.run")).startsWith("q1 Q0 d1 1 "));
    assertEquals(3, Files.readString(at("runs/cross-encoder.run")).lines().count());
    refused(and(evaluation(), "--first-pass", "contextual"), "give one of the two");
    List<Object> reranking = and(evaluation(), "--rerank", "0", "--run", at("given/first.run"));
    ok(reranking, new Object[] {"--depth", "1", "-o", at("runs")});
    assertEquals(2, Files.readString(at("runs/bm25.run")).lines().count());
    assertEquals(2, Files.readString(at("runs/semantic.run")).lines().count());
    assertFalse(Files.exists(at("runs/cross-encoder.run")), "of an earlier call");
    for (Path place :
        List.of(folder, at("given"), at("link"), at("first.run"), at("first.run/below"))) {
      refused(
          and(reranking, "-o", place),
          place.startsWith(at("first.run")) ? "is not a folder" : "would replace");
    }
    List<Object> semanticFirst = and(evaluation(), "--model", at("bert"), "-o", at("runs"));
    ok(semanticFirst, new Object[] {});
    assertFalse(Files.readString(at("runs/cross-encoder.run")).contains("q1"), "no common word");
    ok(semanticFirst, new Object[] {"--first-pass", "semantic"});
    assertTrue(Files.readString(at("runs/cross-encoder.run")).startsWith("q1 Q0 d1 1 "));
    Files.writeString(at("idf.tsv"), "laptop\t5\ncheap\t2\n");
    refused(
        List.of("eval", folder, "--idf", at("idf.tsv"), "--home", at("home")),
        "is for reranking; give a --run");
    ok(
        evaluation(),
        new Object[] {
          "--rerank", "0", "-o", at("runs"), "--run", at("first.run"), "--idf", at("idf.tsv")
        });
    assertEquals(3, Files.readString(at("runs/semantic.run")).lines().count());
  }

  @Test
  void refusesBeforeTheWorkBegins() throws IOException {
    Files.createDirectories(at("v1/set"));
    Files.createDirectories(at("v2/set"));
    for (String copy : List.of("v1/set", "v2/set")) {
      for (String file : List.of("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")) {
        Path to = at(copy).resolve(file);
        Files.createDirectories(to.getParent());
        Files.copy(at(file), to);
      }
    }
    Object home = at("home");
    refused(
        List.of("study", at("v1/set"), at("v2/set"), "--lists", folder, "--home", home),
        "have the same name");
    refused(List.of("tune", folder + ":test", "--queries", 0, "--home", home), "--queries 0");
    refused(List.of("compare", folder, "--field", "title", "--home", home), "is a collection");
    refused(List.of("compare", folder, "-o", at("corpus.jsonl/r.html"), "--home", home), "folder");
    ok("index", at("corpus.jsonl"), at("index"));
    refused(List.of("compare", at("index"), "--queries", folder, "--home", home), "is a folder");
    refused(
        List.of("fit", at("index"), "--queries", at("queries.jsonl"), "-o", folder, "--home", home),
        "is a folder");
  }

  @Test
  void whatAKilledIndexingLeftIsDeleted() throws IOException {
    Path left = Files.createDirectory(at("index.writing-" + UUID.randomUUID()));
    Path mine = Files.createDirectory(at("index.writing-notes"));
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    Files.setLastModifiedTime(mine, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    ok("index", at("corpus.jsonl"), at("index"));
    assertFalse(Files.exists(left));
    assertTrue(Files.exists(mine));
  }

  @Test
  void searchesWithACrossEncoder() throws IOException {
    crossEncoder();
    ok("index", at("corpus.jsonl"), at("index"));
    ok(
        "search",
        at("index"),
        "red banana car",
        "--scorer",
        "cross-encoder",
        "--model",
        at("bert"),
        "--explain");
    assertTrue(out.startsWith(" 1  "), out);
    assertTrue(out.contains("query tokens: red banana car"), out);
    assertTrue(out.contains("firstPassScore, of the first pass"), out);
    assertTrue(out.contains("d2") && out.contains("d3") && !out.contains("d1"), out);
    ok("extract", at("tiny.sbm25"), "--model", at("onnx"));
    List<Object> search =
        List.of(
            "search",
            at("index"),
            "laptop",
            "--scorer",
            "cross-encoder",
            "--model",
            at("bert"),
            "--extracted",
            at("tiny.sbm25"));
    ok(search, new Object[] {});
    assertFalse(out.contains("d1"), "no such word in it: " + out);
    ok(search, new Object[] {"--first-pass", "semantic"});
    assertTrue(out.contains("d1"), "a notebook is near: " + out);
    refused(
        List.of(
            "search", at("index"), "red car", "--scorer", "cross-encoder", "--model", at("onnx")),
        "no output of one logit a pair");
    refused(List.of("eval", folder, "--rerank", "-1", "--home", at("home")), "--rerank -1");
    refused(
        List.of("eval", folder, "--first-pass-weight", "-1", "--home", at("home")),
        "--first-pass-weight -1.0");
  }

  @Test
  void givesBM25APartInTheScoreUnlessToldNotTo() throws IOException {
    crossEncoder();
    ok("index", at("corpus.jsonl"), at("index"));
    List<Object> search =
        List.of("search", at("index"), "car", "--scorer", "cross-encoder", "--model", at("bert"));
    ok(search, new Object[] {"--explain"});
    assertTrue(out.contains("logit + weight * firstPassScore"), out);
    ok(search, new Object[] {"--explain", "--first-pass-weight", "0"});
    assertTrue(out.contains("the first pass has no part in it"), out);
  }

  @Test
  void tellsThatAQueryIsCut() throws IOException {
    crossEncoder();
    ok("index", at("corpus.jsonl"), at("index"));
    List<Object> search =
        List.of("search", at("index"), "--scorer", "cross-encoder", "--model", at("bert"), "--");
    ok(search, new Object[] {"red car"});
    assertFalse(err.contains("only the beginning"), err);
    ok(search, new Object[] {"red car ".repeat(500)});
    assertTrue(err.contains("reads only the beginning: 1 of 1"), err);
  }

  @Test
  void tellsHowManyHitsHaveNoText() throws IOException {
    crossEncoder();
    try (Directory directory = FSDirectory.open(at("index"));
        IndexWriter writer =
            new IndexWriter(directory, new IndexWriterConfig(new EnglishAnalyzer()))) {
      for (Field.Store stored : List.of(Field.Store.YES, Field.Store.NO, Field.Store.NO)) {
        writer.addDocument(List.of(new TextField("contents", "a red car", stored)));
      }
    }
    ok("search", at("index"), "car", "-n", "1", "--scorer", "cross-encoder", "--model", at("bert"));
    assertTrue(err.contains("2 of 3 hits have no text in field 'contents'"), err);
    assertEquals(1, out.lines().filter(line -> line.startsWith(" 1  ")).count(), out);
  }

  private static List<String> names(JsonNode node) {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "extract", "index", "attach", "search", "eval", "tune", "latency", "demo", "model"
      })
  void helpIsComplete(String command) {
    ok(command.isEmpty() ? new Object[] {"--help"} : new Object[] {"help", command});
    assertTrue(out.contains("Usage: sbm25"), out);
    assertFalse(out.contains("null"), out);
  }

  @Test
  void wrongUsageHasItsOwnExitCode() {
    assertEquals(2, run("search"));
    assertEquals(2, run("eval", folder, "--format", "xml"));
    assertEquals(2, run("no-such-command"));
  }

  @Test
  void badCorporaAreRefused() throws IOException {
    String[][] cases = {
      {"", "is empty"},
      {CORPUS + "{\"_id\": \"d4\", \"text\": \"cut of", ":4: not one JSON object on the line"},
      {"{\"_id\": \"d1\", \"text\": \"x\"}\n{\"text\": \"no id\"}\n", ":2: has no '_id'"},
      {"[1, 2]\n", ":1: not a JSON object"},
      {CORPUS + CORPUS, ":4: the _id 'd1' occurs a second time"},
    };
    for (String[] bad : cases) {
      Files.writeString(at("corpus.jsonl"), bad[0]);
      refused(List.of("index", at("corpus.jsonl"), at("index")), at("corpus.jsonl"), bad[1]);
    }
    Files.write(at("corpus.jsonl"), new byte[] {(byte) 0xC3, (byte) 0x28});
    refused(List.of("index", at("corpus.jsonl"), at("index")), "not UTF-8");
    refused(List.of("index", at("none.jsonl"), at("index")), at("none.jsonl"), "no such file");
    refused(
        List.of("index", at("qrels/test.tsv").resolveSibling(".."), at("index")), "no .txt files");
    Files.writeString(at("c.tsv"), "t1\tx\nno tab\n");
    refused(List.of("index", at("c.tsv"), at("index")), at("c.tsv") + ":2", "not 'id<TAB>text'");
    Files.writeString(at("c.tsv"), "t1\tx\nt1\ty\n");
    refused(List.of("index", at("c.tsv"), at("index")), at("c.tsv") + ":2", "'t1'");
  }

  @Test
  void outputsThatCannotBeWrittenAreRefused() throws IOException {
    prepare();
    refused(List.of("index", at("corpus.jsonl"), at("index")), at("index"), "exists");
    refused(
        List.of("index", at("corpus.jsonl"), at("corpus.jsonl").resolve("x")), at("corpus.jsonl"));
    refused(
        List.of("extract", at("corpus.jsonl").resolve("x"), "--model", at("onnx")),
        at("corpus.jsonl"),
        "is not a folder");
    refused(List.of("extract", at("qrels"), "--model", at("onnx")), at("qrels"));
    List<Object> arguments = new ArrayList<>(List.of(attach()));
    arguments.addAll(List.of("-o", at("corpus.jsonl").resolve("x")));
    refused(arguments, at("corpus.jsonl"), "is not a folder");
  }

  @Test
  void badOnnxModelsAndTokenizersAreRefused() throws IOException {
    List<Object> extract = List.of("extract", at("new.sbm25"), "--model", at("onnx"));
    for (String name : List.of("onnx/model.onnx", "onnx/tokenizer.json")) {
      byte[] good = Files.readAllBytes(at(name));
      Files.write(at(name), new byte[0]);
      refused(extract, at(name));
      Files.write(at(name), Arrays.copyOf(good, good.length / 2));
      refused(extract, at(name));
      Files.writeString(at(name), "something else");
      refused(extract, at(name));
      Files.delete(at(name));
      refused(extract, at("onnx"), Path.of(name).getFileName());
      Files.write(at(name), good);
    }
    refused(
        List.of("extract", at("new.sbm25"), "--model", at("none")), at("none"), "no such model");
    Files.writeString(at("idf.tsv"), "word\tten\n");
    List<Object> withIdf = new ArrayList<>(extract);
    withIdf.addAll(List.of("--idf", at("idf.tsv")));
    refused(withIdf, at("idf.tsv") + ":1");
  }

  @Test
  void badModelAndAttachedFilesAreRefused() throws IOException {
    prepare();
    for (String name : List.of("tiny.sbm25", "index.contents.attached")) {
      byte[] good = Files.readAllBytes(at(name));
      byte[] flipped = good.clone();
      flipped[good.length / 2] ^= 1;
      for (byte[] bad :
          List.of(
              new byte[0],
              Arrays.copyOf(good, good.length - 5),
              flipped,
              CORPUS.getBytes(StandardCharsets.UTF_8))) {
        Files.write(at(name), bad);
        refused(search("car"), at(name), "damaged");
      }
      Files.write(at(name), good);
    }
    Files.delete(at("tiny.sbm25"));
    refused(search("car"), at("tiny.sbm25"), "no such file");
  }

  @Test
  void searchesAnIndexThatWasNeverAttached() throws IOException {
    ok("extract", at("tiny.sbm25"), "--model", at("onnx"));
    ok("index", at("corpus.jsonl"), at("index"));
    ok(search("inexpensive laptop").toArray());
    assertTrue(out.contains("d1"), out);
    refused(search("car", "--attached", at("none").toString()), at("none"), "no such file");
    // with the English model
    ok("search", at("index"), "inexpensive laptop");
    assertTrue(out.contains("d1"), out);
  }

  @Test
  void attachAddsOnlyWordsThatTheModelLacks() throws IOException {
    Files.writeString(at("corpus.tsv"), "t1\tcaring car\n");
    ok("extract", at("tiny.sbm25"), "--model", at("onnx"));
    ok("index", at("corpus.tsv"), at("index"), "--analyzer", "standard");
    List<Object> arguments = new ArrayList<>(List.of(attach()));
    arguments.addAll(List.of("--analyzer", "standard"));
    ok(arguments.toArray());
    assertTrue(err.contains("1 of 2 terms of field 'contents', those that"), err);
    assertTrue(Files.exists(at("index.contents.attached")));
    ok(search("caring", "--analyzer", "standard").toArray());
    assertTrue(out.contains("t1"), out);
  }

  @Test
  void termsOfAnotherModelAndAnotherEncoderAreRefused() throws IOException {
    prepare();
    TinyModel.write(at("other"), Weights.UINT8_AFTER);
    ok("extract", at("other.sbm25"), "--model", at("other"));
    refused(
        List.of("search", at("index"), "car", "--extracted", at("other.sbm25")),
        at("index.contents.attached"),
        "attach them again");
    refused(search("car", "--analyzer", "simple"), "attached with analyzer");
    String attached = at("index.contents.attached").toString();
    refused(
        search("car", "--field", "id", "--attached", attached),
        "attached with field contents, not id");
    crossEncoder();
    refused(
        List.of("attach", at("index"), "--extracted", at("other.sbm25"), "--encoder", at("bert")),
        at("bert/model.onnx"),
        "nor like it");
  }

  @Test
  void badIndexesAreRefused() throws IOException {
    prepare();
    refused(List.of("search", at("none"), "car", "--scorer", "bm25"), at("none"), "no such folder");
    refused(
        List.of("search", at("qrels"), "car", "--scorer", "bm25"), at("qrels"), "no Lucene index");
    List<Object> otherField = new ArrayList<>(List.of(attach()));
    otherField.addAll(List.of("--field", "title"));
    refused(otherField, "'title'");
    refused(search("car", "--analyzer", "no.such.Class"), "no.such.Class");
    refused(search("car", "-n", "0"), "-n 0");
    try (Stream<Path> files = Files.list(at("index"))) {
      Path segments =
          files
              .filter(f -> f.getFileName().toString().startsWith("segments"))
              .findFirst()
              .orElseThrow();
      Files.write(segments, Arrays.copyOf(Files.readAllBytes(segments), 20));
    }
    refused(search("car"), at("index"), "damaged");
  }

  @Test
  void badDatasetsAreRefused() throws IOException {
    refused(List.of("eval", folder, "--split", "dev"), at("qrels/dev.tsv"), "no such file");
    Files.writeString(at("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq1\td1\ttwo\n");
    refused(List.of("eval", folder), at("qrels/test.tsv") + ":2");
    refused(List.of("tune", folder.toString().replace(':', '_')), "not DATASET:SPLIT");
  }

  @Test
  void verboseShowsTheCause() {
    assertEquals(1, run("extract", at("new.sbm25"), "--model", at("none"), "--verbose"));
    assertTrue(err.contains("\tat "), err);
  }

  /** Kills the command while the bundled cross-encoder is at work, in all its layers. */
  @ParameterizedTest
  @ValueSource(ints = {1000, 2000, 3500})
  void anInterruptedExtractLeavesNothing(int millis) throws Exception {
    Files.createDirectories(at("out"));
    Process process = start("extract", at("out/new.sbm25"), "--home", at("home"), "--layer", "6");
    assertFalse(process.waitFor(millis, TimeUnit.MILLISECONDS), this::log);
    process.destroy();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertTrue(process.exitValue() != 0);
    try (Stream<Path> left = Files.list(at("out"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void anInterruptedAttachLeavesNothing() throws Exception {
    StringBuilder corpus = new StringBuilder();
    for (int i = 0; i < 60_000; i++) {
      corpus.append("t%d\t%s\n".formatted(i, word(i * 7919)));
    }
    Files.writeString(at("words.tsv"), corpus);
    ok("index", at("words.tsv"), at("words"));
    Files.createDirectories(at("out"));
    Process process = start("attach", at("words"), "-o", at("out/attached"), "--home", at("home"));
    assertFalse(process.waitFor(4, TimeUnit.SECONDS), this::log);
    process.destroy();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    try (Stream<Path> left = Files.list(at("out"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** ONNX Runtime 1.29 searches the command line by recursion. */
  @Test
  void aLongCommandLineIsNoTrouble() throws Exception {
    Files.createDirectories(at("out"));
    Process process =
        start("extract", at("out/new.sbm25"), "--model", at("onnx"), "--home", "h".repeat(100_000));
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), this::log);
  }

  private String log() {
    try {
      return "finished too soon: " + Files.readString(at("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static String word(int number) {
    return Integer.toString(number, 26)
        .chars()
        .map(c -> Character.isDigit(c) ? c - '0' + 'q' : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private Process start(Object... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(at("log").toFile())
        .start();
  }

  private void crossEncoder() throws IOException {
    TinyModel.write(at("bert"), Weights.FLOAT);
    new TinyBert(new TinyBert.Shape(TinyModel.VOCABULARY.size(), 128, 3, 32, 2, 128), 1)
        .write(at("bert"));
  }

  @Test
  void fitRefusesAModelThatDoesNotGain() throws IOException {
    crossEncoder();
    // both passages have the one word that is asked for, so no model can rank them otherwise
    Files.writeString(
        at("corpus.jsonl"),
        "{\"_id\": \"a\", \"text\": \"red car\"}\n{\"_id\": \"b\", \"text\": \"red laptop\"}\n");
    prepare();
    Files.write(at("queries.txt"), IntStream.range(100, 130).mapToObj(i -> "red " + i).toList());
    List<Object> fit =
        List.of(
            "fit",
            at("index"),
            "--queries",
            at("queries.txt"),
            "--model",
            at("bert"),
            "--extracted",
            at("tiny.sbm25"),
            "-o",
            at("fitted.sbm25"));
    refused(fit, "no gain on held-out queries");
    assertTrue(out.contains("held-out half"), out);
    Files.writeString(at("queries.txt"), "Red  car\nred car\nbanana\n");
    refused(fit, "queries.txt", "only 1 queries find passages");
    List<Object> few = new ArrayList<>(fit);
    few.addAll(List.of("--sample", "3"));
    refused(few, "--sample 3");
  }

  @Test
  void fitsToACrossEncoderAndWritesWhatGains() throws IOException {
    crossEncoder();
    Random random = new Random(3);
    StringBuilder corpus = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      corpus.append(
          "{\"_id\": \"d%d\", \"text\": \"%s\"}\n"
              .formatted(i, words(random, 2 + random.nextInt(50))));
    }
    Files.writeString(at("corpus.jsonl"), corpus);
    prepare();
    Files.write(
        at("queries.txt"), Stream.generate(() -> words(random, 2)).distinct().limit(80).toList());
    ok(
        "fit",
        at("index"),
        "--queries",
        at("queries.txt"),
        "--model",
        at("bert"),
        "--extracted",
        at("tiny.sbm25"),
        "-o",
        at("fitted.sbm25"),
        "--format",
        "json");
    JsonNode held = new ObjectMapper().readTree(out).path("systems").path("held-out half");
    assertTrue(held.path("after").asDouble() > held.path("alignment before").asDouble(), out);
    assertTrue(held.path("queries").asInt() >= 30, out);
    try (Directory directory = FSDirectory.open(folder)) {
      assertNotEquals(
          SemanticBM25Model.read(directory, "tiny.sbm25").parameters(),
          SemanticBM25Model.read(directory, "fitted.sbm25").parameters());
    }
  }

  /** Lists of random words, as a cross-encoder is trained with. */
  private Path lists() throws IOException {
    Random random = new Random(1);
    StringBuilder lists = new StringBuilder();
    StringBuilder passages = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      passages.append("{\"_id\": \"p%d\", \"text\": \"%s\"}\n".formatted(i, words(random, 12)));
    }
    for (int i = 0; i < 100; i++) {
      lists.append(
          "{\"query\": \"%s\", \"passages\": [\"p%d\", \"p%d\", \"p%d\"]}\n"
              .formatted(words(random, 3), 4 * i, 4 * i + 1, 4 * i + 2));
    }
    Files.createDirectories(at("lists"));
    gzip(at("lists/lists.jsonl.gz"), lists.toString());
    gzip(at("lists/passages.jsonl.gz"), passages.toString());
    return at("lists");
  }

  private static String words(Random random, int count) {
    return random
        .ints(count, 6, 20)
        .mapToObj(TinyModel.VOCABULARY::get)
        .collect(Collectors.joining(" "));
  }

  private static void gzip(Path file, String text) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void extractsTheAttentionOfACrossEncoder() throws IOException {
    crossEncoder();
    Path lists = lists();
    ok("extract", at("bert.sbm25"), "--model", at("bert"), "--lists", lists);
    assertTrue(out.contains("layer 2"), out);
    assertTrue(err.contains("layers 3, Pearson's r on development queries: "), err);
    try (Directory directory = FSDirectory.open(folder)) {
      assertEquals(3, AttentionModel.read(directory, "bert.sbm25.attention").layers());
      SemanticBM25Model kernel = SemanticBM25Model.read(directory, "bert.sbm25");
      assertEquals(1, kernel.layer(), "a third of the way up");
      Map<String, String> figures = kernel.provenance().figures();
      assertTrue(loss(figures, "kernel, development loss untrained") > 0, figures.toString());
    }
    assertFalse(Files.exists(at("bert.sbm25.samples")), "samples are left behind");
    String card = Files.readString(at("bert.sbm25.md"));
    for (String part : List.of("| layers | 3 |", "## Attention", "| layer 2 | ", "## Matching")) {
      assertTrue(card.contains(part), card);
    }
    ok(
        "extract",
        at("few.sbm25"),
        "--model",
        at("bert"),
        "--lists",
        lists,
        "--kernel-queries",
        "9",
        "--layer",
        "2");
    assertTrue(err.contains("kernel, lists: 9"), err);
    for (String wrong : List.of("0", "-1", "4")) {
      refused(
          List.of("extract", at("x.sbm25"), "--model", at("bert"), "--layer", wrong),
          "has 3 layers; give 1 to 3");
    }
    refused(
        List.of(
            "extract",
            at("x.sbm25"),
            "--model",
            at("bert"),
            "--lists",
            lists,
            "--kernel-queries",
            "1"),
        "--kernel-queries 1: must be 2 or more");
    refused(
        List.of("extract", at("x.sbm25"), "--model", at("bert"), "--kernel-queries", "9"),
        "needs --lists");
    Files.delete(at("lists/passages.jsonl.gz"));
    refused(
        List.of("extract", at("x.sbm25"), "--model", at("bert"), "--lists", lists),
        "passages.jsonl.gz: no such file");
    prepare();
    Object[] attention = {"--model", at("bert"), "--attention", at("bert.sbm25.attention")};
    ok(search("car", "--scorer", "attention", "--layers", "1", "--explain"), attention);
    assertTrue(out.contains("semanticScore, of attention in the first 1 layers of bert"), out);
    assertTrue(out.contains("query token 'car', sum of:"), out);
    ok(
        List.of(
            "eval",
            folder,
            "--no-contextual",
            "--extracted",
            at("tiny.sbm25"),
            "--home",
            at("home"),
            "--layers",
            "2",
            "-o",
            at("runs")),
        attention);
    assertTrue(out.contains("attention"), out);
    assertTrue(Files.exists(at("runs/attention.run")));
    List<Object> tooMany = search("car", "--scorer", "attention", "--layers", "9");
    tooMany.addAll(List.of(attention));
    refused(tooMany, "--layers 9: must be 1 to 3");
  }

  private static double loss(Map<String, String> figures, String name) {
    return Double.parseDouble(figures.get(name));
  }

  /** A cross-encoder, and queries that find something. */
  private void prepareStudy() throws IOException {
    prepare();
    crossEncoder();
    Files.writeString(
        at("queries.jsonl"),
        "{\"_id\": \"q1\", \"text\": \"cheap laptop\"}\n"
            + "{\"_id\": \"q2\", \"text\": \"the fruit car\"}\n");
  }

  @Test
  void studiesACrossEncoder() throws IOException {
    prepareStudy();
    Files.writeString(
        at("bm25.run"), "q1 Q0 d1 1 3 x\nq1 Q0 d2 2 2 x\nq2 Q0 d3 1 2 x\nq2 Q0 d2 2 1 x\n");
    Files.writeString(at("idf.tsv"), "the\t0.1\ncheap\t2\nlaptop\t5\nfruit\t3\ncar\t2\nred\t4\n");
    Object[] study = {
      "study",
      folder,
      "--lists",
      lists(),
      "--model",
      at("bert"),
      "--extracted",
      at("tiny.sbm25"),
      "--home",
      at("home"),
      "--idf",
      at("idf.tsv"),
      "-o",
      at("study"),
      "--format",
      "json"
    };
    ok(study);
    JsonNode tables = new ObjectMapper().readTree(out);
    assertEquals(10, tables.size(), out);
    JsonNode summary =
        tables.path("All collections: r with the cross-encoder's logits, and alignment");
    for (String scorer :
        List.of("attention", "matching heads", "contextual", "static", "tuned BM25")) {
      assertEquals(
          summary.path(folder.getFileName().toString()).path(scorer),
          summary.path("median").path(scorer),
          scorer);
      assertTrue(summary.path("median").path(scorer).isNumber(), scorer);
    }
    assertEquals(tables, new ObjectMapper().readTree(at("study/study.json").toFile()));
    assertTrue(Files.readString(at("study/study.md")).contains("| 3 layers | "));
    // the samples of the first time are taken again
    ok(study);
    JsonNode again = new ObjectMapper().readTree(out);
    assertEquals(
        tables.get("Controls: r with the cross-encoder's logits"),
        again.get("Controls: r with the cross-encoder's logits"));
    Object[] paper = Arrays.copyOf(study, study.length + 2);
    paper[study.length] = "--heads";
    paper[study.length + 1] = "paper";
    assertEquals(1, run(paper));
    assertTrue(
        err.contains("--heads paper: the model has 3 layers of 2 heads, so no head 7.9"), err);
    refused(
        List.of("study", folder, "--model", at("bert"), "--home", at("home"), "-o", at("study")),
        "--lists");

    assertTrue(ofStatic(tables, "static").has("nDCG@10, reranking"), out);
    Files.delete(at("bm25.run"));
    ok(List.of(study), new Object[] {"--causal"});
    tables = new ObjectMapper().readTree(out);
    JsonNode edited =
        tables.path(folder.getFileName() + ": a query term's embedding edited, changes");
    assertEquals(16, edited.size(), out);
    JsonNode whole = edited.path("whole embedding x 0.0");
    assertNotEquals(0, whole.path("logit, term in passage").asDouble());
    assertEquals(2, whole.path("queries").asInt(), out);
    JsonNode searched = evaluateAsJson().path("systems");
    String measure = "nDCG@10, searching";
    assertEquals(
        searched.path("semantic").path("nDCG@10"), ofStatic(tables, "static").path(measure));
    assertEquals(
        searched.path("bm25").path("nDCG@10"),
        ofStatic(tables, "first pass of BM25").path(measure));
  }

  @Test
  void studiesSomeQueriesOfSeveralCollections() throws IOException {
    prepareStudy();
    Files.writeString(at("bm25.run"), "q1 Q0 d1 1 3 x\nq2 Q0 d3 1 2 x\n");
    Path other = Files.createDirectories(at("other/qrels")).getParent();
    for (String file : List.of("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")) {
      Files.copy(at(file), other.resolve(file));
    }
    Object[] study = {
      "study",
      folder,
      other,
      "--lists",
      lists(),
      "--model",
      at("bert"),
      "--home",
      at("home"),
      "--extracted",
      at("tiny.sbm25"),
      "-o",
      at("study"),
      "--format",
      "json",
      "--no-contextual"
    };
    refused(Stream.concat(Stream.of(study), Stream.of("--sample", "-1")).toList(), "--sample -1");
    ok(List.of(study), new Object[] {"--sample", "1"});
    assertFalse(err.contains("queries without judgements"), err);
    JsonNode summary = new ObjectMapper().readTree(out).elements().next();
    double[] r = {
      summary.path(folder.getFileName().toString()).path("static").asDouble(),
      summary.path("other").path("static").asDouble()
    };
    assertEquals((r[0] + r[1]) / 2, summary.path("median").path("static").asDouble(), 1e-9);
    assertEquals(1, summary.path("other").path("queries").asInt());
    assertTrue(summary.path("other").path("contextual").isMissingNode());
  }

  private JsonNode ofStatic(JsonNode tables, String row) {
    return tables
        .path("Extracted scorers, no network at query time")
        .path(folder.getFileName() + ", " + row);
  }

  @Test
  void looksAtCutsAndQuantisesModels() throws IOException {
    crossEncoder();
    ok("model", "info", at("bert"));
    assertTrue(out.contains("3 layers"), out);
    assertTrue(out.contains("input_ids, attention_mask, token_type_ids"), out);
    assertTrue(out.matches("(?s).*positions +128\\R.*"), out);
    ok("model", "quantize", at("bert"), at("int8"));
    ok("model", "info", at("int8"));
    assertTrue(out.matches("(?s).*8-bit integers +yes\\R.*"), out);
    ok("model", "cut", at("bert"), at("cut"), "--layers", "2");
    ok("model", "info", at("cut"));
    assertTrue(out.contains("2 layers"), out);
    assertTrue(out.contains("outputs          attention_mass"), out);
  }

  @Test
  void refusesBadModelEdits() throws IOException {
    crossEncoder();
    refused(List.of("model", "cut", at("bert"), at("new"), "--layers", "4"), "has 3 layers");
    refused(List.of("model", "cut", at("bert"), at("bert"), "--layers", "1"), "is there already");
    refused(List.of("model", "quantize", at("missing"), at("new")), at("missing"), "no such model");
    ok("model", "quantize", at("bert"), at("int8"));
    refused(List.of("model", "quantize", at("int8"), at("new")), "is quantised already");
    refused(List.of("model", "fetch", "model", at("new")), "give them as owner/model");
    refused(
        List.of("model", "fetch", "a/b", at("new"), "--hub", "http://192.0.2.1"), "not an HTTPS");
    assertEquals(2, run("model"));
    assertEquals(2, run("model", "cut", at("bert"), at("new")));
  }

  private List<Object> enrich(String output, Object... more) {
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                "enrich",
                at("index"),
                "-o",
                at(output),
                "--contextual",
                at("soft"),
                "--home",
                at("home")));
    arguments.addAll(List.of(more));
    return arguments;
  }

  @Test
  void enrichesAnIndexAndSearchesIt() throws IOException {
    new TinySoftTerms(7).write(at("soft"));
    ok("index", at("corpus.jsonl"), at("index"));
    ok(enrich("enriched").toArray());
    assertTrue(err.contains("3 passages, contents_soft, model "), err);
    ok("search", at("enriched"), "banana car", "--contextual", at("soft"), "--explain");
    assertTrue(out.contains("contextual(contents_soft:banana in "), out);
    assertTrue(out.contains("words of the passage that stand for 'car'"), out);
    String byDefault = out;
    ok(
        "search",
        at("enriched"),
        "banana car",
        "--contextual",
        at("soft"),
        "--explain",
        "--scorer",
        "contextual");
    assertEquals(byDefault, out);
    // the text field is as it was
    ok("search", at("enriched"), "banana", "--scorer", "bm25");
    String enriched = out;
    ok("search", at("index"), "banana", "--scorer", "bm25");
    assertEquals(out, enriched);
    ok(enrich("more", "--like", at("enriched"), "--stored-terms", "1").toArray());
  }

  @Test
  void refusesWhatCannotBeEnrichedOrSearchedInContext() throws IOException {
    new TinySoftTerms(7).write(at("soft"));
    new TinySoftTerms(8).write(at("other"));
    ok("index", at("corpus.jsonl"), at("index"));
    List<Object> soft = List.of("--contextual", at("soft"));
    refused(
        Stream.of(List.of("search", at("index"), "car", "--scorer", "contextual"), soft)
            .flatMap(List::stream)
            .toList(),
        at("index"),
        "enrich it first");
    ok(enrich("enriched").toArray());
    refused(enrich("enriched"), at("enriched"), "exists");
    refused(
        List.of(
            "search", at("enriched"), "car", "--contextual", at("other"), "--scorer", "contextual"),
        at("enriched"),
        "was written with the contextual model");
    refused(enrich("new", "--field", "title"), "no terms in a field 'title'");
    refused(enrich("new", "--text", "doc-values"), "no text found for field 'contents'");
    refused(enrich("new", "--stored-terms", "-1"), "--stored-terms -1");
    refused(enrich("new", "--like", at("index")), "enrich it first");
    refused(
        List.of("enrich", at("enriched"), "-o", at("new"), "--contextual", at("soft")),
        "has a field 'contents_soft' already");
    refused(
        List.of("enrich", at("index"), "-o", at("new"), "--contextual", at("onnx")),
        at("onnx"),
        "terms.contextual: no such file");
    Files.copy(
        at("other").resolve("terms.contextual"),
        at("soft").resolve("terms.contextual"),
        StandardCopyOption.REPLACE_EXISTING);
    refused(enrich("new"), at("soft"), "belong together");
  }

  @Test
  void measuresTheContextualSystem() throws IOException {
    new TinySoftTerms(7).write(at("soft"));
    Object[] eval = {
      "eval", folder, "--rerank", "0", "--home", at("home"), "--contextual", at("soft")
    };
    ok(eval);
    assertTrue(out.contains("contextual"), out);
    String first = out;
    ok(eval);
    assertEquals(first, out);
    assertFalse(err.contains("enriching"), err);
    ok("eval", folder, "--rerank", "0", "--home", at("home"), "--no-contextual");
    assertFalse(out.contains("contextual"), out);
  }
}
