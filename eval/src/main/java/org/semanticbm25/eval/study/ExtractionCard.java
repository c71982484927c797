package org.semanticbm25.eval.study;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.AtomicFile;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/** What an extraction found where in a model, as Markdown. */
public final class ExtractionCard {
  private final StringBuilder text = new StringBuilder();

  /**
   * Begins with the model.
   *
   * @param name of the file that is extracted
   * @param model it is extracted from
   * @param states layer whose states become vectors, or {@link SemanticBM25Model#LAST_LAYER}
   */
  public ExtractionCard(String name, NeuralModel model, int states) throws IOException {
    OnnxGraph graph = OnnxGraph.read(model.onnx());
    text.append(
        String.format(
            Locale.ROOT,
            """
            # %s

            Extracted from %s, an approximation of it. SHA-256 of its ONNX file: `%s`.

            | | |
            |---|---|
            | layers | %d |
            | parameters | %,d |
            | weights | %s |
            | layer after which states of words are taken | %s |
            """,
            name,
            model.name(),
            model.sha256(),
            graph.layers(),
            graph.parameters(),
            graph.isQuantized() ? "8-bit integers" : "floats",
            states == SemanticBM25Model.LAST_LAYER ? "last" : states));
  }

  /** Adds the figures of a part that was extracted. */
  public void add(String title, Provenance provenance) {
    heading(title).append("| | |\n|---|---|\n");
    provenance
        .figures()
        .forEach((figure, value) -> text.append("| %s | %s |\n".formatted(figure, value)));
  }

  /** Adds a table. */
  public void add(Report report) {
    heading(report.dataset()).append(report.markdown());
  }

  private StringBuilder heading(String title) {
    return text.append("\n## ").append(title).append("\n\n");
  }

  /** Writes the card. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, out -> out.write(text.toString().getBytes(StandardCharsets.UTF_8)));
  }
}
