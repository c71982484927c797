package org.semanticbm25.eval.cli.option;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.QueryLog;
import org.semanticbm25.eval.collection.Sampling;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What systems are compared on: an index and a log of queries, or a collection. */
public final class TargetOption {
  /** What a target is, for the description of a parameter. */
  public static final String DESCRIPTION =
      "a folder with a Lucene index, or one with corpus.jsonl, queries.jsonl and qrels/";

  @Option(
      names = "--queries",
      paramLabel = "FILE",
      description = "queries for an index, one a line")
  @Nullable Path queries;

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "50",
      description =
          "queries of a target at most, drawn at random; 0 for all (default: ${DEFAULT-VALUE})")
  int sample;

  @Option(
      names = "--split",
      paramLabel = "NAME",
      defaultValue = "test",
      description = "judgements of a collection: qrels/NAME.tsv (default: ${DEFAULT-VALUE})")
  String split;

  @Option(
      names = "--no-contextual",
      description = "leave out the contextual system, for which an encoder reads all passages")
  boolean noContextual;

  @Mixin FieldOption field;
  @Mixin ContextualOption contextual;

  /** What results are made with, for people. */
  public void describe(Map<String, Object> settings) throws IOException {
    settings.put("queries at most", sample == 0 ? "all" : sample);
    settings.put("split", split);
    settings.put("field and analyzer", field.name + ", " + field.analyzerName());
    if (!noContextual) {
      settings.put("contextual model", contextual.model().id());
    }
  }

  /**
   * A target that is open for reading.
   *
   * @param reader enriched if there is a contextual field
   * @param semantic the static model on the field
   * @param contextual null if the index is not enriched, or the system is left out
   * @param index what is closed
   */
  public record Target(
      DirectoryReader reader,
      SemanticField semantic,
      @Nullable ContextualField contextual,
      OpenIndex index)
      implements Closeable {
    @Override
    public void close() throws IOException {
      index.close();
    }
  }

  /** Refuses what is no target, or does not go with the options. */
  public void check(Path place) throws UserException {
    if (sample < 0) {
      throw new UserException("--sample " + sample + ": must be 0 or more");
    }
    if (!Files.isDirectory(place)) {
      throw new UserException(
          place + ": no such folder; give a Lucene index, or a collection in BEIR's layout");
    }
    if (queries != null && isCollection(place)) {
      throw new UserException(
          "--queries %s: %s has queries of its own; leave one out".formatted(queries, place));
    }
    if (isCollection(place) && (field.attached != null || !field.name.equals(TextIndex.CONTENTS))) {
      throw new UserException(
          "%s: is for an index; %s is a collection, whose field is '%s'"
              .formatted(
                  field.attached != null ? "--attached " + field.attached : "--field " + field.name,
                  place,
                  TextIndex.CONTENTS));
    }
  }

  private static boolean isCollection(Path place) {
    return Files.exists(place.resolve("corpus.jsonl"))
        || Files.exists(place.resolve("corpus.jsonl.gz"));
  }

  /** Reads the queries of a target, and the judgements of a collection. */
  public Dataset read(Path place) throws IOException {
    if (isCollection(place)) {
      return Dataset.read(place, split);
    }
    if (queries == null) {
      throw new UserException(
          place + ": is no collection with queries; give --queries, a file with one a line");
    }
    Map<String, String> log = QueryLog.read(queries);
    if (log.isEmpty()) {
      throw new UserException(queries + ": is empty; give queries, one a line");
    }
    String name = Objects.toString(place.toAbsolutePath().normalize().getFileName(), "root");
    return new Dataset(name, place, log, Map.of(), Set.of());
  }

  /** Some of the queries at random, as many as --sample says at most. */
  public Set<String> drawn(Set<String> ids) {
    return sample == 0 ? ids : Set.copyOf(Sampling.draw(ids, sample));
  }

  /** The name of the field. */
  public String field() {
    return field.name;
  }

  /** The analyzer of the field. */
  public Analyzer analyzer() throws UserException {
    return field.analyzer();
  }

  /**
   * Opens a target; the index of a collection is made, and enriched, at the first use.
   *
   * @param dataset of {@link #read}
   * @param texts whether passages are to be read
   */
  public Target open(Path place, Dataset dataset, Workspace workspace, boolean texts)
      throws IOException {
    OpenIndex index =
        isCollection(place)
            ? openCollection(dataset, workspace)
            : new OpenIndex(place, CollectionIndexes.openIndex(place));
    try {
      if (isCollection(place)) {
        return target(
            index, SemanticField.of(workspace.model(), TextIndex.CONTENTS, field.analyzer()));
      }
      field.requireIn(place, index.reader());
      if (texts) {
        field.requireStored(place, index.reader());
      }
      return target(index, field.semantic(workspace, place));
    } catch (IOException | RuntimeException e) {
      IOUtils.closeWhileHandlingException(index);
      throw e;
    }
  }

  private OpenIndex openCollection(Dataset all, Workspace workspace) throws IOException {
    Analyzer analyzer = field.analyzer();
    OpenIndex plain =
        workspace
            .indexes()
            .open(all.name(), Digests.sha256(all.corpus()), analyzer, all::forEachPassage);
    if (noContextual) {
      return plain;
    }
    try (plain) {
      return contextual.enriched(plain, analyzer, workspace.home);
    }
  }

  private Target target(OpenIndex index, SemanticField semantic) throws IOException {
    DirectoryReader reader = index.reader();
    boolean enriched = !noContextual && ContextualField.isIn(reader, semantic.name());
    return new Target(
        reader,
        semantic,
        enriched
            ? contextual.checked(index.place(), reader, semantic.name(), field.analyzer())
            : null,
        index);
  }
}
