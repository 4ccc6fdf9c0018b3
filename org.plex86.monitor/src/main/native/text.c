/* SPDX-License-Identifier: Apache-2.0 */
/* Text in fixed buffers, and what the compiler expects of a C library. */
#include "nexus.h"

void *memcpy(void *to, const void *from, unsigned long count)
{
  void *start = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return start;
}

void *memset(void *at, int value, unsigned long count)
{
  void *start = at;
  asm volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(value) : "memory");
  return start;
}

u32 text_length(const char *text)
{
  u32 length = 0;
  while (text[length])
    length++;
  return length;
}

static void append_char(struct text *text, char c)
{
  if (text->length + 1 < text->size) {
    text->at[text->length++] = c;
    text->at[text->length] = 0;
  }
}

static void append_number(struct text *text, u64 value, u32 base, u32 width)
{
  char digits[20];
  u32 count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  while (width-- > count)
    append_char(text, '0');
  while (count)
    append_char(text, digits[--count]);
}

/* %s, %u and %x (u32), %lu and %lx (u64), %0Nx with one digit N. */
void text_append_list(struct text *text, const char *format, __builtin_va_list arguments)
{
  for (; *format; format++) {
    if (*format != '%') {
      append_char(text, *format);
      continue;
    }
    format++;
    u32 width = 0;
    if (*format == '0') {
      width = (u32)(format[1] - '0');
      format += 2;
    }
    if (*format == 's') {
      const char *s = __builtin_va_arg(arguments, const char *);
      while (*s)
        append_char(text, *s++);
      continue;
    }
    int wide = *format == 'l';
    if (wide)
      format++;
    u64 value = wide ? __builtin_va_arg(arguments, u64) : __builtin_va_arg(arguments, u32);
    append_number(text, value, *format == 'x' ? 16 : 10, width);
  }
}

void text_append(struct text *text, const char *format, ...)
{
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  text_append_list(text, format, arguments);
  __builtin_va_end(arguments);
}
