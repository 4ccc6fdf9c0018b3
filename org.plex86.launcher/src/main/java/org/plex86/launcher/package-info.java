// SPDX-License-Identifier: Apache-2.0
/**
 * The {@code plex86} program: reads the command line, then boots an OSGi framework for a virtual
 * machine.
 *
 * <p>Two class loaders hold these packages. {@code cli}, {@code doctor} and {@code framework} are
 * outside of OSGi, on the class path of the runnable jar, so that help and usage errors need no
 * framework. {@code session} and {@code shell} are the launcher's bundle. The two sides meet in the
 * service registry by JDK types only, see {@link org.plex86.launcher.session.RunRequest}.
 */
package org.plex86.launcher;
