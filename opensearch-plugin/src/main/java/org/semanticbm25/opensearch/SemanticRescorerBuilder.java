package org.semanticbm25.opensearch;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.core.ParseField;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ObjectParser;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.index.mapper.MappedFieldType;
import org.opensearch.index.query.QueryRewriteContext;
import org.opensearch.index.query.QueryShardContext;
import org.opensearch.search.rescore.RescoreContext;
import org.opensearch.search.rescore.RescorerBuilder;
import org.semanticbm25.lucene.CrossEncoderRescorer;

/**
 * The rescorers {@code cross_encoder} and {@code semantic_bm25_attention}: {@code query_weight *
 * score of the first pass + rescore_query_weight * score of the model}.
 */
final class SemanticRescorerBuilder extends RescorerBuilder<SemanticRescorerBuilder> {
  private static final ParseField FIELD = new ParseField("field");
  private static final ParseField TEXT = new ParseField("text");
  private static final ParseField MODEL = new ParseField("model");
  private static final ParseField QUERY_WEIGHT = new ParseField("query_weight");
  private static final ParseField RESCORE_QUERY_WEIGHT = new ParseField("rescore_query_weight");
  private static final ParseField TIMEOUT = new ParseField("timeout");
  private static final float MAX_WEIGHT = 1000f;

  /** The two rescorers. */
  enum Kind {
    CROSS_ENCODER(
        "cross_encoder", Reranker.Function.CROSS_ENCODER, CrossEncoderRescorer.FIRST_PASS_WEIGHT),
    ATTENTION("semantic_bm25_attention", Reranker.Function.ATTENTION, 0f);

    final String name;
    final Reranker.Function function;
    final float queryWeight;

    /**
     * @param queryWeight weight of the first pass's score, by default
     */
    Kind(String name, Reranker.Function function, float queryWeight) {
      this.name = name;
      this.function = function;
      this.queryWeight = queryWeight;
    }

    static Kind of(String name) {
      for (Kind kind : values()) {
        if (kind.name.equals(name)) {
          return kind;
        }
      }
      throw new IllegalArgumentException(
          "unknown rescorer [%s]; must be [%s] or [%s]"
              .formatted(name, CROSS_ENCODER.name, ATTENTION.name));
    }
  }

  private final Kind kind;
  private final Reranker reranker;
  private String field = "";
  private String text = "";
  private String model = Models.BUNDLED;
  private float queryWeight;
  private float rescoreQueryWeight = 1f;
  private TimeValue timeout = TimeValue.timeValueSeconds(10);

  SemanticRescorerBuilder(Kind kind, Reranker reranker) {
    this.kind = kind;
    this.reranker = reranker;
    this.queryWeight = kind.queryWeight;
  }

  SemanticRescorerBuilder(Kind kind, Reranker reranker, StreamInput in) throws IOException {
    super(in);
    this.kind = kind;
    this.reranker = reranker;
    field = in.readString();
    text = in.readString();
    model = in.readString();
    queryWeight = in.readFloat();
    rescoreQueryWeight = in.readFloat();
    timeout = in.readTimeValue();
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    out.writeString(field);
    out.writeString(text);
    out.writeString(model);
    out.writeFloat(queryWeight);
    out.writeFloat(rescoreQueryWeight);
    out.writeTimeValue(timeout);
  }

  static SemanticRescorerBuilder parse(Kind kind, Reranker reranker, XContentParser parser)
      throws IOException {
    ObjectParser<SemanticRescorerBuilder, Void> options = options(kind.name);
    options.declareRequiredFieldSet(TEXT.getPreferredName());
    return options.parse(parser, new SemanticRescorerBuilder(kind, reranker), null);
  }

  /** Reads everything but the text, which a search pipeline takes from each query. */
  static SemanticRescorerBuilder template(Kind kind, Reranker reranker, XContentParser parser)
      throws IOException {
    return options(kind.name).parse(parser, new SemanticRescorerBuilder(kind, reranker), null);
  }

  private static ObjectParser<SemanticRescorerBuilder, Void> options(String name) {
    ObjectParser<SemanticRescorerBuilder, Void> options = new ObjectParser<>(name);
    options.declareString((builder, value) -> builder.field = value, FIELD);
    options.declareRequiredFieldSet(FIELD.getPreferredName());
    options.declareString((builder, value) -> builder.text = value, TEXT);
    options.declareString((builder, value) -> builder.model = value, MODEL);
    options.declareFloat(
        (builder, value) -> builder.queryWeight = weight(QUERY_WEIGHT, value), QUERY_WEIGHT);
    options.declareFloat(
        (builder, value) -> builder.rescoreQueryWeight = weight(RESCORE_QUERY_WEIGHT, value),
        RESCORE_QUERY_WEIGHT);
    options.declareString(SemanticRescorerBuilder::timeout, TIMEOUT);
    return options;
  }

  private static float weight(ParseField name, float value) {
    if (!(value >= 0f && value <= MAX_WEIGHT)) {
      throw new IllegalArgumentException(
          "[%s] must be 0 to %s, got: %s".formatted(name.getPreferredName(), MAX_WEIGHT, value));
    }
    return value;
  }

  private void timeout(String value) {
    timeout = TimeValue.parseTimeValue(value, TIMEOUT.getPreferredName());
    if (timeout.nanos() <= 0) {
      throw new IllegalArgumentException("[timeout] must be positive, got: " + value);
    }
  }

  /** Longest time that a shard waits for scores. */
  TimeValue timeout() {
    return timeout;
  }

  /** The same for a query's text. */
  SemanticRescorerBuilder withText(String query, @Nullable Integer window) {
    SemanticRescorerBuilder copy = new SemanticRescorerBuilder(kind, reranker);
    copy.field = field;
    copy.text = query;
    copy.model = model;
    copy.queryWeight = queryWeight;
    copy.rescoreQueryWeight = rescoreQueryWeight;
    copy.timeout = timeout;
    return window == null ? copy : copy.windowSize(window);
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder
        .startObject(kind.name)
        .field(FIELD.getPreferredName(), field)
        .field(TEXT.getPreferredName(), text)
        .field(MODEL.getPreferredName(), model)
        .field(QUERY_WEIGHT.getPreferredName(), queryWeight)
        .field(RESCORE_QUERY_WEIGHT.getPreferredName(), rescoreQueryWeight)
        .field(TIMEOUT.getPreferredName(), timeout.getStringRep())
        .endObject();
  }

  @Override
  protected RescoreContext innerBuildContext(int windowSize, QueryShardContext context) {
    // what took too long once must not be kept
    context.setIsCacheable(false);
    MappedFieldType type = context.fieldMapper(field);
    if (type != null && !type.getTextSearchInfo().isTokenized()) {
      throw new IllegalArgumentException(
          "[%s] needs a text field, but [%s] is of type [%s]"
              .formatted(kind.name, field, type.typeName()));
    }
    return new SemanticRescoreContext(
        windowSize,
        new SemanticRescoreContext.Request(
            kind.function,
            model,
            text,
            queryWeight,
            rescoreQueryWeight,
            Duration.ofNanos(timeout.nanos())),
        new SourceTexts(context, field),
        reranker);
  }

  @Override
  public SemanticRescorerBuilder rewrite(QueryRewriteContext context) {
    return this;
  }

  @Override
  public String getWriteableName() {
    return kind.name;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof SemanticRescorerBuilder that
        && kind == that.kind
        && field.equals(that.field)
        && text.equals(that.text)
        && model.equals(that.model)
        && queryWeight == that.queryWeight
        && rescoreQueryWeight == that.rescoreQueryWeight
        && timeout.equals(that.timeout);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        super.hashCode(), kind, field, text, model, queryWeight, rescoreQueryWeight, timeout);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s of [%s]", kind.name, field);
  }
}
