package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.apache.lucene.index.DirectoryReader;
import org.semanticbm25.eval.ShellWord;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FieldOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.serve.CopiedCommands;
import org.semanticbm25.eval.serve.LiveSearch;
import org.semanticbm25.eval.serve.PageServer;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.similarity.field.ContextualField;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 serve}. */
@Command(
    name = "serve",
    sortOptions = false,
    description = {
      "Serve a page to try queries and settings on an index, with rankings side by side.",
      "For this machine only, unless --host says otherwise. Ctrl-C ends it.%n"
    })
public final class ServeCommand implements Callable<Integer> {
  @Parameters(paramLabel = "INDEX", description = "a folder with a Lucene index; only read")
  Path index;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "port to listen on, 0 for any (default: 8080)")
  int port;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description =
          "address to listen on (default: 127.0.0.1); whoever reaches another one can search")
  String host;

  @Option(
      names = "--rerank",
      paramLabel = "N",
      defaultValue = "30",
      description = "hits of BM25 that the cross-encoder reads (default: 30)")
  int pool;

  @Mixin FieldOption field;
  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin ContextualOption contextual;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (port < 0 || port > 65_535 || pool < 1) {
      throw new UserException(
          "--port %d, --rerank %d: must be 0 to 65535, and 1 or more".formatted(port, pool));
    }
    try (DirectoryReader reader = CollectionIndexes.openIndex(index);
        CrossEncoder encoder = crossEncoder.open(workspace.home)) {
      field.requireIn(index, reader);
      field.requireStored(index, reader);
      ContextualField soft =
          ContextualField.isIn(reader, field.name)
              ? contextual.checked(index, reader, field.name, field.analyzer())
              : null;
      LiveSearch search =
          new LiveSearch(
              reader,
              field.semantic(workspace, index),
              field.analyzer(),
              commands(),
              soft,
              encoder,
              pool);
      try (PageServer server = new PageServer(search, address(), host, port)) {
        spec.commandLine().getOut().println(server.url());
        spec.commandLine().getOut().flush();
        new CountDownLatch(1).await();
      } catch (BindException e) {
        throw new UserException(
            "--port %d, --host %s: cannot be listened on (%s); give another port, or 0, or an address of this machine"
                .formatted(port, host, e.getMessage()),
            e);
      }
    }
    return 0;
  }

  /** What commands need to work with the same models, field and analyzer. */
  private CopiedCommands commands() {
    String common =
        " --field %s --analyzer %s".formatted(ShellWord.quoted(field.name), field.analyzerName());
    Path model = workspace.modelFile();
    String edit = model == null ? "" : " --extracted " + ShellWord.quoted(model.toString());
    String search =
        crossEncoder
            .folder()
            .map(folder -> " --model " + ShellWord.quoted(folder.toString()))
            .orElse("");
    // a query may begin with a dash
    return new CopiedCommands(
        edit + common, common + search + " -- " + ShellWord.quoted(index.toString()));
  }

  private InetAddress address() throws UserException {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new UserException("--host " + host + ": no such address; give one of this machine", e);
    }
  }
}
