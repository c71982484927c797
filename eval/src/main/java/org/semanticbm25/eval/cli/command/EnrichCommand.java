package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.lucene.index.DirectoryReader;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.HomeOption;
import org.semanticbm25.eval.cli.option.IndexedFieldOption;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.lucene.IndexEnricher;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SoftTermFields;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sbm25 enrich}. */
@Command(
    name = "enrich",
    sortOptions = false,
    description = {
      "Copy an existing Lucene index and add soft term frequencies in context.",
      "Reads each passage once with a neural encoder; a search of the copy runs none. The index is"
          + " only read. A call that was stopped goes on when it is given again.%n"
    })
public final class EnrichCommand implements Callable<Integer> {
  // bytes; what Lucene writes last needs more
  private static final long FULL_DISK = 1 << 20;

  /** Where the text of a passage is. */
  enum TextPlace {
    STORED,
    DOC_VALUES,
    TERM_VECTORS;

    PassageSource of(String field) {
      return switch (this) {
        case STORED -> PassageSource.storedFields(field);
        case DOC_VALUES -> PassageSource.docValues(field);
        case TERM_VECTORS -> PassageSource.termVectors(field);
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  @Parameters(paramLabel = "INDEX", description = "a folder with a Lucene index")
  Path index;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      required = true,
      description = "the folder to write; must not exist")
  Path output;

  @Mixin IndexedFieldOption field;

  @Option(
      names = "--text",
      paramLabel = "PLACE",
      defaultValue = "stored",
      description =
          "where the text of the field is: stored, doc-values or term-vectors (default: stored)")
  TextPlace text;

  @Option(
      names = "--like",
      paramLabel = "INDEX",
      description =
          "an enriched index to which this one is to be added: takes its mean passage length")
  @Nullable Path like;

  @Mixin ContextualOption contextual;
  @Mixin HomeOption home;

  @Override
  public Integer call() throws IOException {
    try (DirectoryReader reader = CollectionIndexes.openIndex(index);
        SoftTermEncoder encoder = contextual.encoder(home.home);
        Terminal progress = new Terminal()) {
      SoftTermFields fields = fields(reader);
      enrich(new IndexEnricher(fields, text.of(field.name), encoder::encode, progress));
      Terminal.say("wrote %s: %d passages, %s", output, reader.numDocs(), fields);
    }
    return 0;
  }

  private void enrich(IndexEnricher enricher) throws IOException {
    try {
      enricher.enrich(index, output);
    } catch (IOException e) {
      Path folder = Objects.requireNonNull(output.toAbsolutePath().getParent(), "of a new folder");
      if (Files.isDirectory(folder) && Files.getFileStore(folder).getUsableSpace() < FULL_DISK) {
        throw new UserException(
            "%s: the disk is full (%s); free space and give the command again: it goes on"
                .formatted(output, e.getMessage()),
            e);
      }
      throw e;
    }
  }

  private SoftTermFields fields(DirectoryReader reader) throws IOException {
    ContextualField text = contextual.field(field.name, field.analyzer());
    int storedTerms = contextual.storedTerms();
    if (like == null) {
      return new SoftTermFields(text, SoftTermFields.meanLength(reader, field.name), storedTerms);
    }
    try (DirectoryReader enriched = CollectionIndexes.openIndex(like)) {
      return SoftTermFields.like(text, enriched, storedTerms);
    }
  }
}
