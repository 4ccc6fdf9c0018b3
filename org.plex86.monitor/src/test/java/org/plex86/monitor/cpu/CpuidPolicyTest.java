// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.monitor.control.CpuidEntry;

class CpuidPolicyTest {
  private static final int XSAVE_HEADER_END = 576;

  /** A CPU that has everything. */
  private static List<CpuidEntry> host() {
    List<CpuidEntry> host = new ArrayList<>();
    host.add(new CpuidEntry(0, 0, 0x1f, 1, 2, 3));
    host.add(new CpuidEntry(1, 0, 0x806f8, -1, -1, -1));
    host.add(new CpuidEntry(7, 0, 2, -1, -1, -1));
    host.add(new CpuidEntry(0xd, 0, 0xe7, 2696, 2696, 0));
    host.add(new CpuidEntry(0xd, 1, -1, -1, -1, -1));
    host.add(new CpuidEntry(0xd, 2, 256, 576, 0, 0));
    host.add(new CpuidEntry(0xd, 5, 64, 1088, 0, 0));
    host.add(new CpuidEntry(0xd, 6, 512, 1152, 0, 0));
    host.add(new CpuidEntry(0xd, 7, 1024, 1664, 0, 0));
    host.add(new CpuidEntry(0xd, 9, 8, 2688, 0, 0));
    host.add(new CpuidEntry(0x80000001, 0, -1, -1, -1, -1));
    host.add(new CpuidEntry(0x80000002, 0, 'b', 'r', 'n', 'd'));
    return host;
  }

  private static CpuidEntry guest(long hostXcr0, int leaf, int subleaf) {
    return new CpuidPolicy(host(), hostXcr0)
        .guest().stream()
            .filter(entry -> entry.leaf() == leaf && entry.subleaf() == subleaf)
            .findFirst()
            .orElseThrow();
  }

  @Test
  void kernelIsNotToldOfWhatRingThreeCannotDo() {
    int edx = guest(0xe7, 1, 0).edx();
    // MSR PAE MCE APIC SEP MTRR MCA PAT
    assertThat(edx & (1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 16))
        .isZero();
    // NX, long mode, RDTSCP
    assertThat(guest(0xe7, 0x80000001, 0).edx()).isZero();
  }

  @Test
  void largeAndGlobalPagesAreThereOnAnyHost() {
    CpuidEntry poor =
        new CpuidPolicy(List.of(), 3)
            .guest().stream().filter(entry -> entry.leaf() == 1).findFirst().orElseThrow();
    assertThat(poor.edx()).isEqualTo(1 << 3 | 1 << 13);
  }

  @Test
  void signatureIsThatOfPlex86() {
    CpuidEntry entry = guest(0xe7, 0x40000000, 0);
    assertThat(text(entry.ebx()) + text(entry.ecx()) + text(entry.edx())).isEqualTo("plex86 nexus");
    assertThat(guest(0xe7, 1, 0).ecx() >>> 31).isEqualTo(1);
  }

  private static String text(int register) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 32; i += 8) {
      text.append((char) (register >>> i & 0xff));
    }
    return text.toString();
  }

  @ParameterizedTest
  @CsvSource({
    "3, 3, 576",
    "7, 7, 832",
    "0xe7, 0xe7, 2688",
    "0x2e7, 0xe7, 2688", // PKRU stays hidden
    "0x67, 7, 832", // half of AVX-512
    "0xe3, 3, 576", // AVX-512 without AVX
    "0, 3, 576",
  })
  void saveAreaIsAsLargeAsTheStatesTheGuestMayEnable(String host, String guest, int size) {
    long xcr0 = Long.decode(host);
    assertThat(new CpuidPolicy(host(), xcr0).guestXcr0()).isEqualTo(Long.decode(guest));
    CpuidEntry entry = guest(xcr0, 0xd, 0);
    assertThat(entry.eax()).isEqualTo(Long.decode(guest).intValue());
    assertThat(entry.ecx()).isEqualTo(size).isGreaterThanOrEqualTo(XSAVE_HEADER_END);
  }

  @Test
  void onlyPlainXsaveIsOffered() {
    assertThat(guest(0xe7, 0xd, 1)).isEqualTo(new CpuidEntry(0xd, 1, 0, 0, 0, 0));
  }

  @Test
  void instructionsWhoseStateTheHostDoesNotSaveAreHidden() {
    assertThat(guest(3, 1, 0).ecx() & (1 << 12 | 1 << 28 | 1 << 29)).isZero();
    assertThat(guest(3, 7, 0).ebx() & 1 << 5).isZero();
    assertThat(guest(7, 7, 0).ebx() & 1 << 16).isZero();
    assertThat(guest(0xe7, 7, 0).ebx() & 1 << 16).isNotZero();
  }

  @Test
  void brandIsTheHosts() {
    assertThat(guest(3, 0x80000002, 0).ecx()).isEqualTo('n');
  }
}
