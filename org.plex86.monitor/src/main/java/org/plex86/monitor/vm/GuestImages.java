// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.net.URL;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Version;
import org.osgi.framework.wiring.BundleRevision;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.boot.BootException;
import org.plex86.monitor.boot.BootFiles;
import org.plex86.monitor.control.ControlLayout;

/** Finds the guest images among the installed bundles. Any thread. */
final class GuestImages {
  /** A bundle that carries a kernel and an initial RAM disk. */
  private record GuestImage(Version version, URL kernel, URL initramfs) {}

  private final BundleContext context;

  GuestImages(BundleContext context) {
    this.context = context;
  }

  /**
   * The files of a machine: the user's own, or those of the guest image with the highest version.
   *
   * @throws BootException an image is needed and there is none
   */
  BootFiles files(VmConfig config) throws BootException {
    Path kernel = config.kernel().orElse(null);
    Path initrd = config.initrd().orElse(null);
    Optional<GuestImage> image = kernel != null ? Optional.empty() : best();
    if (kernel == null && image.isEmpty()) {
      throw new BootException(
          "no guest image is installed; install a bundle that provides the capability "
              + VmProperties.GUEST_NAMESPACE
              + " with abi="
              + ControlLayout.PLEX86_ABI_VERSION
              + ", or name a kernel");
    }
    return BootFiles.of(
        kernel,
        image.map(GuestImage::kernel).orElse(null),
        initrd,
        image.map(GuestImage::initramfs).orElse(null));
  }

  private Optional<GuestImage> best() {
    return Stream.of(context.getBundles())
        .flatMap(GuestImages::images)
        .max(Comparator.comparing(GuestImage::version));
  }

  private static Stream<GuestImage> images(Bundle bundle) {
    BundleRevision revision = bundle.adapt(BundleRevision.class);
    if (revision == null) {
      return Stream.empty();
    }
    return revision.getDeclaredCapabilities(VmProperties.GUEST_NAMESPACE).stream()
        .flatMap(capability -> image(bundle, capability.getAttributes()).stream());
  }

  private static Optional<GuestImage> image(Bundle bundle, Map<String, Object> attributes) {
    if (!String.valueOf(ControlLayout.PLEX86_ABI_VERSION)
        .equals(String.valueOf(attributes.get("abi")))) {
      return Optional.empty();
    }
    Version version =
        attributes.get("version") instanceof Version given ? given : bundle.getVersion();
    URL kernel = entry(bundle, attributes.get("kernel"));
    if (kernel == null) {
      return Optional.empty();
    }
    return Optional.of(new GuestImage(version, kernel, entry(bundle, attributes.get("initramfs"))));
  }

  private static URL entry(Bundle bundle, Object name) {
    return name instanceof String path ? bundle.getEntry(path) : null;
  }
}
