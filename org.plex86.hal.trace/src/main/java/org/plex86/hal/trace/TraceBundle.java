// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.ChannelInterposer;

/**
 * Offers the tracer while the bundle is started, as its configuration says. Works without one: then
 * all net and disk channels are traced to the folder {@code plex86-trace} where the process was
 * started.
 */
@Component(configurationPid = TraceBundle.PID)
public final class TraceBundle {
  /** The configuration's name. */
  public static final String PID = "org.plex86.hal.trace";

  /** What the configuration says; several values are separated by commas. */
  @interface Settings {
    /** Where the files go; it is made if it is not there. */
    String directory() default "plex86-trace";

    /** The types of channels that are traced; others than devices of disk and net are let pass. */
    String type() default "net,disk";

    /** The machines that are traced; none: all. */
    String vm() default "";

    /** The channels that are traced; none: all. */
    String channel() default "";

    /** How many bytes of a frame are kept, 64 to 262144. */
    int snaplen() default 65_535;
  }

  private static final int SNAPLEN_LEAST = 64;
  private static final int SNAPLEN_MOST = 262_144;

  private final TraceFolder folder;
  private final ServiceRegistration<ChannelInterposer> registration;

  /** Called by DS, again after each change of the configuration. */
  @Activate
  public TraceBundle(BundleContext context, Settings settings) {
    folder = new TraceFolder(Path.of(settings.directory()).toAbsolutePath());
    int snaplen = Math.max(SNAPLEN_LEAST, Math.min(SNAPLEN_MOST, settings.snaplen()));
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, texts(settings.type()));
    // next to the guest, so that what other interposers do to it is in the trace
    properties.put(Constants.SERVICE_RANKING, Integer.MAX_VALUE);
    if (!settings.vm().isBlank()) {
      properties.put(ChannelInterposer.VM, texts(settings.vm()));
    }
    if (!settings.channel().isBlank()) {
      properties.put(ChannelInterposer.CHANNEL, texts(settings.channel()));
    }
    registration =
        context.registerService(ChannelInterposer.class, new Tracer(folder, snaplen), properties);
  }

  private static String[] texts(String list) {
    return list.strip().split("\\s*,\\s*");
  }

  /** Called by DS. Returns when no channel is traced any more. */
  @Deactivate
  public void close() {
    registration.unregister();
    folder.close();
  }
}
