/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a guest: by its own wish, by its own fault, or because the nexus cannot go on. */
#include "nexus.h"

/*
 * Says why in the control page and exits; the supervisor ends the other
 * processes.  Status 0 tells it that the guest ended, not that a process died.
 */
void end_vm(u32 reason, const char *format, ...)
{
  static char buffer[sizeof CONTROL->end.text];
  struct text text = {buffer, sizeof buffer, 0};
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  text_append_list(&text, format, arguments);
  __builtin_va_end(arguments);
  if (reason == END_TRIPLE_FAULT || reason == END_NEXUS)
    text_append(&text,
      " (eip %08x esp %08x eflags %08x cpl %u if %u cr2 %08x cr3 %08x eax %08x ebx %08x"
      " ecx %08x edx %08x esi %08x edi %08x ebp %08x)",
      REGS.eip, REGS.gpr[ESP], REGS.eflags, VM->cpl, DATA(PLEX86_VIF) ? 1u : 0u, DATA(PLEX86_CR2), DATA(PLEX86_CR3),
      REGS.gpr[EAX], REGS.gpr[EBX], REGS.gpr[ECX], REGS.gpr[EDX], REGS.gpr[ESI], REGS.gpr[EDI], REGS.gpr[EBP]);
  for (u32 i = 0; i < text.length; i++)
    CONTROL->end.text[i] = buffer[i];
  CONTROL->end.length = text.length;
  __atomic_store_n(&CONTROL->end.reason, reason, __ATOMIC_SEQ_CST);
  monitor_ring();
  sys_exit(0);
}
