package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.ZipfDistribution;
import org.apache.commons.math3.random.Well19937c;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FormatOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Passage;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.latency.AttachGrowth;
import org.semanticbm25.eval.latency.GeneratedText;
import org.semanticbm25.eval.latency.Growth;
import org.semanticbm25.eval.latency.GrowthChart;
import org.semanticbm25.eval.latency.Latency;
import org.semanticbm25.eval.latency.LatencyReport;
import org.semanticbm25.eval.latency.LatencyReport.SystemTimes;
import org.semanticbm25.eval.latency.Machine;
import org.semanticbm25.eval.latency.NeuralGrowth;
import org.semanticbm25.eval.latency.SearchGrowth;
import org.semanticbm25.eval.latency.TimedSearch;
import org.semanticbm25.lucene.Attacher;
import org.semanticbm25.onnx.AtomicFile;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.SoftFrequencies;
import org.semanticbm25.similarity.search.SoftTermQuery;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sbm25 latency}. */
@Command(
    name = "latency",
    sortOptions = false,
    description = {
      "Time searching, reranking, enriching and attaching on generated texts.",
      "Passages are drawn from the model's words by Zipf's law, the more frequent in the vocabulary"
          + " the more often, and so are soft terms in context. What is compared runs in turn, in this"
          + " process; nothing else should run on the machine.%n"
    })
public final class LatencyCommand implements Callable<Integer> {
  private static final int[] TOP = {10, 1000};
  private static final double FILTERED = 0.01;
  private static final String SEMANTIC = "search by semantic BM25";
  // of the collection, for how time grows
  private static final int[] PARTS = {64, 16, 4, 1};
  private static final int[] SOFT_TERMS = {1, 2, 4, 8};

  /** What is timed. */
  enum Part {
    SEARCH,
    RERANK,
    ENRICH,
    ATTACH
  }

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "PART",
      description = "search, rerank, enrich or attach, or several of them (default: all)")
  Set<Part> only = EnumSet.allOf(Part.class);

  @Option(
      names = "--passages",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "passages to search (default: 1000000)")
  int passages;

  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "200",
      description = "number of queries, of 2 to 6 words (default: 200)")
  int queries;

  @Option(
      names = "--soft-terms",
      split = ",",
      paramLabel = "N",
      defaultValue = "0,1,2,4,8",
      description = "most soft terms of a query term, one row each (default: 0,1,2,4,8)")
  int[] softTerms;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "42", description = "default: 42")
  long seed;

  @Option(
      names = "--picture",
      paramLabel = "FILE",
      description = "also write how times grow as a picture, in SVG")
  @Nullable Path picture;

  @Mixin FormatOption format;
  @Mixin ContextualOption contextual;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin Workspace workspace;
  @Spec CommandSpec spec;

  private final Analyzer analyzer = new StandardAnalyzer();
  private final List<SystemTimes> systems = new ArrayList<>();
  private final List<Growth> growth = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    if (passages < PARTS[0] || queries < 1) {
      throw new UserException(
          "--passages %d, --queries %d: must be %d or more, and 1 or more"
              .formatted(passages, queries, PARTS[0]));
    }
    for (Part part : Part.values()) {
      if (only.contains(part)) {
        Terminal.say("timing: %s", part.name().toLowerCase(Locale.ROOT));
        time(part);
      }
    }
    Map<String, Object> machine = Machine.describe();
    machine.put("rounds of searches", Latency.WARM_UP_ROUNDS + " to warm up, " + Latency.ROUNDS);
    new LatencyReport(machine, systems, growth).print(spec.commandLine().getOut(), format.value);
    if (picture != null) {
      byte[] svg = GrowthChart.svg(growth).getBytes(StandardCharsets.UTF_8);
      AtomicFile.write(picture, out -> out.write(svg));
    }
    return 0;
  }

  private void time(Part part) throws IOException {
    GeneratedText texts = new GeneratedText(workspace.model(), seed + 1);
    switch (part) {
      case SEARCH -> search(texts);
      case RERANK -> {
        try (CrossEncoder encoder = crossEncoder.open(workspace.home)) {
          growth.addAll(NeuralGrowth.rerank(encoder, texts));
        }
      }
      case ENRICH -> {
        try (SoftTermEncoder encoder = contextual.encoder(workspace.home)) {
          growth.addAll(NeuralGrowth.enrich(encoder, texts));
        }
      }
      case ATTACH -> {
        try (TermEncoder encoder =
            new TermEncoder(
                crossEncoder.model(workspace.home),
                workspace.model().layer(),
                ForkJoinPool.commonPool())) {
          Attacher attacher = new Attacher(workspace.model(), encoder, Progress.SILENT);
          growth.addAll(AttachGrowth.measure(attacher, analyzer, texts));
        }
      }
    }
  }

  /** A collection of some size, the second one with soft terms in context. */
  private record Sized(int size, OpenIndex plain, OpenIndex enriched) {}

  private void search(GeneratedText texts) throws IOException {
    List<OpenIndex> opened = new ArrayList<>();
    try {
      List<Sized> collections = new ArrayList<>();
      for (int part : PARTS) {
        OpenIndex plain = index(passages / part);
        opened.add(plain);
        OpenIndex enriched = contextual.enriched(plain, analyzer, this::draw);
        opened.add(enriched);
        collections.add(new Sized(passages / part, plain, enriched));
      }
      search(collections, Stream.generate(texts::query).limit(queries).toList(), texts);
    } finally {
      IOUtils.close(opened);
    }
  }

  private void search(List<Sized> collections, List<String> drawn, GeneratedText texts)
      throws IOException {
    SemanticField field = SemanticField.of(workspace.model(), TextIndex.CONTENTS, analyzer);
    Sized all = collections.getLast();
    compare(all, field, drawn);
    growBySize(collections, field, drawn);
    growth.add(
        SearchGrowth.of(
            SEMANTIC, "soft terms of a query term", limited(all, field, SOFT_TERMS), drawn));
    growth.add(SearchGrowth.words(SEMANTIC, semantic(all, field), texts));
  }

  private void growBySize(List<Sized> collections, SemanticField field, List<String> queries)
      throws IOException {
    SortedMap<Integer, RankingSystem> bm25 = new TreeMap<>();
    SortedMap<Integer, RankingSystem> semantic = new TreeMap<>();
    SortedMap<Integer, RankingSystem> inContext = new TreeMap<>();
    for (Sized collection : collections) {
      bm25.put(collection.size(), bm25(collection));
      semantic.put(collection.size(), semantic(collection, field));
      inContext.put(collection.size(), inContext(collection));
    }
    growth.add(SearchGrowth.of("search by BM25", "passages", bm25, queries));
    growth.add(SearchGrowth.of(SEMANTIC, "passages", semantic, queries));
    growth.add(SearchGrowth.of("search in context", "passages", inContext, queries));
  }

  private RankingSystem bm25(Sized collection) {
    return RankingSystem.bm25(collection.plain().reader(), TextIndex.CONTENTS, analyzer);
  }

  private static RankingSystem semantic(Sized collection, SemanticField field) {
    return RankingSystem.semantic(collection.plain().reader(), field);
  }

  private RankingSystem inContext(Sized collection) throws IOException {
    return RankingSystem.contextual(
        collection.enriched().reader(), contextual.field(TextIndex.CONTENTS, analyzer));
  }

  /** A system for each limit on the soft terms of a query term. */
  private static SortedMap<Integer, RankingSystem> limited(
      Sized collection, SemanticField field, int[] limits) {
    SortedMap<Integer, RankingSystem> systems = new TreeMap<>();
    for (int limit : limits) {
      systems.put(limit, semantic(collection, field.withMaxSoftTerms(limit)));
    }
    return systems;
  }

  private OpenIndex index(int size) throws IOException {
    return workspace
        .indexes()
        .open(
            "zipf-" + size,
            Digests.sha256(workspace.model().id() + seed + "/" + size),
            analyzer,
            consumer -> {
              GeneratedText texts = new GeneratedText(workspace.model(), seed);
              for (int i = 0; i < size; i++) {
                consumer.accept(new Passage(Integer.toString(i), "", texts.passage()));
              }
            });
  }

  private void compare(Sized collection, SemanticField field, List<String> texts)
      throws IOException {
    List<String> names = new ArrayList<>(List.of("bm25"));
    List<RankingSystem> compared = new ArrayList<>(List.of(bm25(collection)));
    limited(collection, field, softTerms)
        .forEach(
            (limit, system) -> {
              names.add("semantic, at most " + limit);
              compared.add(system);
            });
    names.add("contextual, %d stored".formatted(contextual.storedTerms()));
    compared.add(inContext(collection));
    List<Double> softTermsEach =
        compared.stream().map(system -> softTermsPerTerm(system, texts)).toList();
    for (TimedSearch search : searches(collection)) {
      Latency latency = Latency.measure(compared, texts, search);
      for (int i = 0; i < compared.size(); i++) {
        systems.add(
            new SystemTimes(
                search.name(),
                names.get(i),
                softTermsEach.get(i),
                latency.percentile(i, 50),
                latency.percentile(i, 95),
                latency.percentile(i, 99),
                latency.ratio(i, 0, 50),
                latency.ratio(i, 0, 99)));
      }
    }
  }

  private static List<TimedSearch> searches(Sized collection) throws IOException {
    List<TimedSearch> searches = new ArrayList<>();
    for (int hits : TOP) {
      searches.add(TimedSearch.top(hits));
    }
    Query filter = new TermQuery(termIn(FILTERED, collection.plain().reader()));
    searches.add(
        new TimedSearch(
            "top %d, filter of %.0f %%".formatted(TOP[0], 100 * FILTERED), TOP[0], filter));
    return searches;
  }

  /** The term whose share of the passages is nearest to {@code share}. */
  private static Term termIn(double share, IndexReader reader) throws IOException {
    long wanted = Math.round(share * reader.numDocs());
    BytesRef nearest = new BytesRef();
    long difference = Long.MAX_VALUE;
    TermsEnum each = MultiTerms.getTerms(reader, TextIndex.CONTENTS).iterator();
    for (BytesRef term = each.next(); term != null; term = each.next()) {
      if (Math.abs(each.docFreq() - wanted) < difference) {
        difference = Math.abs(each.docFreq() - wanted);
        nearest = BytesRef.deepCopyOf(term);
      }
    }
    return new Term(TextIndex.CONTENTS, nearest);
  }

  /** As many soft terms as are stored, by Zipf's law too, of exponential frequencies. */
  private List<SoftFrequencies> draw(List<String> texts) throws IOException {
    List<SoftFrequencies> drawn = new ArrayList<>();
    for (String text : texts) {
      Random random = new Random(text.hashCode());
      ZipfDistribution zipf =
          new ZipfDistribution(new Well19937c(text.hashCode()), contextual.model().size(), 1);
      SortedMap<Integer, Float> frequencies = new TreeMap<>();
      for (int i = 0; i < contextual.storedTerms(); i++) {
        frequencies.put(zipf.sample() - 1, (float) -Math.log(1 - random.nextDouble()));
      }
      float[] values = new float[frequencies.size()];
      int at = 0;
      for (float value : frequencies.values()) {
        values[at++] = value;
      }
      drawn.add(
          new SoftFrequencies(
              frequencies.keySet().stream().mapToInt(term -> term).toArray(), values));
    }
    return drawn;
  }

  private static double softTermsPerTerm(RankingSystem system, List<String> texts) {
    long[] counts = new long[2];
    for (String text : texts) {
      SoftTermQuery.in(system.query(text))
          .forEach(
              query -> {
                counts[0]++;
                counts[1] += query.getSoftTerms().size();
              });
    }
    return counts[0] == 0 ? 0 : (double) counts[1] / counts[0];
  }
}
