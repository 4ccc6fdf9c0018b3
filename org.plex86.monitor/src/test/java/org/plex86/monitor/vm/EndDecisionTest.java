// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmEnd.Reason;
import org.plex86.monitor.nexus.NexusEnd;

class EndDecisionTest {
  private static final OptionalInt NONE = OptionalInt.empty();

  @ParameterizedTest
  @CsvSource({
    "1, POWER_OFF, ''",
    "2, REBOOT, ''",
    "3, PANIC, the guest kernel panicked",
    "4, POWER_OFF, ''",
    "16, CRASH, the guest triple-faulted",
    "17, CRASH, the nexus failed",
    "0, CRASH, the guest ended for the unknown reason 0",
    "-7, CRASH, the guest ended for the unknown reason -7",
  })
  void reasonOfTheGuestDecidesWhenItEndedByItself(int reason, Reason expected, String message) {
    NexusEnd nexus = new NexusEnd(true, "");
    assertThat(EndDecision.of(nexus, "", reason, "", NONE))
        .isEqualTo(new VmEnd(expected, NONE, message));
  }

  @Test
  void textOfTheGuestIsAdded() {
    assertThat(EndDecision.of(new NexusEnd(true, ""), "", 3, "Oops", NONE).message())
        .isEqualTo("the guest kernel panicked: Oops");
  }

  @Test
  void guestThatEndedByItselfWasNotKilledAlthoughWeWereAboutTo() {
    assertThat(EndDecision.of(new NexusEnd(true, ""), "killed", 1, "", NONE).reason())
        .isEqualTo(Reason.POWER_OFF);
  }

  @Test
  void reasonInGuestMemoryCountsForNothingWhenAProcessDied() {
    NexusEnd died = new NexusEnd(false, "process 5 (space 1) was killed by signal 9");
    assertThat(EndDecision.of(died, "", 1, "", NONE))
        .isEqualTo(new VmEnd(Reason.CRASH, NONE, "process 5 (space 1) was killed by signal 9"));
  }

  @Test
  void processesThatWeEndedAreNoCrash() {
    assertThat(EndDecision.of(new NexusEnd(false, ""), "killed", 0, "", NONE))
        .isEqualTo(new VmEnd(Reason.KILLED, NONE, "killed"));
  }

  @Test
  void resultIsKeptHoweverItEnded() {
    assertThat(EndDecision.of(new NexusEnd(true, ""), "", 1, "", OptionalInt.of(7)).result())
        .hasValue(7);
  }
}
