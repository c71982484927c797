package org.semanticbm25.opensearch;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.similarities.Similarity;
import org.jspecify.annotations.Nullable;
import org.opensearch.core.ParseField;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ObjectParser;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.index.mapper.MappedFieldType;
import org.opensearch.index.query.QueryShardContext;
import org.opensearch.index.similarity.NonNegativeScoresSimilarity;
import org.opensearch.index.similarity.SimilarityProvider;
import org.semanticbm25.similarity.field.SemanticField;

/**
 * Semantic BM25 with soft terms of a static model, on any text field: {@code semantic_match}.
 * Scored with the numbers of the model, or with those of the field's similarity if that is {@link
 * SemanticSimilarity}.
 */
final class SemanticMatchQueryBuilder extends TextQueryBuilder<SemanticMatchQueryBuilder> {
  static final String NAME = "semantic_match";
  private static final ParseField SOFT_TERMS = new ParseField("soft_terms");
  private static final ObjectParser<SemanticMatchQueryBuilder, Void> OPTIONS =
      new ObjectParser<>(NAME);

  static {
    declare(OPTIONS);
    OPTIONS.declareInt(SemanticMatchQueryBuilder::softTerms, SOFT_TERMS);
  }

  private final SemanticFields fields;
  private @Nullable Integer softTerms;

  private SemanticMatchQueryBuilder(SemanticFields fields, String field) {
    super(field);
    this.fields = fields;
  }

  SemanticMatchQueryBuilder(SemanticFields fields, StreamInput in) throws IOException {
    super(in);
    this.fields = fields;
    softTerms = in.readOptionalInt();
  }

  static SemanticMatchQueryBuilder parse(SemanticFields fields, XContentParser parser)
      throws IOException {
    return parse(
        NAME,
        parser,
        field -> new SemanticMatchQueryBuilder(fields, field),
        (options, query) -> OPTIONS.parse(options, query, null));
  }

  private void softTerms(int limit) {
    if (limit < 0 || limit > SemanticField.MAX_SOFT_TERMS) {
      throw new IllegalArgumentException(
          "[soft_terms] must be 0 to %s, got: %s".formatted(SemanticField.MAX_SOFT_TERMS, limit));
    }
    softTerms = limit;
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    super.doWriteTo(out);
    out.writeOptionalInt(softTerms);
  }

  @Override
  void options(XContentBuilder builder) throws IOException {
    if (softTerms != null) {
      builder.field(SOFT_TERMS.getPreferredName(), softTerms);
    }
  }

  @Override
  Query query(MappedFieldType type, QueryShardContext context) {
    Analyzer searchAnalyzer = context.getSearchAnalyzer(type);
    SemanticField field =
        fields.semantic(model(), type.name(), type.indexAnalyzer(), searchAnalyzer);
    if (similarity(type) instanceof SemanticSimilarity own) {
      field = field.withParameters(own.parameters(field.parameters()));
    }
    if (softTerms != null) {
      field = field.withMaxSoftTerms(softTerms);
    }
    return field.query(text());
  }

  private static @Nullable Similarity similarity(MappedFieldType type) {
    SimilarityProvider provider = type.getTextSearchInfo().getSimilarity();
    Similarity similarity = provider == null ? null : provider.get();
    return similarity instanceof NonNegativeScoresSimilarity wrapped
        ? wrapped.getDelegate()
        : similarity;
  }

  @Override
  protected boolean doEquals(SemanticMatchQueryBuilder other) {
    return super.doEquals(other) && Objects.equals(softTerms, other.softTerms);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(super.doHashCode(), softTerms);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }
}
