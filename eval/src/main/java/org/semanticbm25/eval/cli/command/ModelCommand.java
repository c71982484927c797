package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.onnx.distill.EmbeddingEdit;
import org.semanticbm25.onnx.graph.AttentionTap;
import org.semanticbm25.onnx.graph.DynamicQuantization;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.ModelDownload;
import org.semanticbm25.onnx.hub.NeuralModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 model}: ONNX models, fetched, looked at and edited. */
@Command(
    name = "model",
    description = "Fetch, look at, cut, quantise or edit ONNX models.%n",
    subcommands = {
      ModelCommand.Fetch.class,
      ModelCommand.Describe.class,
      ModelCommand.Cut.class,
      ModelCommand.Quantize.class,
      ModelCommand.Edit.class
    },
    synopsisSubcommandLabel = "COMMAND")
public final class ModelCommand {
  private ModelCommand() {}

  private static void writeBeside(NeuralModel model, OnnxGraph graph, Path folder)
      throws IOException {
    Path onnx = folder.resolve("model.onnx");
    for (Path file :
        List.of(onnx, folder.resolve("tokenizer.json"), folder.resolve("config.json"))) {
      if (Files.exists(file)) {
        throw new UserException(file + ": is there already; give another folder");
      }
    }
    Files.createDirectories(folder);
    // the large file first: what is left where it fails does not keep one from trying again
    graph.write(onnx);
    for (String name : new String[] {"tokenizer.json", "config.json"}) {
      Path from = model.tokenizer().resolveSibling(name);
      if (Files.exists(from)) {
        Files.copy(from, folder.resolve(name));
      }
    }
    Terminal.say(
        "wrote %s: %.1f MiB, was %.1f MiB", onnx, mebibytes(onnx), mebibytes(model.onnx()));
  }

  private static double mebibytes(Path file) throws IOException {
    return Files.size(file) / (1024.0 * 1024.0);
  }

  /** {@code sbm25 model fetch}. */
  @Command(
      name = "fetch",
      sortOptions = false,
      description = {
        "Download an ONNX model with its tokenizer over HTTPS.",
        "Goes on after an interruption and checks the SHA-256.%n"
      })
  static final class Fetch implements Callable<Integer> {
    @Parameters(
        paramLabel = "NAME",
        description = "the model's name, as in cross-encoder/ms-marco-MiniLM-L-6-v2")
    String name;

    @Parameters(paramLabel = "DIR", description = "the folder to write to")
    Path folder;

    @Option(
        names = "--file",
        paramLabel = "PATH",
        defaultValue = "onnx/model.onnx",
        description = "the ONNX file of the model (default: ${DEFAULT-VALUE})")
    String file;

    @Option(
        names = "--sha256",
        paramLabel = "HEX",
        description = "expected of the ONNX file (default: the one known here, or the hub's word)")
    @Nullable String sha256;

    @Option(
        names = "--hub",
        paramLabel = "URL",
        description = "where models are fetched from (default: ${DEFAULT-VALUE})",
        defaultValue = ModelDownload.HUB)
    URI hub;

    @Override
    public Integer call() throws IOException {
      try (Terminal progress = new Terminal()) {
        NeuralModel model =
            new ModelDownload(hub).fetch(name, file, Optional.ofNullable(sha256), folder, progress);
        Terminal.say("%s is in %s, SHA-256 %s", name, model.onnx(), model.sha256());
      }
      return 0;
    }
  }

  /** {@code sbm25 model info}. */
  @Command(name = "info", description = "Say what an ONNX model is made of.")
  static final class Describe implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "folder of the model, or its ONNX file")
    Path place;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      NeuralModel model = NeuralModel.at(place);
      OnnxGraph graph = OnnxGraph.read(model.onnx());
      line("file", "%s, %.1f MiB", model.onnx(), mebibytes(model.onnx()));
      line("SHA-256", "%s", model.sha256());
      line("tokenizer", "%s", model.tokenizer());
      line("inputs", "%s", String.join(", ", graph.inputs()));
      line("outputs", "%s", String.join(", ", graph.outputs()));
      line("opset", "%d", graph.opset());
      line("weights", "%,d", graph.parameters());
      line(
          "positions",
          "%s",
          graph.positions().isPresent() ? graph.positions().getAsInt() : "not told by the graph");
      line(
          "attention",
          "%s",
          graph
              .fusedAttention()
              .map(operator -> "fused into '" + operator + "', cannot be looked into")
              .orElse(graph.layers() + " layers"));
      line("8-bit integers", "%s", graph.isQuantized() ? "yes" : "no");
      OptionalInt words = WordEmbeddings.count(graph);
      line("word embeddings", "%s", words.isPresent() ? words.getAsInt() : "not told by the graph");
      spec.commandLine().getOut().flush();
      return 0;
    }

    private void line(String name, String format, Object... arguments) {
      spec.commandLine().getOut().printf("%-16s %s%n", name, format.formatted(arguments));
    }
  }

  /** Writes an edited copy of a model. */
  abstract static class EditingCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "folder of the model, or its ONNX file")
    Path place;

    @Parameters(paramLabel = "NEW", description = "folder to write the new model to")
    Path folder;

    abstract OnnxGraph edit(NeuralModel model) throws IOException;

    @Override
    public final Integer call() throws IOException {
      NeuralModel model = NeuralModel.at(place);
      writeBeside(model, edit(model), folder);
      return 0;
    }
  }

  /** {@code sbm25 model cut}. */
  @Command(
      name = "cut",
      description = {
        "Keep the first layers of a model and give the attention of all their heads from each query"
            + " token to the passage.%n"
      })
  static final class Cut extends EditingCommand {
    @Option(names = "--layers", required = true, paramLabel = "N", description = "layers to keep")
    int layers;

    @Override
    OnnxGraph edit(NeuralModel model) throws IOException {
      return AttentionTap.cutAfter(OnnxGraph.read(model.onnx()), layers);
    }
  }

  /** {@code sbm25 model quantize}. */
  @Command(
      name = "quantize",
      description = {
        "Turn a model's weights into 8-bit integers: a quarter of the size, faster, close to the"
            + " same scores.%n"
      })
  static final class Quantize extends EditingCommand {
    @Override
    OnnxGraph edit(NeuralModel model) throws IOException {
      return DynamicQuantization.apply(OnnxGraph.read(model.onnx()));
    }
  }

  /** {@code sbm25 model edit}. */
  @Command(
      name = "edit",
      sortOptions = false,
      description = {
        "Change how much words count to a model itself: scales their embeddings along the IDF"
            + " direction. All other embeddings stay as they are.%n"
      })
  static final class Edit extends EditingCommand {
    @Option(
        names = "--term",
        required = true,
        paramLabel = "WORD=FACTOR",
        description = "a word that is one token of the model, as in laptop=2; may be repeated")
    Map<String, Float> factors = new LinkedHashMap<>();

    @Override
    OnnxGraph edit(NeuralModel model) throws IOException {
      return EmbeddingEdit.apply(model, factors);
    }
  }
}
