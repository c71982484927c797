package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.Analyzers;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.Passage;
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
      return consumer -> Dataset.forEachRecord(input, consumer);
    }
    if (name.endsWith(".tsv")) {
      return this::forEachLine;
    }
    throw new UserException(input + ": not a .jsonl file, a .tsv file or a folder");
  }

  private void forEachLine(Dataset.Consumer<Passage> consumer) throws IOException {
    Set<String> ids = new HashSet<>();
    Dataset.forEachLine(
        input,
        (line, number) -> {
          int tab = line.indexOf('\t');
          if (tab < 1) {
            throw new UserException("%s:%d: not 'id<TAB>text'".formatted(input, number));
          }
          String id = line.substring(0, tab);
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

  private void forEachTextFile(Dataset.Consumer<Passage> consumer) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(input)) {
      files = all.filter(f -> f.toString().endsWith(".txt")).sorted().toList();
    }
    if (files.isEmpty()) {
      throw new UserException(input + ": no .txt files in it");
    }
    for (Path file : files) {
      try {
        String id = input.relativize(file).toString();
        consumer.accept(new Passage(id, "", Files.readString(file)));
      } catch (CharacterCodingException e) {
        throw new UserException(file + ": not UTF-8 text", e);
      }
    }
  }
}
