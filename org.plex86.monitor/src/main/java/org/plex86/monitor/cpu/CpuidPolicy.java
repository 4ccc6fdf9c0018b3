// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.control.CpuidEntry;

/**
 * What the guest kernel is told by CPUID: the host's CPU without what cannot be had at ring 3.
 * Guest user code executes the instruction itself and sees all of the host's, so the guest kernel
 * has to save every state that user code may come to use. Bit numbers as in the Intel SDM, vol. 2,
 * CPUID.
 */
public final class CpuidPolicy {
  /** x87, SSE, AVX, the three of AVX-512: the states whose save area the nexus handles. */
  private static final long XCR0_KNOWN = 0xe7;

  private static final long XCR0_LEGACY = 3;
  private static final long XCR0_AVX = 1 << 2;
  private static final long XCR0_AVX512 = 0xe0;

  /** SSE3 PCLMUL SSSE3 FMA SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE OSXSAVE AVX F16C RDRAND. */
  private static final int LEAF1_ECX = bits(0, 1, 9, 12, 19, 20, 22, 23, 25, 26, 27, 28, 29, 30);

  private static final int LEAF1_ECX_FMA_AVX_F16C = bits(12, 28, 29);
  private static final int LEAF1_ECX_HYPERVISOR = bits(31);

  /** FPU PSE TSC CX8 PGE CMOV CLFSH MMX FXSR SSE SSE2: no MSR PAE MCE APIC SEP MTRR PAT. */
  private static final int LEAF1_EDX = bits(0, 3, 4, 8, 13, 15, 19, 23, 24, 25, 26);

  /** The nexus does large and global pages by itself, whatever the host has. */
  private static final int LEAF1_EDX_ALWAYS = bits(3, 13);

  /** BMI1 AVX2 BMI2 ERMS AVX512F AVX512DQ RDSEED ADX AVX512CD SHA AVX512BW AVX512VL. */
  private static final int LEAF7_EBX = bits(3, 5, 8, 9, 16, 17, 18, 19, 28, 29, 30, 31);

  private static final int LEAF7_EBX_AVX2 = bits(5);
  private static final int LEAF7_EBX_AVX512 = bits(16, 17, 28, 30, 31);

  /** FSRM. */
  private static final int LEAF7_EDX = bits(4);

  /**
   * LAHF_LM's neighbours that exist in 32-bit mode: LAHF, LZCNT. No NX, no long mode, no RDTSCP.
   */
  private static final int LEAF80000001_ECX = bits(0, 5);

  private static final int MAX_LEAF = 0xd;
  private static final int HYPERVISOR_LEAF = 0x40000000;
  private static final int MAX_EXTENDED_LEAF = 0x80000004;
  private static final int XSAVE_LEGACY_SIZE = 576;

  private final List<CpuidEntry> host;
  private final long xcr0;

  /**
   * A policy for a host.
   *
   * @param host the host's table; absent entries count as zero
   * @param hostXcr0 the states that the host's kernel has enabled
   */
  public CpuidPolicy(List<CpuidEntry> host, long hostXcr0) {
    this.host = List.copyOf(host);
    this.xcr0 = usable(hostXcr0);
  }

  /** The states that the guest may enable. */
  public long guestXcr0() {
    return xcr0;
  }

  /** The guest kernel's table. */
  public List<CpuidEntry> guest() {
    List<CpuidEntry> guest = new ArrayList<>();
    CpuidEntry vendor = host(0, 0);
    guest.add(new CpuidEntry(0, 0, MAX_LEAF, vendor.ebx(), vendor.ecx(), vendor.edx()));
    guest.add(features());
    guest.add(structuredFeatures());
    addXsave(guest);
    guest.add(hypervisor());
    guest.add(
        new CpuidEntry(0x80000000, 0, MAX_EXTENDED_LEAF, vendor.ebx(), vendor.ecx(), vendor.edx()));
    CpuidEntry extended = host(0x80000001, 0);
    guest.add(
        new CpuidEntry(0x80000001, 0, extended.eax(), 0, extended.ecx() & LEAF80000001_ECX, 0));
    for (int leaf = 0x80000002; leaf <= MAX_EXTENDED_LEAF; leaf++) {
      guest.add(host(leaf, 0)); // the brand string
    }
    return guest;
  }

  private CpuidEntry features() {
    CpuidEntry entry = host(1, 0);
    int ecx = entry.ecx() & LEAF1_ECX;
    if ((xcr0 & XCR0_AVX) == 0) {
      ecx &= ~LEAF1_ECX_FMA_AVX_F16C;
    }
    // ebx: the brand index and the line size of clflush, no APIC id, no number of processors
    return new CpuidEntry(
        1,
        0,
        entry.eax(),
        entry.ebx() & 0xffff,
        ecx | LEAF1_ECX_HYPERVISOR,
        (entry.edx() & LEAF1_EDX) | LEAF1_EDX_ALWAYS);
  }

  private CpuidEntry structuredFeatures() {
    CpuidEntry entry = host(7, 0);
    int ebx = entry.ebx() & LEAF7_EBX;
    if ((xcr0 & XCR0_AVX) == 0) {
      ebx &= ~LEAF7_EBX_AVX2;
    }
    if ((xcr0 & XCR0_AVX512) == 0) {
      ebx &= ~LEAF7_EBX_AVX512;
    }
    return new CpuidEntry(7, 0, 0, ebx, 0, entry.edx() & LEAF7_EDX);
  }

  /** Leaf 0xd, SDM vol. 1, 13.2: plain XSAVE only, as the nexus saves in the standard form. */
  private void addXsave(List<CpuidEntry> guest) {
    int size = XSAVE_LEGACY_SIZE;
    List<CpuidEntry> components = new ArrayList<>();
    for (int i = 2; i < Long.SIZE - 1; i++) {
      if ((xcr0 >> i & 1) != 0) {
        CpuidEntry component = host(0xd, i);
        components.add(component);
        size = Math.max(size, component.eax() + component.ebx());
      }
    }
    // ebx is the size for what XCR0 holds at the moment: the nexus puts it in.
    guest.add(new CpuidEntry(0xd, 0, (int) xcr0, size, size, 0));
    guest.add(new CpuidEntry(0xd, 1, 0, 0, 0, 0));
    guest.addAll(components);
  }

  private static CpuidEntry hypervisor() {
    ByteBuffer signature =
        ByteBuffer.wrap(ControlLayout.PLEX86_CPUID_SIGNATURE.getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN);
    return new CpuidEntry(
        HYPERVISOR_LEAF,
        0,
        HYPERVISOR_LEAF,
        signature.getInt(),
        signature.getInt(),
        signature.getInt());
  }

  /** AVX-512 is all or nothing, and needs AVX (SDM vol. 1, 13.3). */
  private static long usable(long hostXcr0) {
    long usable = (hostXcr0 & XCR0_KNOWN) | XCR0_LEGACY;
    if ((usable & XCR0_AVX) == 0 || (usable & XCR0_AVX512) != XCR0_AVX512) {
      usable &= ~XCR0_AVX512;
    }
    return usable;
  }

  private CpuidEntry host(int leaf, int subleaf) {
    for (CpuidEntry entry : host) {
      if (entry.leaf() == leaf && entry.subleaf() == subleaf) {
        return entry;
      }
    }
    return new CpuidEntry(leaf, subleaf, 0, 0, 0, 0);
  }

  private static int bits(int... numbers) {
    int mask = 0;
    for (int number : numbers) {
      mask |= 1 << number;
    }
    return mask;
  }
}
