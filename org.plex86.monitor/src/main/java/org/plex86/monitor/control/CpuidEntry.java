// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

/** The answer of the CPUID instruction to one leaf and subleaf. */
public record CpuidEntry(int leaf, int subleaf, int eax, int ebx, int ecx, int edx) {}
