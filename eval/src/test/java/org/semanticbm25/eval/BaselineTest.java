package org.semanticbm25.eval;

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
import org.semanticbm25.lucene.AttachedField;
import org.semanticbm25.lucene.Attacher;
import org.semanticbm25.lucene.SemanticBM25;
import org.semanticbm25.onnx.CrossEncoder;
import org.semanticbm25.onnx.Extractor;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.TermEncoder;
import org.semanticbm25.similarity.SemanticBM25Model;

/** Our BM25 is the BM25 that others publish. */
class BaselineTest {
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
        Run run =
            RankingSystem.bm25(reader, TextIndex.CONTENTS, analyzer, EvalCommand.K1, EvalCommand.B)
                .run(dataset.queries(), 10);
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
  void bundledKernelSearchesAsItsCardSays(@TempDir Path home) throws IOException {
    assumeTrue(Files.exists(DATASETS), "no " + DATASETS);
    Dataset dataset = Dataset.read(DATASETS.resolve("nfcorpus"), "test");
    Analyzer analyzer = new EnglishAnalyzer();
    SemanticBM25Model model = Extractor.bundled();
    try (Directory directory = new ByteBuffersDirectory()) {
      TextIndex.write(directory, analyzer, dataset::forEachPassage);
      try (DirectoryReader reader = DirectoryReader.open(directory);
          TermEncoder encoder = new TermEncoder(NeuralModel.bundled(home), model.layer())) {
        AttachedField attached =
            new Attacher(model, encoder, Progress.SILENT)
                .attach(reader, TextIndex.CONTENTS, analyzer);
        Run run =
            RankingSystem.semantic(reader, new SemanticBM25(model, attached, analyzer))
                .run(dataset.queries(), 10);
        assertEquals(0.3308, Measure.nDCG(10).mean(dataset.qrels(), run), 0.001);
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
          CrossEncoder encoder = CrossEncoder.builder(NeuralModel.bundled(home)).open()) {
        Run run =
            new Reranker(reader, 100).rerank(first, dataset.queries(), encoder, Progress.SILENT);
        assertEquals(0.6829, Measure.nDCG(10).mean(dataset.qrels(), run), 0.001);
      }
    }
  }
}
