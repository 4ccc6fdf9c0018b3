/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLEX86_TYPES_H
#define PLEX86_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

#define NULL ((void *)0)

#endif /* PLEX86_TYPES_H */
