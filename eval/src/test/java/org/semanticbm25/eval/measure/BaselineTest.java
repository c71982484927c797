package org.semanticbm25.eval.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Reranker;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.field.SemanticField;

/** Our BM25 is the BM25 that others publish. */
class BaselineTest {
  // docs/results.md
  private static final double NFCORPUS = 0.3328;

  private static final Path DATASETS = Path.of("../../shared/datasets");

  @ParameterizedTest
  @CsvSource({"nfcorpus, 0.320, 0.325", "scifact, 0.665, 0.679", "cranfield, 0.335, 0.345"})
  void bm25IsInThePublishedRange(String name, double low, double high) throws IOException {
    assumeTrue(Files.exists(DATASETS), "no " + DATASETS);
    Dataset dataset = Dataset.read(DATASETS.resolve(name), "test");
    Analyzer analyzer = new EnglishAnalyzer();
    try (Directory directory = new ByteBuffersDirectory()) {
      TextIndex.write(directory, analyzer, dataset::forEachPassage);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Run run = RankingSystem.bm25(reader, TextIndex.CONTENTS, analyzer).run(dataset, 10);
        double value = Measure.nDCG(10).mean(dataset.qrels(), run);
        assertTrue(value >= low && value <= high, name + " " + value);
      }
    }
  }

  @Test
  void officialRunScoresAsPublished() throws IOException {
    assumeTrue(Files.exists(DATASETS), "no " + DATASETS);
    Dataset dataset = Dataset.read(DATASETS.resolve("trec-dl-2019"), "test");
    Run run = Run.read(DATASETS.resolve("trec-dl-2019/bm25.run"));
    assertEquals(0.5058, Measure.nDCG(10).mean(dataset.qrels(), run), 0.00005);
  }

  @Test
  void englishModelSearchesAsReported() throws IOException {
    assumeTrue(Files.exists(DATASETS), "no " + DATASETS);
    Dataset dataset = Dataset.read(DATASETS.resolve("nfcorpus"), "test");
    Analyzer analyzer = new EnglishAnalyzer();
    SemanticField field = SemanticField.of(EnglishModel.load(), TextIndex.CONTENTS, analyzer);
    try (Directory directory = new ByteBuffersDirectory()) {
      TextIndex.write(directory, analyzer, dataset::forEachPassage);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Run run = RankingSystem.semantic(reader, field).run(dataset, 10);
        assertEquals(NFCORPUS, Measure.nDCG(10).mean(dataset.qrels(), run), 0.0005);
      }
    }
  }

  @Test
  void bundledCrossEncoderReranksAsItsCardSays(@TempDir Path home) throws IOException {
    assumeTrue(Files.exists(DATASETS), "no " + DATASETS);
    Dataset dataset = Dataset.read(DATASETS.resolve("trec-dl-2019"), "test");
    Run first = Run.read(DATASETS.resolve("trec-dl-2019/bm25.run"));
    try (Directory directory = new ByteBuffersDirectory()) {
      TextIndex.write(directory, new EnglishAnalyzer(), dataset::forEachPassage);
      try (DirectoryReader reader = DirectoryReader.open(directory);
          CachedCrossEncoder encoder =
              new CachedCrossEncoder(
                  CrossEncoder.builder(NeuralModel.bundled(home)).open(), home.resolve("scores"))) {
        Run run =
            new Reranker(reader, 100)
                .rerank(
                    first,
                    dataset.queries(),
                    encoder,
                    CrossEncoderRescorer.FIRST_PASS_WEIGHT,
                    Progress.SILENT);
        assertEquals(0.6807, Measure.nDCG(10).mean(dataset.qrels(), run), 0.001);
      }
    }
  }
}
