/* SPDX-License-Identifier: Apache-2.0 */
#include "compute.h"

/* ---- SHA-256 ---- */

static const u32 round_constant[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
  0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
  0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
  0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
  0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static u32 rotate(u32 x, int n)
{
  return x >> n | x << (32 - n);
}

static void sha256_block(u32 state[8], const u8 *p)
{
  u32 w[64], a = state[0], b = state[1], c = state[2], d = state[3];
  u32 e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 16; i++, p += 4)
    w[i] = (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
  for (int i = 16; i < 64; i++) {
    u32 x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
  }
  for (int i = 0; i < 64; i++) {
    u32 t = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + round_constant[i] + w[i];
    u32 u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_start(struct sha256 *s)
{
  static const u32 initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(s->state, initial, sizeof initial);
  s->bytes = 0;
}

void sha256_add(struct sha256 *s, const void *data, u32 n)
{
  const u8 *p = data;
  u32 held = (u32)s->bytes & 63;
  s->bytes += n;
  if (held) {
    u32 part = n < 64 - held ? n : 64 - held;
    memcpy(s->block + held, p, part);
    p += part, n -= part, held += part;
    if (held < 64)
      return;
    sha256_block(s->state, s->block);
  }
  for (; n >= 64; n -= 64, p += 64)
    sha256_block(s->state, p);
  memcpy(s->block, p, n);
}

void sha256_end(struct sha256 *s, u8 digest[32])
{
  u64 bits = s->bytes * 8;
  u8 pad[72] = {0x80}, size[8];
  u32 held = (u32)s->bytes & 63;
  for (int i = 0; i < 8; i++)
    size[i] = (u8)(bits >> (56 - 8 * i));
  sha256_add(s, pad, held < 56 ? 56 - held : 120 - held);
  sha256_add(s, size, 8);
  for (int i = 0; i < 32; i++)
    digest[i] = (u8)(s->state[i / 4] >> (24 - 8 * (i & 3)));
}

/* ---- LZ77 ----
 * A stream of items: 0x00..0x7f: that many + 1 literal bytes follow;
 * 0x80..0xff: a copy of (that & 0x7f) + 4 bytes, then its distance (16 bits). */

static u32 load32(const u8 *p)
{
  u32 value;
  __builtin_memcpy(&value, p, 4);
  return value;
}

static u32 literals(const u8 *from, u32 n, u8 *to)
{
  u32 used = 0;
  while (n) {
    u32 part = n < 128 ? n : 128;
    to[used++] = (u8)(part - 1);
    for (u32 i = 0; i < part; i++)
      to[used + i] = from[i];
    used += part, from += part, n -= part;
  }
  return used;
}

u32 lz_compress(const u8 *from, u32 n, u8 *to, u32 table[LZ_TABLE])
{
  u32 used = 0, at = 0, kept = 0; /* kept: first byte not yet written */
  for (u32 i = 0; i < LZ_TABLE; i++)
    table[i] = ~0u;
  while (at + 4 <= n) {
    u32 word = load32(from + at), slot = (word * 2654435761u) >> 20, before = table[slot];
    table[slot] = at;
    if (before == ~0u || at - before > 0xffff || load32(from + before) != word) {
      at++;
      continue;
    }
    u32 same_bytes = 4;
    while (same_bytes < 131 && at + same_bytes < n && from[before + same_bytes] == from[at + same_bytes])
      same_bytes++;
    used += literals(from + kept, at - kept, to + used);
    to[used++] = (u8)(0x80 | (same_bytes - 4));
    to[used++] = (u8)(at - before);
    to[used++] = (u8)((at - before) >> 8);
    at += same_bytes;
    kept = at;
  }
  return used + literals(from + kept, n - kept, to + used);
}

u32 lz_expand(const u8 *from, u32 n, u8 *to, u32 room)
{
  u32 at = 0, out = 0;
  while (at < n) {
    u32 item = from[at++], count, distance;
    if (item < 0x80) {
      count = item + 1;
      if (count > n - at || count > room - out)
        return 0;
      for (u32 i = 0; i < count; i++)
        to[out++] = from[at++];
      continue;
    }
    count = (item & 0x7f) + 4;
    if (n - at < 2 || count > room - out)
      return 0;
    distance = from[at] | (u32)from[at + 1] << 8;
    at += 2;
    if (distance == 0 || distance > out)
      return 0;
    for (u32 i = 0; i < count; i++, out++)
      to[out] = to[out - distance];
  }
  return out;
}

void compressible(u8 *to, u32 n, u32 seed)
{
  u32 random = seed | 1, at = 0;
  while (at < n) {
    u32 r = next_random(&random), count = (r & 63) + 4;
    if (count > n - at)
      count = n - at;
    if (at > 256 && (r & 0x300)) { /* three of four runs repeat earlier bytes */
      u32 reach = at < 32768 ? at : 32768, back = 1 + (r >> 10) % reach;
      for (u32 i = 0; i < count; i++, at++)
        to[at] = to[at - back];
    } else {
      for (u32 i = 0; i < count; i++)
        to[at++] = (u8)(next_random(&random) >> 11);
    }
  }
}

/* ---- floating point ---- */

void bodies_start(struct bodies *b, u32 seed)
{
  u32 random = seed | 1;
  for (int i = 0; i < 5; i++) {
    b->mass[i] = i ? 0.001 + (double)(next_random(&random) & 0xfff) / 4e6 : 40.0;
    for (int k = 0; k < 3; k++) {
      b->at[i][k] = i ? (double)(next_random(&random) & 0xffff) / 4096.0 + 4.0 * i : 0.0;
      b->speed[i][k] = i ? (double)(next_random(&random) & 0xffff) / 65536.0 - 0.5 : 0.0;
    }
  }
}

void bodies_step(struct bodies *b, u32 steps)
{
  const double dt = 0.001;
  while (steps--) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double dx = b->at[i][0] - b->at[j][0], dy = b->at[i][1] - b->at[j][1], dz = b->at[i][2] - b->at[j][2];
        double square = dx * dx + dy * dy + dz * dz + 1e-6;
        double pull = dt / (square * __builtin_sqrt(square));
        double pi = pull * b->mass[i], pj = pull * b->mass[j];
        b->speed[i][0] -= dx * pj, b->speed[i][1] -= dy * pj, b->speed[i][2] -= dz * pj;
        b->speed[j][0] += dx * pi, b->speed[j][1] += dy * pi, b->speed[j][2] += dz * pi;
      }
    for (int i = 0; i < 5; i++)
      for (int k = 0; k < 3; k++)
        b->at[i][k] += dt * b->speed[i][k];
  }
}

void x87_series(u32 seed, u32 turns, u8 result[10])
{
  /* All eight registers hold live values through every turn, so that an FPU
   * state that is lost or mixed up in a process switch shows. */
  double start = 1.0 + (double)(seed & 0xffff) / 65536.0, step = 1.0 + (double)(seed >> 16) / 1048576.0;
  __asm__ volatile("fninit\n"
                   "  fldl %1\n" /* step */
                   "  fldl %2\n" /* x */
                   "  fld1\n  fldpi\n  fldl2e\n  fldln2\n  fldlg2\n"
                   "1: fadd %%st(5), %%st\n" /* each turn: st0 = (st0 + x) / step, then rotate the six */
                   "  fdiv %%st(6), %%st\n"
                   "  fxch %%st(1)\n"
                   "  fxch %%st(2)\n"
                   "  fxch %%st(3)\n"
                   "  fxch %%st(4)\n"
                   "  fxch %%st(5)\n"
                   "  fldpi\n"
                   "  fmulp %%st, %%st(1)\n"
                   "  fldl2t\n"
                   "  fdivrp %%st, %%st(1)\n"
                   "  decl %0\n"
                   "  jnz 1b\n"
                   "  faddp\n  faddp\n  faddp\n  faddp\n  faddp\n  faddp\n"
                   "  fstpt %3\n"
                   : "+r"(turns)
                   : "m"(start), "m"(step), "m"(*(u8(*)[10])result)
                   : "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
}

/* ---- an interpreter ---- */

enum { OP_SET, OP_ADD, OP_INC, OP_LOAD, OP_STORE, OP_JUMP_BELOW, OP_JUMP_ZERO, OP_JUMP, OP_END };
struct instruction {
  u8 op, a, b;
  u8 target;
};

u32 interpret_sieve(u32 limit, u8 *flags, u32 *instructions)
{
  /* r0 = i, r1 = j, r2 = count, r3 = limit, r4 = flag, r5 = 1 */
  static const struct instruction program[] = {
    {OP_SET, 0, 2, 0}, /* 0: i = 2 */
    {OP_SET, 2, 0, 0}, /* 1: count = 0 */
    {OP_SET, 5, 1, 0}, /* 2 */
    {OP_LOAD, 4, 0, 0}, /* 3: flag = flags[i] */
    {OP_JUMP_ZERO, 4, 0, 6}, /* 4: unmarked: a prime */
    {OP_JUMP, 0, 0, 15}, /* 5 */
    {OP_INC, 2, 0, 0}, /* 6: count++ */
    {OP_SET, 1, 0, 0}, /* 7: j = 2 * i */
    {OP_ADD, 1, 0, 0}, /* 8 */
    {OP_ADD, 1, 0, 0}, /* 9 */
    {OP_JUMP_BELOW, 1, 3, 12}, /* 10: while j < limit */
    {OP_JUMP, 0, 0, 15}, /* 11 */
    {OP_STORE, 5, 1, 0}, /* 12: flags[j] = 1 */
    {OP_ADD, 1, 0, 0}, /* 13: j += i */
    {OP_JUMP, 0, 0, 10}, /* 14 */
    {OP_INC, 0, 0, 0}, /* 15: i++ */
    {OP_JUMP_BELOW, 0, 3, 3}, /* 16: while i < limit */
    {OP_END, 0, 0, 0}, /* 17 */
  };
  u32 r[6] = {0, 0, 0, limit, 0, 0}, at = 0, ran = 0;
  memset(flags, 0, limit);
  for (;;) {
    const struct instruction *p = &program[at++];
    ran++;
    switch (p->op) {
    case OP_SET:
      r[p->a] = p->b;
      break;
    case OP_ADD:
      r[p->a] += r[p->b];
      break;
    case OP_INC:
      r[p->a]++;
      break;
    case OP_LOAD:
      r[p->a] = flags[r[p->b]];
      break;
    case OP_STORE:
      if (r[p->b] >= limit)
        goto end;
      flags[r[p->b]] = (u8)r[p->a];
      break;
    case OP_JUMP_BELOW:
      if (r[p->a] < r[p->b])
        at = p->target;
      break;
    case OP_JUMP_ZERO:
      if (r[p->a] == 0)
        at = p->target;
      break;
    case OP_JUMP:
      at = p->target;
      break;
    case OP_END:
      goto end;
    }
  }
end:
  *instructions = ran;
  return r[2];
}
