package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.lucene.IndexEnricher;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.lucene.SoftFrequencyEncoder;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SoftTermFields;
import org.semanticbm25.similarity.model.ContextualModel;
import picocli.CommandLine.Option;

/** The contextual model that commands index and search with. */
public final class ContextualOption {
  private static final String TERMS = "terms.contextual";

  @Option(
      names = "--contextual",
      paramLabel = "DIR",
      description =
          "folder with model.onnx, tokenizer.json and "
              + TERMS
              + " of a contextual model (default: the one that comes along)")
  @Nullable Path folder;

  @Option(
      names = "--stored-terms",
      paramLabel = "N",
      description =
          "most terms of a passage to store that do not stand in it: more find more, and make the"
              + " index larger (default: ${DEFAULT-VALUE})")
  int storedTerms = SoftTermFields.DEFAULT_SOFT_TERMS;

  @Option(
      names = "--literal",
      paramLabel = "W",
      description =
          "weight of BM25 beside the soft frequencies, when an index is enriched and when it is"
              + " searched (default: the model's)")
  @Nullable Float literal;

  // read once a command
  private @Nullable ContextualModel model;

  /** Terms and numbers of the model. */
  public ContextualModel model() throws IOException {
    if (model == null) {
      ContextualModel read =
          folder != null ? read(folder.resolve(TERMS)) : EnglishModel.loadContextual();
      model = literal == null ? read : withLiteral(read, literal);
    }
    return model;
  }

  private static ContextualModel withLiteral(ContextualModel model, float literal)
      throws UserException {
    if (!(literal >= 0f && Float.isFinite(literal))) {
      throw new UserException("--literal " + literal + ": must be a number of 0 or more");
    }
    return model.withLiteral(literal);
  }

  private static ContextualModel read(Path file) throws IOException {
    UserFiles.requireFile(file, "give the folder of a contextual model");
    try (Directory directory = UserFiles.folderOf(file)) {
      return ContextualModel.read(directory, UserFiles.name(file));
    }
  }

  /**
   * Opens the encoder of the model.
   *
   * @param home where the bundled one is unpacked
   */
  public SoftTermEncoder encoder(Path home) throws IOException {
    NeuralModel files =
        folder != null
            ? NeuralModel.at(folder)
            : NeuralModel.bundledContextual(home.resolve("models"));
    return SoftTermEncoder.open(files, model(), Runtime.getRuntime().availableProcessors());
  }

  /** The model on a field. */
  public ContextualField field(String name, Analyzer analyzer) throws IOException {
    return ContextualField.of(model(), name, analyzer);
  }

  /**
   * The same for an index that has to be enriched with the model.
   *
   * @param index its name, for messages
   */
  public ContextualField checked(Object index, IndexReader reader, String name, Analyzer analyzer)
      throws IOException {
    ContextualField field = field(name, analyzer);
    try {
      field.check(reader);
    } catch (IllegalArgumentException e) {
      throw new UserException(index + ": " + e.getMessage(), e);
    }
    return field;
  }

  /** Most soft terms of a passage. */
  public int storedTerms() throws UserException {
    if (storedTerms < 0) {
      throw new UserException("--stored-terms " + storedTerms + ": must be 0 or more");
    }
    return storedTerms;
  }

  /**
   * The index of a collection with soft terms, made at the first use beside the plain one.
   *
   * @param plain made by {@link TextIndex}
   * @param home where the bundled encoder is unpacked
   */
  public OpenIndex enriched(OpenIndex plain, Analyzer analyzer, Path home) throws IOException {
    if (Files.exists(place(plain))) {
      return open(place(plain));
    }
    try (SoftTermEncoder encoder = encoder(home)) {
      return enriched(plain, analyzer, encoder::encode);
    }
  }

  /** The same with soft terms from elsewhere. */
  public OpenIndex enriched(OpenIndex plain, Analyzer analyzer, SoftFrequencyEncoder encoder)
      throws IOException {
    Path place = place(plain);
    if (!Files.exists(place)) {
      Terminal.say("enriching %s to %s, once", plain.place(), place);
      SoftTermFields fields =
          new SoftTermFields(
              field(TextIndex.CONTENTS, analyzer),
              SoftTermFields.meanLength(plain.reader(), TextIndex.CONTENTS),
              storedTerms());
      try (Terminal progress = new Terminal()) {
        new IndexEnricher(fields, PassageSource.storedFields(TextIndex.CONTENTS), encoder, progress)
            .enrich(plain.place(), place);
      }
    }
    return open(place);
  }

  private Path place(OpenIndex plain) throws IOException {
    return plain
        .place()
        .resolveSibling(
            "%s-%s-%d".formatted(plain.place().getFileName(), model().id(), storedTerms()));
  }

  private static OpenIndex open(Path place) throws IOException {
    return new OpenIndex(place, CollectionIndexes.openIndex(place));
  }
}
