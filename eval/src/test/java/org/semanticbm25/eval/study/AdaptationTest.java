package org.semanticbm25.eval.study;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.Passage;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.Adaptation;
import org.semanticbm25.onnx.distill.Adaptation.ScoredQuery;
import org.semanticbm25.onnx.distill.Extractor;
import org.semanticbm25.onnx.distill.WordCounts;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.WordEdit;

/** Adaptation to logits that are semantic BM25 with other parameters and an edited word. */
class AdaptationTest {
  private static final ScoringParameters START =
      new ScoringParameters(0.9f, 0.4f, 0.6f, 2f, 0.6f, 2, 0f, 1f);
  private static final int PASSAGES = 120;

  @TempDir Path folder;

  private static String words(Random random, int count) {
    return random
        .ints(count, 6, 20)
        .mapToObj(TinyModel.VOCABULARY::get)
        .collect(Collectors.joining(" "));
  }

  private SemanticField semantic() throws IOException {
    NeuralModel neural = TinyModel.write(folder.resolve("onnx"), TinyModel.Weights.FLOAT);
    SemanticBM25Model model =
        Extractor.extract(
            neural,
            SemanticBM25Model.LAST_LAYER,
            START,
            new WordCounts(),
            Optional.empty(),
            Progress.SILENT);
    WhitespaceAnalyzer analyzer = new WhitespaceAnalyzer();
    return SemanticField.of(model, TextIndex.CONTENTS, analyzer);
  }

  @Test
  void adaptsToWhatTheLogitsWereMadeOf() throws IOException {
    Random random = new Random(1);
    TextIndex.create(
        folder.resolve("index"),
        new WhitespaceAnalyzer(),
        consumer -> {
          for (int i = 0; i < PASSAGES; i++) {
            consumer.accept(new Passage("d" + i, "", words(random, 3 + random.nextInt(40))));
          }
        });
    try (DirectoryReader reader = CollectionIndexes.openIndex(folder.resolve("index"))) {
      SemanticField start = semantic();
      SemanticField target =
          start
              .withParameters(new ScoringParameters(2f, 0.9f, 0.6f, 2f, 0.6f, 2, 0f, 1f))
              .withEdits(List.of(new WordEdit("car", 0.5f, "test", "now")));
      List<ScoredQuery> queries = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        queries.add(
            judged(reader, target, i % 3 == 0 ? "car " + words(random, 2) : words(random, 3)));
      }
      Adaptation adaptation = new Adaptation(reader, "now");
      SemanticField adapted = adaptation.fit(start, queries.subList(0, 30));
      List<ScoredQuery> held = queries.subList(30, 60);
      double before = adaptation.agreement(start, held).alignment();
      double after = adaptation.agreement(adapted, held).alignment();
      assertTrue(1 - after < 0.5 * (1 - before), before + " to " + after);
      assertTrue(adapted.parameters().b() > START.b(), adapted.parameters().toString());
      assertTrue(
          adapted.model().edits().stream().anyMatch(e -> e.word().equals("car") && e.weight() < 1),
          adapted.model().edits().toString());
    }
  }

  private static ScoredQuery judged(DirectoryReader reader, SemanticField target, String text)
      throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(target.similarity());
    int[] docs = IntStream.range(0, PASSAGES).filter(doc -> doc % 3 == 0).toArray();
    float[] logits = new float[docs.length];
    for (int i = 0; i < docs.length; i++) {
      Explanation explanation = searcher.explain(target.query(text), docs[i]);
      logits[i] = explanation.isMatch() ? explanation.getValue().floatValue() : 0;
    }
    return new ScoredQuery(text, docs, logits);
  }
}
