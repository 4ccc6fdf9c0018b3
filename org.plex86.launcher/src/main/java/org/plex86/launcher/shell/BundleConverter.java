// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.shell;

import org.apache.felix.service.command.Converter;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * Lets the commands that take a bundle ({@code start}, {@code stop}, {@code update}) be given its
 * number or its symbolic name. Gogo leaves that to its own shell, which is not used here.
 */
@Component(property = Converter.CONVERTER_CLASSES + "=org.osgi.framework.Bundle")
public final class BundleConverter implements Converter {
  private final BundleContext context;

  @Activate
  public BundleConverter(BundleContext context) {
    this.context = context;
  }

  /** The bundle; null, which lets Gogo say what it could not convert, if there is none such. */
  @Override
  public Object convert(Class<?> desiredType, Object in) {
    if (desiredType != Bundle.class) {
      return null;
    }
    String text = in.toString();
    for (Bundle bundle : context.getBundles()) {
      if (text.equals(Long.toString(bundle.getBundleId()))
          || text.equals(bundle.getSymbolicName())) {
        return bundle;
      }
    }
    return null;
  }

  /** Bundles are shown as Gogo does by itself. */
  @Override
  public CharSequence format(Object target, int level, Converter escape) {
    return null;
  }
}
