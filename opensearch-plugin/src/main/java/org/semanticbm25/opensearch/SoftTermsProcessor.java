package org.semanticbm25.opensearch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.FeatureField;
import org.jspecify.annotations.Nullable;
import org.opensearch.ingest.AbstractBatchingProcessor;
import org.opensearch.ingest.ConfigurationUtils;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.similarity.field.SoftTermFields;
import org.semanticbm25.similarity.model.SoftFrequencies;

/**
 * The ingest processor {@value #TYPE}: an encoder reads the text of a document and writes soft
 * frequencies into a field to be mapped as {@code rank_features}. Documents of a bulk request are
 * read together. One without the text is left as it is; one whose text is not a string, or too
 * long, is refused.
 */
final class SoftTermsProcessor extends AbstractBatchingProcessor {
  static final String TYPE = "soft_terms";

  /** What is added to the name of a text field for that of its soft frequencies. */
  static final String SUFFIX = "_soft";

  private static final int BATCH = 64;

  private final String field;
  private final String target;
  private final int maxLength;
  private final SoftTermFields fields;
  // opened by the first document, not when the cluster tells its nodes of a pipeline
  private final Supplier<SoftTermEncoder> encoder;
  private final NodeStats stats;

  private SoftTermsProcessor(
      Names names,
      int maxLength,
      SoftTermFields fields,
      Supplier<SoftTermEncoder> encoder,
      NodeStats stats) {
    super(names.tag, names.description, names.batchSize);
    this.field = fields.field().textField();
    this.target = fields.field().softField();
    this.maxLength = maxLength;
    this.fields = fields;
    this.encoder = encoder;
    this.stats = stats;
  }

  private record Names(String tag, String description, int batchSize) {}

  /** Makes processors by the configuration of a pipeline. */
  static final class Factory extends AbstractBatchingProcessor.Factory {
    private final Models models;
    private final SemanticFields fields;
    private final NodeStats stats;
    private final Function<String, Analyzer> analyzers;

    Factory(
        Models models,
        SemanticFields fields,
        NodeStats stats,
        Function<String, Analyzer> analyzers) {
      super(TYPE);
      this.models = models;
      this.fields = fields;
      this.stats = stats;
      this.analyzers = analyzers;
    }

    @Override
    public AbstractBatchingProcessor create(
        Map<String, org.opensearch.ingest.Processor.Factory> factories,
        String tag,
        String description,
        Map<String, Object> config)
        throws Exception {
      config.putIfAbsent(BATCH_SIZE_FIELD, BATCH);
      return super.create(factories, tag, description, config);
    }

    @Override
    protected AbstractBatchingProcessor newProcessor(
        String tag, String description, int batchSize, Map<String, Object> config) {
      String field = ConfigurationUtils.readStringProperty(TYPE, tag, config, "field");
      String target =
          ConfigurationUtils.readStringProperty(TYPE, tag, config, "target_field", field + SUFFIX);
      String analyzer =
          ConfigurationUtils.readStringProperty(TYPE, tag, config, "analyzer", "standard");
      String model =
          ConfigurationUtils.readStringProperty(TYPE, tag, config, "model", Models.BUNDLED);
      double meanLength = ConfigurationUtils.readDoubleProperty(TYPE, tag, config, "mean_length");
      int maxTerms =
          ConfigurationUtils.readIntProperty(
              TYPE, tag, config, "max_terms", SoftTermFields.DEFAULT_SOFT_TERMS);
      int maxLength = ConfigurationUtils.readIntProperty(TYPE, tag, config, "max_length", 100_000);
      if (field.equals(target)) {
        throw ConfigurationUtils.newConfigurationException(
            TYPE, tag, "target_field", "must be another field than [field]");
      }
      try {
        return new SoftTermsProcessor(
            new Names(tag, description, batchSize),
            maxLength,
            new SoftTermFields(
                fields.contextual(model, field, target, analyzers.apply(analyzer)),
                (float) meanLength,
                maxTerms),
            () -> models.encoder(model),
            stats);
      } catch (IllegalArgumentException e) {
        throw ConfigurationUtils.newConfigurationException(TYPE, tag, null, e.getMessage());
      }
    }
  }

  @Override
  public String getType() {
    return TYPE;
  }

  @Override
  public IngestDocument execute(IngestDocument document) {
    String text = text(document);
    if (text != null) {
      write(document, text, encode(List.of(text)).getFirst());
    }
    return document;
  }

  @Override
  protected void subBatchExecute(
      List<IngestDocumentWrapper> documents, Consumer<List<IngestDocumentWrapper>> handler) {
    List<IngestDocumentWrapper> read = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    for (IngestDocumentWrapper document : documents) {
      try {
        String text = text(document.getIngestDocument());
        if (text != null) {
          read.add(document);
          texts.add(text);
        }
      } catch (RuntimeException e) {
        document.update(document.getIngestDocument(), e);
      }
    }
    List<SoftFrequencies> found = List.of();
    try {
      found = encode(texts);
    } catch (RuntimeException e) {
      read.forEach(document -> document.update(document.getIngestDocument(), e));
    }
    for (int i = 0; i < found.size(); i++) {
      IngestDocument document = read.get(i).getIngestDocument();
      try {
        write(document, texts.get(i), found.get(i));
      } catch (RuntimeException e) {
        read.get(i).update(document, e);
      }
    }
    handler.accept(documents);
  }

  private List<SoftFrequencies> encode(List<String> texts) {
    long start = System.nanoTime();
    List<SoftFrequencies> found =
        Failures.hidden("encoding passages", () -> encoder.get().encode(texts));
    stats.encoded(texts.size(), System.nanoTime() - start);
    return found;
  }

  /** The text of a document, null if it has none. */
  private @Nullable String text(IngestDocument document) {
    Object value = document.getFieldValue(field, Object.class, true);
    if (value == null) {
      return null;
    }
    String text = value instanceof List<?> values ? joined(values) : string(value);
    if (text.length() > maxLength) {
      throw new IllegalArgumentException(
          "field [%s] has %s characters, but [max_length] of [%s] is %s; split it into passages"
              .formatted(field, text.length(), TYPE, maxLength));
    }
    return text;
  }

  private String joined(List<?> values) {
    List<String> strings = new ArrayList<>();
    values.forEach(value -> strings.add(string(value)));
    return String.join(" ", strings);
  }

  private String string(@Nullable Object value) {
    if (value instanceof String string) {
      return string;
    }
    throw new IllegalArgumentException(
        "field [%s] must be a text or a list of texts, but has a value of type [%s]"
            .formatted(field, value == null ? "null" : value.getClass().getSimpleName()));
  }

  private void write(IngestDocument document, String text, SoftFrequencies found) {
    Map<String, Float> features = new LinkedHashMap<>();
    for (FeatureField feature : fields.of(text, found)) {
      features.put(feature.stringValue(), feature.getFeatureValue());
    }
    if (!features.isEmpty()) {
      document.setFieldValue(target, features);
    }
  }
}
