/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to the monitor: exits and their answers, doorbells, early console output. */
#include "nexus.h"

#define VIRTIO_MMIO_INTERRUPT_STATUS 0x060 /* virtio 1.2, 4.2.2 */

/* Turns to spin for the answer to an exit: the monitor's thread often is awake (a driver probes). */
#define EXIT_SPIN 4000

void monitor_ring(void)
{
  __atomic_fetch_add(&CONTROL->bell, 1, __ATOMIC_SEQ_CST);
  if (CONTROL->bell_waiting)
    futex_wake(&CONTROL->bell);
}

int monitor_exit(u32 kind, u32 device, u32 offset, u32 size, u64 *value)
{
  volatile struct exit_record *exit = &CONTROL->exit;
  COUNT(exits);
  exit->kind = kind;
  exit->device = device;
  exit->offset = offset;
  exit->size = size;
  exit->fault = 0;
  exit->value = *value;
  __atomic_store_n(&exit->state, EXIT_REQUEST, __ATOMIC_SEQ_CST);
  monitor_ring();
  for (u32 i = 0; i < EXIT_SPIN && exit->state == EXIT_REQUEST; i++)
    cpu_relax();
  while (exit->state == EXIT_REQUEST)
    futex_wait(&exit->state, EXIT_REQUEST, NULL);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  exit->state = EXIT_NONE;
  *value = exit->value;
  return exit->fault != 0;
}

/* A kick of a device or queue that is not there does nothing; bit 31 is the monitor's own. */
void monitor_doorbell(u32 device, u32 queue)
{
  if (device >= PLEX86_MMIO_DEVICES || queue > 30)
    return;
  COUNT(doorbells);
  volatile struct doorbell *bell = &CONTROL->doorbell[device];
  u32 before = __atomic_fetch_or(&bell->bits, 1u << queue, __ATOMIC_SEQ_CST);
  if (!(before & 1u << queue) && bell->waiting)
    futex_wake(&bell->bits);
}

void monitor_acknowledge(u32 device, u32 bits)
{
  if (device >= PLEX86_MMIO_DEVICES)
    return;
  volatile u32 *status =
    (volatile u32 *)(NEXUS_CONTROL + CONTROL_DEVICES + (u64)device * PAGE_SIZE + VIRTIO_MMIO_INTERRUPT_STATUS);
  __atomic_fetch_and(status, ~bits, __ATOMIC_SEQ_CST);
}

void monitor_log(u32 linear, u32 length)
{
  volatile u8 *ring = (volatile u8 *)(NEXUS_CONTROL + CONTROL_LOG);
  if (length > CONTROL_LOG_SIZE / 4)
    length = CONTROL_LOG_SIZE / 4;
  if (linear >= GUEST_TOP || length > GUEST_TOP - linear)
    return;
  u32 head = CONTROL->log_head;
  for (u32 i = 0; i < length; i++)
    ring[(head + i) % CONTROL_LOG_SIZE] = LINEAR8(linear + i);
  __atomic_store_n(&CONTROL->log_head, head + length, __ATOMIC_RELEASE);
  monitor_ring();
}
