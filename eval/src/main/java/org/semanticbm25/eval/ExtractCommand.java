package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.lucene.store.Directory;
import org.semanticbm25.onnx.AttentionModel;
import org.semanticbm25.onnx.Extractor;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.PairSampler;
import org.semanticbm25.similarity.SemanticBM25Model;
import org.semanticbm25.similarity.SemanticBM25Model.Provenance;
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
      "With --lists also finds the matching heads of a cross-encoder and fits the functions of its"
          + " attention, which go to FILE.attention. One that was stopped goes on where it was.%n"
    })
final class ExtractCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "the model file to write, as in mine.sbm25")
  Path output;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description =
          "folder with model.onnx (or onnx/model.onnx) and tokenizer.json of a BERT-family model,"
              + " or the ONNX file (default: the bundled encoder, all-MiniLM-L6-v2)")
  Path model;

  @Option(
      names = "--idf",
      paramLabel = "TSV",
      description = "lines 'word<TAB>IDF' to report the IDF direction's correlation with")
  Path idf;

  @Mixin ListsOption lists;

  @Option(
      names = "--home",
      paramLabel = "DIR",
      defaultValue = "${env:SBM25_HOME:-${sys:user.home}/.sbm25}",
      description = "folder where the bundled encoder is unpacked (default: $SBM25_HOME, else ~/.sbm25)")
  Path home;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Optional<TrainingLists> training =
        lists.folder == null ? Optional.empty() : Optional.of(lists.read());
    try (Directory folder = Workspace.folderOf(output);
        Terminal progress = new Terminal()) {
      Optional<Map<String, Double>> reference =
          idf == null ? Optional.empty() : Optional.of(readIdf(idf));
      NeuralModel source =
          model == null ? NeuralModel.interimDefault(home.resolve("models")) : NeuralModel.at(model);
      SemanticBM25Model extracted =
          Extractor.extract(source, Extractor.DEFAULT_PARAMETERS, reference, progress);
      extracted.write(folder, Workspace.name(output));
      Terminal.say(
          "wrote %s: model %s, %d wordpieces, %d dimensions, from %s",
          output,
          extracted.id(),
          extracted.size(),
          extracted.vectors().dimensions(),
          source.name());
      say(extracted.provenance());
      if (training.isPresent()) {
        extractAttention(source, training.get(), folder, progress);
      }
    }
    return 0;
  }

  private void extractAttention(
      NeuralModel source, TrainingLists training, Directory folder, Terminal progress)
      throws IOException {
    Path samples = output.resolveSibling(Workspace.name(output) + ".samples");
    AttentionModel attention;
    try (PairSampler sampler = new PairSampler(source, samples)) {
      ListsOption.Samples sampled = ListsOption.sample(training, sampler, progress);
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
      }
      attention = study.extractor().extract(source);
    }
    String name = Workspace.name(output) + ".attention";
    attention.write(folder, name);
    Files.delete(samples);
    Terminal.say("wrote %s", output.resolveSibling(name));
    say(attention.provenance());
  }

  private static void say(Provenance provenance) {
    provenance.figures().forEach((name, value) -> Terminal.say("%s: %s", name, value));
  }

  static Map<String, Double> readIdf(Path file) throws IOException {
    Map<String, Double> idf = new HashMap<>();
    Dataset.forEachLine(
        file,
        (line, number) -> {
          String[] columns = line.split("\t", -1);
          try {
            idf.put(columns[0], Double.valueOf(columns[1]));
          } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
            throw new UserException(
                "%s:%d: not 'word<TAB>IDF': %s".formatted(file, number, line), e);
          }
        });
    if (idf.isEmpty()) {
      throw new UserException(file + ": is empty; give lines 'word<TAB>IDF'");
    }
    return idf;
  }
}
