package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ListsOption;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.collection.CollectionIdf;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.eval.study.AttentionStudy;
import org.semanticbm25.eval.study.ExtractionCard;
import org.semanticbm25.eval.study.SampledLists;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.distill.Extractor;
import org.semanticbm25.onnx.distill.KernelLists;
import org.semanticbm25.onnx.distill.PairSampler;
import org.semanticbm25.onnx.distill.TrainingLists;
import org.semanticbm25.onnx.distill.WordCounts;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 extract}. */
@Command(
    name = "extract",
    sortOptions = false,
    description = {
      "Extract semantic BM25 from an ONNX model into a model file.",
      "Reads the IDF direction off the word embeddings and runs every wordpiece through the model"
          + " for its vector.",
      "With --lists also fits the kernel between terms to the scores of a cross-encoder, finds its"
          + " matching heads and fits the functions of its attention, which go to FILE.attention."
          + " What was found is written to FILE.md."
          + " One that was stopped goes on where it was.%n"
    })
public final class ExtractCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "the model file to write, as in mine.sbm25")
  Path output;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description =
          "folder with model.onnx (or onnx/model.onnx) and tokenizer.json of a BERT-family model,"
              + " or the ONNX file (default: the bundled cross-encoder)")
  @Nullable Path model;

  @Option(
      names = "--layer",
      paramLabel = "K",
      description =
          "layer after which a word's hidden state is taken (default: of a cross-encoder a third of"
              + " the way up, of an encoder the last)")
  @Nullable Integer layer;

  @Option(
      names = "--idf",
      paramLabel = "TSV",
      description = "lines 'word<TAB>IDF' to report the IDF direction's correlation with")
  @Nullable Path idf;

  @Mixin ListsOption lists;

  @Option(
      names = "--kernel-queries",
      paramLabel = "N",
      description =
          "training queries of the lists to fit the kernel on; for them no attention is looked at"
              + " (default: as --queries)")
  @Nullable Integer kernelQueries;

  @Option(
      names = "--home",
      paramLabel = "DIR",
      defaultValue = "${env:SBM25_HOME:-${sys:user.home}/.sbm25}",
      description =
          "folder where the bundled cross-encoder is unpacked (default: $SBM25_HOME, else"
              + " ~/.sbm25)")
  Path home;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Optional<Map<String, Double>> reference =
        idf == null ? Optional.empty() : Optional.of(CollectionIdf.readTable(idf));
    NeuralModel source =
        model == null ? NeuralModel.bundled(home.resolve("models")) : NeuralModel.at(model);
    int states = layer(source);
    if (kernelQueries != null && !lists.isGiven()) {
      throw new UserException("--kernel-queries " + kernelQueries + ": needs --lists");
    }
    if (kernelQueries != null && kernelQueries < ListsOption.MIN_QUERIES) {
      throw new UserException(
          "--kernel-queries %d: must be %d or more"
              .formatted(kernelQueries, ListsOption.MIN_QUERIES));
    }
    Path file = output.resolveSibling(UserFiles.name(output) + ".md");
    ExtractionCard card = new ExtractionCard(UserFiles.name(output), source, states);
    try (Directory folder = UserFiles.folderOf(output);
        Terminal progress = new Terminal()) {
      if (lists.isGiven()) {
        distil(source, states, reference, folder, card, progress);
      } else {
        ScoringParameters parameters = Extractor.DEFAULT_PARAMETERS;
        write(
            Extractor.extract(source, states, parameters, new WordCounts(), reference, progress),
            folder,
            card);
      }
    }
    card.write(file);
    Terminal.say("wrote %s", file);
    return 0;
  }

  private int layer(NeuralModel source) throws IOException {
    if (layer == null) {
      return Extractor.layer(source);
    }
    int layers = OnnxGraph.read(source.onnx()).layers();
    if (layer < 1 || layer > layers) {
      throw new UserException(
          "--layer %d: %s has %d layers; give 1 to %d"
              .formatted(layer, source.name(), layers, layers));
    }
    return layer;
  }

  private void write(SemanticBM25Model extracted, Directory folder, ExtractionCard card)
      throws IOException {
    extracted.write(folder, UserFiles.name(output));
    Terminal.say(
        "wrote %s: model %s, %d words, %d wordpieces, %d dimensions, from %s",
        output,
        extracted.id(),
        extracted.words().size(),
        extracted.wordpieces().size(),
        extracted.vectors().dimensions(),
        extracted.provenance().source());
    tell("Words and terms", extracted.provenance(), card);
  }

  /** Kernel and attention, both fitted to the cross-encoder's scores. */
  private void distil(
      NeuralModel source,
      int states,
      Optional<Map<String, Double>> reference,
      Directory folder,
      ExtractionCard card,
      Terminal progress)
      throws IOException {
    int ofKernel = kernelQueries == null ? lists.queries : kernelQueries;
    TrainingLists training = lists.read(Math.max(ofKernel, lists.queries));
    Path samples = output.resolveSibling(UserFiles.name(output) + ".samples");
    try (CrossEncoder encoder = CrossEncoder.builder(source).open();
        PairSampler sampler = new PairSampler(encoder, encoder::score, samples)) {
      extractAttention(source, training.withTrain(lists.queries), sampler, folder, card, progress);
      KernelLists kernel = KernelLists.score(training.withTrain(ofKernel), sampler, progress);
      write(kernel.extract(source, states, lists.countWords(), reference, progress), folder, card);
    }
    Files.delete(samples);
  }

  private void extractAttention(
      NeuralModel source,
      TrainingLists training,
      PairSampler sampler,
      Directory folder,
      ExtractionCard card,
      Terminal progress)
      throws IOException {
    SampledLists sampled = SampledLists.sample(training, sampler, progress);
    AttentionStudy study =
        new AttentionStudy(
            sampler.taps().layers(),
            sampler.taps().heads(),
            Extractor.idfByToken(source),
            sampled.train(),
            sampled.development(),
            List.of());
    for (Report report : study.heads(source, sampler.taps(), sampled, progress)) {
      report.print(spec.commandLine().getOut(), Report.Format.TABLE);
      card.add(report);
    }
    AttentionModel attention = study.extractor().extract(source);
    String name = UserFiles.name(output) + ".attention";
    attention.write(folder, name);
    Terminal.say("wrote %s", output.resolveSibling(name));
    tell("Attention", attention.provenance(), card);
  }

  /** Puts figures on the card, and says them. */
  private static void tell(String part, Provenance provenance, ExtractionCard card) {
    card.add(part, provenance);
    provenance.figures().forEach((name, value) -> Terminal.say("%s: %s", name, value));
  }
}
