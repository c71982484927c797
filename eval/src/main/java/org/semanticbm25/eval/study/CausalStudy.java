package org.semanticbm25.eval.study;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.collection.Sampling;
import org.semanticbm25.eval.collection.SingleTerm;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.Bootstrap;
import org.semanticbm25.onnx.distill.EmbeddingProbe;
import org.semanticbm25.onnx.distill.EmbeddingProbe.Edit;
import org.semanticbm25.onnx.distill.EmbeddingProbe.Response;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * What editing the embedding of a query term does to a cross-encoder: a term of each query is
 * scaled along the IDF direction and moved as far along others, see {@link EmbeddingProbe}.
 */
public final class CausalStudy implements Closeable {
  private static final int QUERIES = 50;
  private static final int PASSAGES = 5;
  private static final double[] FACTORS = {0, 0.5, 1.5, 2};

  private final EmbeddingProbe probe;
  private final List<Variant> variants = new ArrayList<>();

  /**
   * @param idf to fit a direction to; without it there is none
   */
  public CausalStudy(NeuralModel model, @Nullable Map<String, Double> idf) throws IOException {
    probe = EmbeddingProbe.open(model, idf);
    for (Edit edit : Edit.values()) {
      if (edit != Edit.FITTED_DIRECTION || idf != null) {
        for (double factor : FACTORS) {
          variants.add(new Variant(edit, factor));
        }
      }
    }
  }

  /** An edit of a certain size; the name of a row. */
  private record Variant(Edit edit, double factor) {
    @Override
    public String toString() {
      String what =
          switch (edit) {
            case IDF_DIRECTION -> "IDF direction";
            case FITTED_DIRECTION -> "direction fitted to IDF";
            case RANDOM_DIRECTION -> "random direction";
            case WHOLE -> "whole embedding";
          };
      return String.format(Locale.ROOT, "%s x %s", what, factor);
    }
  }

  /** A term of a query that is edited, by its token. */
  private record Term(String query, int token, List<String> passages) {}

  /** What one pair gives without and with an edit. */
  private record Pair(Response before, Response after) {
    boolean hasTerm() {
      return before.toPassage() > 0;
    }
  }

  /** Edits a term of some queries drawn at random, as the first hits have it. */
  public Report of(StudySet set, Progress progress) throws IOException {
    Map<Variant, List<List<Pair>>> pairs = new LinkedHashMap<>();
    variants.forEach(variant -> pairs.put(variant, new ArrayList<>()));
    List<Term> terms = terms(set);
    for (int i = 0; i < terms.size(); i++) {
      run(terms.get(i), pairs);
      progress.report("editing terms of " + set.name(), i + 1, terms.size());
    }
    Report report = new Report(set.name() + ": a query term's embedding edited, changes");
    double rising =
        terms.stream().filter(term -> probe.component(term.token()) > 0).count()
            / (double) Math.max(1, terms.size());
    pairs.forEach(
        (variant, of) -> {
          report.put(variant.toString(), "queries", of.size());
          report.put(variant.toString(), "a factor above 1 raises IDF, share of terms", rising);
          put(report, variant.toString(), of);
        });
    return report;
  }

  /** A term of each query that is one token; queries without one are left out. */
  private List<Term> terms(StudySet set) throws IOException {
    List<PassageList> texts = set.texts();
    List<Term> terms = new ArrayList<>();
    for (int query : Sampling.draw(IntStream.range(0, texts.size()).boxed().toList(), QUERIES)) {
      String text = texts.get(query).query();
      List<String> words = List.of(text.toLowerCase(Locale.ROOT).split("[^a-z]+"));
      for (String word : Sampling.draw(words, words.size())) {
        OptionalInt token = probe.token(word);
        if (token.isPresent()
            && SingleTerm.isOne(StudySet.ANALYZER, TextIndex.CONTENTS, word)
            && isRead(text, token.getAsInt())) {
          List<String> passages = texts.get(query).passages();
          int few = Math.min(PASSAGES, passages.size());
          terms.add(new Term(text, token.getAsInt(), passages.subList(0, few)));
          break;
        }
      }
    }
    return terms;
  }

  /**
   * Whether the model reads the token in the query: a word may be cut off, or cut in other ways.
   */
  private boolean isRead(String query, int token) throws IOException {
    return probe.run(query, "", token, Edit.WHOLE, 1).toQuery() > 0;
  }

  private void run(Term term, Map<Variant, List<List<Pair>>> pairs) throws IOException {
    List<Map<Variant, Pair>> byPassage;
    try {
      byPassage = term.passages().parallelStream().map(passage -> run(term, passage)).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    pairs.forEach(
        (variant, of) -> of.add(byPassage.stream().map(pair -> pair.get(variant)).toList()));
  }

  private Map<Variant, Pair> run(Term term, String passage) {
    try {
      Response before = probe.run(term.query(), passage, term.token(), Edit.WHOLE, 1);
      Map<Variant, Pair> pairs = new LinkedHashMap<>();
      for (Variant variant : variants) {
        pairs.put(
            variant,
            new Pair(
                before,
                probe.run(term.query(), passage, term.token(), variant.edit(), variant.factor())));
      }
      return pairs;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void put(Report report, String row, List<List<Pair>> queries) {
    put(report, row, "logit, term in passage", changes(queries, Pair::hasTerm));
    put(report, row, "logit, term not in passage", changes(queries, pair -> !pair.hasTerm()));
    put(report, row, "[CLS] to the term in the query, ratio", ratios(queries, Response::toQuery));
    put(
        report,
        row,
        "[CLS] to the term in the passage, ratio",
        ratios(queries, Response::toPassage));
  }

  /** Puts the mean over queries, if there are any, with its interval. */
  private static void put(Report report, String row, String figure, List<Double> ofQueries) {
    if (!ofQueries.isEmpty()) {
      report.put(
          row,
          figure,
          Bootstrap.of(
              ofQueries.size(),
              drawn -> IntStream.of(drawn).mapToDouble(ofQueries::get).average().orElseThrow()));
    }
  }

  /** The mean change of the logit of some pairs, for each query that has any. */
  private static List<Double> changes(List<List<Pair>> queries, Predicate<Pair> which) {
    List<Double> means = new ArrayList<>();
    for (List<Pair> pairs : queries) {
      pairs.stream()
          .filter(which)
          .mapToDouble(pair -> pair.after.logit() - pair.before.logit())
          .average()
          .ifPresent(means::add);
    }
    return means;
  }

  /** Attention with the edit over that without, for each query whose pairs have any. */
  private static List<Double> ratios(
      List<List<Pair>> queries, ToDoubleFunction<Response> attention) {
    List<Double> ratios = new ArrayList<>();
    for (List<Pair> pairs : queries) {
      double before = pairs.stream().mapToDouble(p -> attention.applyAsDouble(p.before)).sum();
      if (before > 0) {
        double after = pairs.stream().mapToDouble(p -> attention.applyAsDouble(p.after)).sum();
        ratios.add(after / before);
      }
    }
    return ratios;
  }

  @Override
  public void close() throws IOException {
    probe.close();
  }
}
