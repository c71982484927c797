package org.semanticbm25.opensearch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.jspecify.annotations.Nullable;
import org.opensearch.action.support.ActionFilter;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.cluster.node.DiscoveryNodes;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.settings.ClusterSettings;
import org.opensearch.common.settings.IndexScopedSettings;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Setting.Property;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.settings.SettingsFilter;
import org.opensearch.common.util.concurrent.OpenSearchExecutors;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.env.Environment;
import org.opensearch.env.NodeEnvironment;
import org.opensearch.index.IndexModule;
import org.opensearch.index.analysis.AnalysisRegistry;
import org.opensearch.ingest.Processor;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.IngestPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.SearchPipelinePlugin;
import org.opensearch.plugins.SearchPlugin;
import org.opensearch.repositories.RepositoriesService;
import org.opensearch.rest.RestController;
import org.opensearch.rest.RestHandler;
import org.opensearch.script.ScriptService;
import org.opensearch.search.pipeline.SearchRequestProcessor;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.Client;
import org.opensearch.watcher.ResourceWatcherService;

/** What the plugin adds to a node; OpenSearch makes one for each. */
public final class SemanticBM25Plugin extends Plugin
    implements SearchPlugin, IngestPlugin, ActionPlugin, SearchPipelinePlugin {
  /** Threads of each neural model on a node; half of the processors, at least one. */
  public static final Setting<Integer> THREADS =
      Setting.intSetting("semantic_bm25.threads", 0, 0, Property.NodeScope);

  /** Shards that a node reranks hits of at a time: three of four search threads. */
  public static final Setting<Integer> MAX_SHARDS =
      Setting.intSetting("semantic_bm25.rerank.max_shards", 0, 0, Property.NodeScope);

  /**
   * Searches with reranking that a node coordinates at a time: its share, by the number of nodes,
   * of the shards that each of them takes, but at least one.
   */
  public static final Setting<Integer> MAX_REQUESTS =
      Setting.intSetting("semantic_bm25.rerank.max_requests", 0, 0, Property.NodeScope);

  /** Searches with reranking that may wait on the node that coordinates them. */
  public static final Setting<Integer> QUEUE_SIZE =
      Setting.intSetting("semantic_bm25.rerank.queue_size", 4, 0, Property.NodeScope);

  // where the tokenizers' library is unpacked
  private static final String TOKENIZERS_FOLDER = "DJL_CACHE_DIR";

  private final NodeStats stats = new NodeStats();
  private final Models models;
  private final SemanticFields fields;
  private final Reranker reranker;
  private final Admission admission;
  private volatile @Nullable AnalysisRegistry analyzers;

  /**
   * Made by OpenSearch.
   *
   * @param settings of the node
   * @param configPath its configuration folder
   */
  public SemanticBM25Plugin(Settings settings, Path configPath) {
    int processors = OpenSearchExecutors.allocatedProcessors(settings);
    int threads = orElse(THREADS.get(settings), Math.max(1, processors / 2));
    int searches = settings.getAsInt("thread_pool.search.size", processors * 3 / 2 + 1);
    Path unpacked = new Environment(settings, configPath).tmpDir().resolve("semantic-bm25");
    if (System.getProperty(TOKENIZERS_FOLDER) == null) {
      // the home folder otherwise, which a server may not write to
      System.setProperty(TOKENIZERS_FOLDER, unpacked.toString());
    }
    this.models = new Models(configPath.resolve("semantic-bm25"), unpacked, threads);
    this.fields = new SemanticFields(models);
    int shards = orElse(MAX_SHARDS.get(settings), Math.max(1, searches * 3 / 4));
    this.reranker = new Reranker(models, stats, shards);
    this.admission =
        new Admission(stats, shards, MAX_REQUESTS.get(settings), QUEUE_SIZE.get(settings));
  }

  private static int orElse(int given, int otherwise) {
    return given > 0 ? given : otherwise;
  }

  @Override
  public List<Setting<?>> getSettings() {
    return List.of(THREADS, MAX_SHARDS, MAX_REQUESTS, QUEUE_SIZE);
  }

  @Override
  public Collection<Object> createComponents(
      Client client,
      ClusterService clusterService,
      ThreadPool threadPool,
      ResourceWatcherService resourceWatcherService,
      ScriptService scriptService,
      NamedXContentRegistry xContentRegistry,
      Environment environment,
      NodeEnvironment nodeEnvironment,
      NamedWriteableRegistry namedWriteableRegistry,
      IndexNameExpressionResolver indexNameExpressionResolver,
      Supplier<RepositoriesService> repositoriesServiceSupplier) {
    admission.start(clusterService, threadPool);
    return List.of(new NodesStats.Source(models, fields, stats));
  }

  @Override
  public List<QuerySpec<?>> getQueries() {
    return List.of(
        new QuerySpec<>(
            SemanticMatchQueryBuilder.NAME,
            in -> new SemanticMatchQueryBuilder(fields, in),
            parser -> SemanticMatchQueryBuilder.parse(fields, parser)),
        new QuerySpec<>(
            ContextualMatchQueryBuilder.NAME,
            in -> new ContextualMatchQueryBuilder(fields, in),
            parser -> ContextualMatchQueryBuilder.parse(fields, parser)));
  }

  @Override
  public List<RescorerSpec<?>> getRescorers() {
    return Arrays.stream(SemanticRescorerBuilder.Kind.values())
        .<RescorerSpec<?>>map(
            kind ->
                new RescorerSpec<>(
                    kind.name,
                    in -> new SemanticRescorerBuilder(kind, reranker, in),
                    parser -> SemanticRescorerBuilder.parse(kind, reranker, parser)))
        .toList();
  }

  @Override
  public void onIndexModule(IndexModule indexModule) {
    indexModule.addSimilarity(
        SemanticSimilarity.TYPE,
        (settings, version, scripts) -> new SemanticSimilarity(settings, fields, this::analyzer));
  }

  private Analyzer analyzer(String name) {
    try {
      Analyzer analyzer = Objects.requireNonNull(analyzers, "set at start").getAnalyzer(name);
      if (analyzer == null) {
        throw new IllegalArgumentException(
            "no analyzer [" + name + "]; give one that OpenSearch or a plugin of it has");
      }
      return analyzer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
    analyzers = parameters.analysisRegistry;
    return Map.of(
        SoftTermsProcessor.TYPE,
        new SoftTermsProcessor.Factory(models, fields, stats, this::analyzer));
  }

  @Override
  public Map<String, org.opensearch.search.pipeline.Processor.Factory<SearchRequestProcessor>>
      getRequestProcessors(Parameters parameters) {
    return Map.of(RerankProcessor.TYPE, new RerankProcessor.Factory(reranker, admission));
  }

  @Override
  public List<ActionHandler<?, ?>> getActions() {
    return List.of(new ActionHandler<>(NodesStats.ACTION, NodesStats.Action.class));
  }

  @Override
  public List<ActionFilter> getActionFilters() {
    return List.of(new AdmissionFilter(admission));
  }

  @Override
  public List<RestHandler> getRestHandlers(
      Settings settings,
      RestController restController,
      ClusterSettings clusterSettings,
      IndexScopedSettings indexScopedSettings,
      SettingsFilter settingsFilter,
      IndexNameExpressionResolver indexNameExpressionResolver,
      Supplier<DiscoveryNodes> nodesInCluster) {
    return List.of(new RestNodesStats());
  }

  @Override
  public void close() throws IOException {
    models.close();
  }
}
