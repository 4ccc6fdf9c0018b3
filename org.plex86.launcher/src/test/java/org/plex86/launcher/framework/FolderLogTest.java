// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FolderLogTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final FolderLog log = new FolderLog(new PrintStream(bytes, true, StandardCharsets.UTF_8));
  private final Logger logger = Logger.getLogger("fileinstall");

  @AfterEach
  void close() {
    log.close();
  }

  private String told() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void tellsTheInnermostReasonInOneLineOnce() {
    Exception thrown = new IllegalStateException("outer", new IOException("no zip\n  file"));
    for (int i = 0; i < 3; i++) {
      logger.log(Level.WARNING, "Failed to install artifact: /b/x.jar", thrown);
    }
    assertThat(told())
        .isEqualTo("plex86: --bundles: Failed to install artifact: /b/x.jar: no zip file\n");
  }

  @Test
  void keepsToItselfWhatGoesWell() {
    logger.log(Level.INFO, "Installed /b/x.jar");
    assertThat(told()).isEmpty();
  }

  @Test
  void isQuietAfterItsEnd() {
    log.close();
    logger.setUseParentHandlers(false);
    logger.log(Level.WARNING, "late");
    assertThat(told()).isEmpty();
  }
}
