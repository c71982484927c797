package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.lucene.util.IOConsumer;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;

/**
 * A collection in BEIR's layout: {@code corpus.jsonl}, {@code queries.jsonl} and {@code
 * qrels/<split>.tsv}, each plain or, with {@code .gz} after its name, compressed.
 *
 * @param name the folder's
 * @param corpus the file of passages; read by {@link #forEachPassage}
 * @param queries text by id, in the order of the file, only those with judgements
 * @param qrels grade by query id and passage id, only of {@code queries}
 * @param self ids of queries that are a passage of the corpus: of the same id and text, and not
 *     judged for themselves. In ArguAna queries are passages; a ranking leaves them out.
 */
public record Dataset(
    String name,
    Path corpus,
    Map<String, String> queries,
    Map<String, Map<String, Integer>> qrels,
    Set<String> self) {

  /**
   * Reads queries and judgements, and checks that they and the corpus belong together. What cannot
   * be used is left out, and told.
   *
   * @param split as in {@code qrels/test.tsv}
   * @throws UserException if a file is missing or a line of it wrong, or if no judged query has a
   *     text or no judged passage is in the corpus
   */
  public static Dataset read(Path folder, String split) throws IOException {
    Path judgements = file(folder.resolve("qrels"), split + ".tsv");
    Map<String, Map<String, Integer>> qrels = Qrels.read(judgements);
    Map<String, String> texts = new LinkedHashMap<>();
    Path queryFile = file(folder, "queries.jsonl");
    Records.forEach(
        queryFile,
        query -> {
          if (qrels.containsKey(query.id()) && !query.text().isBlank()) {
            texts.put(query.id(), query.text());
          }
        });
    if (texts.isEmpty()) {
      throw new UserException(
          "%s: none of its %d queries, such as '%s', has a text in %s; give files that belong together"
              .formatted(judgements, qrels.size(), qrels.keySet().iterator().next(), queryFile));
    }
    tell(judgements, "queries without a text, left out", qrels.size() - texts.size(), qrels.size());
    qrels.keySet().retainAll(texts.keySet());
    Path corpus = file(folder, "corpus.jsonl");
    String name = Objects.toString(folder.toAbsolutePath().normalize().getFileName(), "root");
    return new Dataset(name, corpus, texts, qrels, checkCorpus(corpus, judgements, texts, qrels));
  }

  /** A file of a folder, or the same compressed. */
  private static Path file(Path folder, String name) throws UserException {
    Path plain = folder.resolve(name);
    Path compressed = folder.resolve(name + ".gz");
    if (Files.isRegularFile(plain)) {
      return plain;
    }
    if (Files.isRegularFile(compressed)) {
      return compressed;
    }
    throw new UserException(plain + ": no such file; give a folder in BEIR's layout");
  }

  /** Reads all passages: judged ones must be among them. Returns the queries that are passages. */
  private static Set<String> checkCorpus(
      Path corpus,
      Path judgements,
      Map<String, String> texts,
      Map<String, Map<String, Integer>> qrels)
      throws IOException {
    Set<String> judged = new HashSet<>();
    qrels.values().forEach(grades -> judged.addAll(grades.keySet()));
    int all = judged.size();
    Set<String> self = new HashSet<>();
    Records.forEach(
        corpus,
        passage -> {
          judged.remove(passage.id());
          String query = texts.get(passage.id());
          if (query != null && isSame(query, passage) && !isJudged(qrels, passage.id())) {
            self.add(passage.id());
          }
        });
    if (judged.size() == all) {
      throw new UserException(
          "%s: none of its %d passages, such as '%s', is in %s; give files that belong together"
              .formatted(judgements, all, judged.iterator().next(), corpus));
    }
    tell(judgements, "judged passages not in the corpus", judged.size(), all);
    tell(
        judgements,
        "queries that are passages, left out of their own ranking",
        self.size(),
        texts.size());
    return self;
  }

  private static boolean isSame(String query, Passage passage) {
    return query.strip().equals(passage.text().strip()) || query.strip().equals(passage.contents());
  }

  private static boolean isJudged(Map<String, Map<String, Integer>> qrels, String id) {
    return qrels.getOrDefault(id, Map.of()).containsKey(id);
  }

  private static void tell(Path file, String what, int count, int all) {
    if (count > 0) {
      Terminal.say("%s: %s: %d of %d", file, what, count, all);
    }
  }

  /** Reads judgements, see {@link Qrels}. */
  public static Map<String, Map<String, Integer>> readQrels(Path file) throws IOException {
    return Qrels.read(file);
  }

  /**
   * Reads a run of these queries. What cannot be used is left out, and told.
   *
   * @throws UserException if the file is wrong, see {@link Run#read}, or has none of the queries
   */
  public Run readRun(Path file) throws IOException {
    Run all = Run.read(file);
    Run own = all.only(queries.keySet()).without(self);
    int used = own.hits().size();
    if (used == 0) {
      throw new UserException(
          "%s: none of its %d queries, such as '%s', is a judged query of %s; give a run of that collection"
              .formatted(file, all.hits().size(), all.hits().keySet().iterator().next(), name));
    }
    tell(file, "queries without judgements, left out", all.hits().size() - used, all.hits().size());
    tell(
        file,
        "judged queries that the run lacks, which count 0",
        queries.size() - used,
        queries.size());
    return own;
  }

  /** The same with fewer queries. */
  public Dataset only(Set<String> ids) {
    Map<String, String> someQueries = new LinkedHashMap<>(queries);
    someQueries.keySet().retainAll(ids);
    Map<String, Map<String, Integer>> someQrels = new LinkedHashMap<>(qrels);
    someQrels.keySet().retainAll(ids);
    return new Dataset(name, corpus, someQueries, someQrels, self);
  }

  /** The text of a query that is in {@link #queries}. */
  public String query(String id) {
    return Objects.requireNonNull(queries.get(id), () -> "no query " + id);
  }

  /** Reads the passages one by one. */
  public void forEachPassage(IOConsumer<Passage> consumer) throws IOException {
    Records.forEach(corpus, consumer);
  }
}
