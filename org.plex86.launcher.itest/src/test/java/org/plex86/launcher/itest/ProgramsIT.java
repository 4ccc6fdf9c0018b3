// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Programs that are started again and again get what is in their files, and nothing older. */
class ProgramsIT {
  /** a/busybox and b/busybox differ in a few bytes of one read-only page. */
  private static final String TWO_PROGRAMS =
      """
      set -e; mkdir /tmp/a /tmp/b /tmp/c; cd /tmp
      cp /bin/busybox a; cp /bin/busybox b
      at=$(strings -t d a/busybox | sed -n 's/^ *\\([0-9]*\\) BusyBox v.*/\\1/p' | head -n 1)
      printf BUSYBOX | dd of=b/busybox bs=1 seek=$at conv=notrunc 2>/dev/null
      is() { [ "$(./$1/busybox 2>&1 | head -c 7)" = $2 ]; }
      is a BusyBox; is b BUSYBOX
      """;

  @Test
  void programsThatTakeTurnsAtTheSameAddressesAreEachThemselves() throws Exception {
    var result =
        Plex86.run(
            "run",
            "--exec",
            TWO_PROGRAMS + "for i in $(seq 100); do is a BusyBox; is b BUSYBOX; done; echo right");
    assertThat(result.text()).isEqualTo("right\n");
  }

  @Test
  void programThatIsReplacedIsTheNewOne() throws Exception {
    var result =
        Plex86.run(
            "run",
            "--exec",
            TWO_PROGRAMS
                + "for i in $(seq 50); do"
                + " cp a/busybox c; is c BusyBox; rm c/busybox;"
                + " cp b/busybox c; is c BUSYBOX; cat a/busybox > c/busybox; is c BusyBox;"
                + " done; echo right");
    assertThat(result.text()).isEqualTo("right\n");
  }

  /** A fork's text is the parent's, what it writes is its own. */
  @Test
  void childrenWriteToPagesOfTheirOwn() throws Exception {
    var result =
        Plex86.run(
            "run",
            "--exec",
            "n=0; for i in $(seq 200); do x=$i; (x=child; [ $x = child ]) && [ $x = $i ]"
                + " && n=$((n+1)); done; echo $n");
    assertThat(result.text()).isEqualTo("200\n");
  }
}
