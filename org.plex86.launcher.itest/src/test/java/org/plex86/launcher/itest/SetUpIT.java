// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the script does before it runs anything, on a small tree of its own. */
class SetUpIT {
  @TempDir Path root;

  @BeforeEach
  void aTreeThatIsNotBuiltYet() throws IOException {
    for (String folder : List.of("cnf/bin", ".mvn", "guest", "org.plex86.a/src", "org.plex86.b")) {
      Files.createDirectories(root.resolve(folder));
    }
    for (String file : List.of("pom.xml", "bnd.bnd", "org.plex86.a/src/A.java")) {
      Files.writeString(root.resolve(file), "");
    }
  }

  /** Runs a script with the functions of set-up; returns its status and its lines. */
  private List<String> shell(String script) throws IOException, InterruptedException {
    Process bash =
        new ProcessBuilder(
                "bash",
                "-euo",
                "pipefail",
                "-c",
                "root=$1 cache=$1/cache; . \"$2\"; " + script,
                "bash",
                root.toString(),
                Plex86.file("cnf/bin/setup.sh").toString())
            .start();
    var result = Plex86.finish(bash, new byte[0]);
    List<String> lines = new ArrayList<>(List.of(Integer.toString(result.status())));
    (result.text() + result.errors()).lines().forEach(lines::add);
    return lines;
  }

  private static final String BUILD =
      "mkdir -p $launcher; touch $stamp.new; sleep 0.02; mkdir -p $root/org.plex86.b/target/classes;"
          + " touch $jar; mv $stamp.new $stamp; ";

  @Test
  void treeIsFreshAfterItsFirstBuildThoughThatHasMadeFoldersInIt() throws Exception {
    assertThat(shell("is_stale && echo stale; " + BUILD + "is_stale && echo stale || echo fresh"))
        .containsExactly("0", "stale", "fresh");
  }

  @Test
  void treeIsStaleAfterAChangeAndAfterARemoval() throws Exception {
    assertThat(
            shell(
                BUILD
                    + "sleep 0.02; touch $root/org.plex86.a/src/A.java; is_stale && echo changed; "
                    + BUILD
                    + "sleep 0.02; rm $root/org.plex86.a/src/A.java; is_stale && echo removed"))
        .containsExactly("0", "changed", "removed");
  }

  @Test
  void treeThatCannotBeWrittenIsSaidInOneLine() throws Exception {
    Files.writeString(root.resolve("org.plex86.launcher"), "no folder can be made in a file");
    assertThat(shell("mkdir $cache; build"))
        .containsExactly(
            "3",
            "plex86: something is to be built, but this user may not write in "
                + root
                + "; build as the one who may, or in a copy of your own");
  }

  @Test
  void buildSaysWhichModuleItIsAt() throws Exception {
    assertThat(
            shell(
                "jdk=/nowhere; mvn() { echo '[INFO] Building plex86 HAL API 0.1.0-SNAPSHOT   [2/11]';"
                    + " echo '[INFO] Building jar: a.jar'; return 5; }; maven $root/log verify"))
        .containsExactly("5", "plex86: building plex86 HAL API [2/11]");
  }
}
