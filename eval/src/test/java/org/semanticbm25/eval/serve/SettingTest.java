package org.semanticbm25.eval.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.semanticbm25.english.EnglishModel;

class SettingTest {
  private static final CopiedCommands COMMANDS =
      new CopiedCommands(" --field 'f'", " --field 'f' -- 'my index'");

  private static Setting of(Map<String, String> values) throws IOException {
    return Setting.of(values, EnglishModel.load().parameters());
  }

  @Test
  void copiesTheWeightOfTheFirstPass() throws IOException {
    Map<String, String> values = Map.of("q", "it's \"quick\"", "w", "0.5", "edits", "fox=2");
    List<String> commands = of(values).commands(COMMANDS).lines().toList();
    assertTrue(commands.get(0).startsWith("sbm25 edit 'fox=2.0' --field 'f' --k1 "));
    assertEquals(
        "sbm25 search --scorer cross-encoder --first-pass-weight 0.5 --field 'f' -- 'my index'"
            + " 'it'\\''s \"quick\"'",
        commands.get(1));
    String java = of(values).java("body");
    assertTrue(
        java.endsWith(
            "CrossEncoderRescorer.interpolated(encoder, \"it's \\\"quick\\\"\", passages, 0.5f);"),
        java);
    Setting without = of(Map.of("q", "quick"));
    assertEquals(1, without.commands(COMMANDS).lines().count());
    assertFalse(without.java("body").contains("interpolated"));
  }

  @Test
  void readsWordsThatBeginAsCommentsDo() throws IOException {
    Setting setting = of(Map.of("edits", "#tag=0\ncar=2"));
    assertEquals(Map.of("#tag", 0f, "car", 2f), setting.edits());
  }

  @Test
  void refusesEditsOutOfRange() {
    for (String edits : List.of("fox", "fox=-1", "fox=101", "=1", "fox=NaN")) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> of(Map.of("edits", edits)));
      assertTrue(e.getMessage().startsWith("edits"), e.getMessage());
    }
  }
}
