/* SPDX-License-Identifier: Apache-2.0 */
/* 64-bit code for a guest's user program, which a far call to the host's selector of such code gets it. */
#ifndef PLEX86_ATTACKS_H
#define PLEX86_ATTACKS_H

#include "check.h"

/* What 64-bit code is given, and gives back in result (of a system call: not 0 once it is made). Offsets: attack64.S. */
struct wide {
  u64 result;
  u64 number, argument[6]; /* of a system call; argument 0 is also the address of all else */
  u64 value;
  u64 stack; /* 0: that of the program */
};

/* 64-bit functions of attack64.S. */
void wide_syscall(void); /* the instruction here */
void wide_int80(void);
void wide_jump_to_syscall(void); /* value: the address of such an instruction, behind which nothing is known */
void wide_read(void); /* a u64 */
void wide_write(void); /* value to the u64 */
void wide_write_back(void); /* what is there */
void wide_scan(void); /* value: from argument 0, up to argument 1, in steps of 8; result: where, or 0 */
void wide_fill(void); /* argument 1: bytes */
void wide_fill_and_spin(void); /* without end */
void wide_spin(void);
void wide_undefined(void); /* on another stack */
void wide_set_registers(void); /* all that 32-bit code does not have */
void wide_get_registers(void); /* result: how many of them are as value */
void wide_pkru(void); /* wrpkru of value */

/* Calls it by the far call. */
void call_wide(void (*function)(void), struct wide *wide);

#endif /* PLEX86_ATTACKS_H */
