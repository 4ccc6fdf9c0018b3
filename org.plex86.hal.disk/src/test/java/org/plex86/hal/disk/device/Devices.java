// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.disk.image.DiskImage;

/** Devices over images of which a test decides how long they take. */
final class Devices {
  /** What an image does instead of, or around, one of its methods. */
  interface Behaviour {
    Object call(Method method, Object[] arguments) throws ReflectiveOperationException, IOException;
  }

  private Devices() {}

  /** A device without limits; its image stays open at its end. */
  static Channel channel(ChannelContext context, DiskImage image) {
    return new BlockChannel(
        context,
        image,
        new BlockSettings(true, 0, 0),
        new BlockChannel.Ending() {
          @Override
          public Map<String, Object> handOver() {
            return Map.of();
          }

          @Override
          public void close() {
            // whoever has opened the image does
          }
        });
  }

  /** An image with a behaviour of its own. */
  static DiskImage image(DiskImage image, Behaviour behaviour) {
    return (DiskImage)
        Proxy.newProxyInstance(
            image.getClass().getClassLoader(),
            new Class<?>[] {DiskImage.class},
            (proxy, method, arguments) -> {
              try {
                return behaviour.call(method, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() instanceof IOException cause ? cause : e;
              }
            });
  }
}
