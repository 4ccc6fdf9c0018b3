/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computations whose results are known or can be made again: what the
 * benchmarks time and what the soak checks.
 */
#ifndef PLEX86_BENCH_COMPUTE_H
#define PLEX86_BENCH_COMPUTE_H

#include "rt.h"

/* ---- SHA-256 (FIPS 180-4) ---- */
struct sha256 {
  u32 state[8];
  u64 bytes;
  u8 block[64];
};
void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, u32 n);
void sha256_end(struct sha256 *s, u8 digest[32]);

/* ---- a byte-oriented LZ77 in the manner of LZ4 ---- */
enum { LZ_TABLE = 4096 };
/* to must hold n + n / 128 + 16 bytes; returns the bytes used. */
u32 lz_compress(const u8 *from, u32 n, u8 *to, u32 table[LZ_TABLE]);
/* Returns the bytes written, or 0 if the input is damaged or the output would exceed room. */
u32 lz_expand(const u8 *from, u32 n, u8 *to, u32 room);
/* Data with repeats at many distances, a function of the seed alone. */
void compressible(u8 *to, u32 n, u32 seed);

/* ---- floating point ---- */
/* Steps of a planetary system of five bodies in SSE2 doubles; the state is a
 * function of the seed and the number of steps. */
struct bodies {
  double at[5][3], speed[5][3], mass[5];
};
void bodies_start(struct bodies *b, u32 seed);
void bodies_step(struct bodies *b, u32 steps);
/* The x87 unit with eight values on its stack, over and over: the result's 80 bits. */
void x87_series(u32 seed, u32 turns, u8 result[10]);

/* ---- an interpreter: bytecode of a sieve, one switch for each instruction ---- */
/* Returns the number of primes found below limit (at most 65536); instructions counts what ran. */
u32 interpret_sieve(u32 limit, u8 *flags, u32 *instructions);

#endif /* PLEX86_BENCH_COMPUTE_H */
