// SPDX-License-Identifier: Apache-2.0
/**
 * Virtual machines as OSGi services.
 *
 * <p>A factory configuration of {@link org.plex86.monitor.VmProperties#PID} makes a virtual
 * machine, and deleting it kills the machine and takes it away. Each is registered as a {@link
 * org.plex86.monitor.VirtualMachine} service with the properties {@code plex86.vm.name} and {@code
 * service.pid} (that of the configuration, by which whoever made it finds the machine).
 *
 * <p>A configuration that cannot work (an unknown property, memory out of range, a name that is
 * taken) makes no exception somewhere in the log only: its service appears in the state {@link
 * org.plex86.monitor.VmState#ENDED} with {@link org.plex86.monitor.VmEnd.Reason#START_FAILED} and
 * the message. Such a service has a negative ranking, so that a look-up by name prefers the machine
 * that holds the name.
 */
@org.osgi.annotation.bundle.Export
@org.osgi.annotation.versioning.Version("0.2.0")
package org.plex86.monitor;
