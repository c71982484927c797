package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.lucene.util.IOConsumer;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.Analyzers;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.collection.Passage;
import org.semanticbm25.eval.collection.Records;
import org.semanticbm25.eval.collection.TextFile;
import org.semanticbm25.eval.collection.TextIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sbm25 index}. */
@Command(
    name = "index",
    sortOptions = false,
    description = {
      "Index a text collection with Lucene.",
      "The index has the stored fields '" + TextIndex.ID + "' and '" + TextIndex.CONTENTS + "'.%n"
    })
public final class IndexCommand implements Callable<Integer> {
  private static final Pattern HEADER =
      Pattern.compile("(?i)(_?id|[a-z]+[-_ ]?id)\t(text|contents?|passage|document|body)");

  @Parameters(
      paramLabel = "INPUT",
      description =
          "a corpus.jsonl of objects with _id, title and text; a .tsv of lines 'id<TAB>text'; or a"
              + " folder of .txt files, whose paths become the ids")
  Path input;

  @Parameters(paramLabel = "INDEX", description = "the folder to write; must not exist")
  Path index;

  @Mixin Analyzers analyzers;

  @Override
  public Integer call() throws IOException {
    int count = TextIndex.create(index, analyzers.get(), source());
    Terminal.say("indexed %d passages to %s", count, index);
    return 0;
  }

  private TextIndex.Source source() throws UserException {
    if (Files.isDirectory(input)) {
      return this::forEachTextFile;
    }
    String name = UserFiles.name(input);
    if (name.endsWith(".jsonl")) {
      return consumer -> Records.forEach(input, consumer);
    }
    if (name.endsWith(".tsv")) {
      return this::forEachLine;
    }
    throw new UserException(input + ": not a .jsonl file, a .tsv file or a folder");
  }

  private void forEachLine(IOConsumer<Passage> consumer) throws IOException {
    Set<String> ids = new HashSet<>();
    TextFile.forEachLine(
        input,
        (line, number) -> {
          int tab = line.indexOf('\t');
          String id = line.substring(0, Math.max(0, tab)).strip();
          if (id.isEmpty()) {
            throw new UserException("%s:%d: not 'id<TAB>text'".formatted(input, number));
          }
          if (number == 1 && HEADER.matcher(line).matches()) {
            Terminal.say("%s:1: taken for a header, left out: %s", input, line);
            return;
          }
          if (!ids.add(id)) {
            throw new UserException(
                "%s:%d: the id '%s' occurs a second time; ids must be unique"
                    .formatted(input, number, id));
          }
          consumer.accept(new Passage(id, "", line.substring(tab + 1)));
        });
    if (ids.isEmpty()) {
      throw new UserException(input + ": is empty; give lines 'id<TAB>text'");
    }
  }

  private void forEachTextFile(IOConsumer<Passage> consumer) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(input)) {
      files = all.filter(f -> f.toString().endsWith(".txt")).sorted().toList();
    }
    if (files.isEmpty()) {
      throw new UserException(input + ": no .txt files in it");
    }
    for (Path file : files) {
      String id = input.relativize(file).toString();
      consumer.accept(new Passage(id, "", TextFile.read(file)));
    }
  }
}
