package org.semanticbm25.opensearch;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.Query;
import org.jspecify.annotations.Nullable;
import org.opensearch.core.ParseField;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ObjectParser;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.index.mapper.MappedFieldType;
import org.opensearch.index.query.QueryShardContext;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.search.SoftFieldMark;

/**
 * Searches the soft frequencies that {@link SoftTermsProcessor} has written: {@code
 * contextual_match}. The field of the request is the text's; its soft frequencies are in a {@code
 * rank_features} field, {@code FIELD_soft} unless another is given.
 */
final class ContextualMatchQueryBuilder extends TextQueryBuilder<ContextualMatchQueryBuilder> {
  static final String NAME = "contextual_match";
  private static final ParseField SOFT_FIELD = new ParseField("soft_field");
  private static final String FIELD_TYPE = "rank_features";
  private static final ObjectParser<ContextualMatchQueryBuilder, Void> OPTIONS =
      new ObjectParser<>(NAME);

  static {
    declare(OPTIONS);
    OPTIONS.declareString((query, value) -> query.softField = value, SOFT_FIELD);
  }

  private final SemanticFields fields;
  private @Nullable String softField;

  private ContextualMatchQueryBuilder(SemanticFields fields, String field) {
    super(field);
    this.fields = fields;
  }

  ContextualMatchQueryBuilder(SemanticFields fields, StreamInput in) throws IOException {
    super(in);
    this.fields = fields;
    softField = in.readOptionalString();
  }

  static ContextualMatchQueryBuilder parse(SemanticFields fields, XContentParser parser)
      throws IOException {
    return parse(
        NAME,
        parser,
        field -> new ContextualMatchQueryBuilder(fields, field),
        (options, query) -> OPTIONS.parse(options, query, null));
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    super.doWriteTo(out);
    out.writeOptionalString(softField);
  }

  @Override
  void options(XContentBuilder builder) throws IOException {
    if (softField != null) {
      builder.field(SOFT_FIELD.getPreferredName(), softField);
    }
  }

  @Override
  Query query(MappedFieldType type, QueryShardContext context) throws IOException {
    String soft = softField != null ? softField : type.name() + SoftTermsProcessor.SUFFIX;
    MappedFieldType softType = context.fieldMapper(soft);
    if (softType == null || !softType.typeName().equals(FIELD_TYPE)) {
      throw new IllegalArgumentException(
          "[%s] needs the soft frequencies of [%s] in [%s], a field of type [%s]; map it, and index through a pipeline with [%s]"
              .formatted(NAME, type.name(), soft, FIELD_TYPE, SoftTermsProcessor.TYPE));
    }
    ContextualField field =
        fields.contextual(model(), type.name(), softType.name(), context.getSearchAnalyzer(type));
    checkModel(field, context.getIndexReader());
    return field.query(text());
  }

  private static void checkModel(ContextualField field, @Nullable IndexReader reader)
      throws IOException {
    if (reader == null) {
      return;
    }
    for (LeafReaderContext leaf : reader.leaves()) {
      for (SoftFieldMark mark : SoftFieldMark.in(leaf.reader(), field.softField())) {
        if (!mark.model().equals(field.model().id())) {
          throw new IllegalArgumentException(
              "[%s] was written with the contextual model %s, not %s; give that one as [model], or index the documents anew"
                  .formatted(field.softField(), mark.model(), field.model().id()));
        }
      }
    }
  }

  @Override
  protected boolean doEquals(ContextualMatchQueryBuilder other) {
    return super.doEquals(other) && Objects.equals(softField, other.softField);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(super.doHashCode(), softField);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }
}
