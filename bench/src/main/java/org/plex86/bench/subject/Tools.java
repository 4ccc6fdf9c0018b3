// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.plex86.bench.host.Project;

/**
 * The tools image of guest/build: fio, iperf3 and others for i386, the same files as an image for
 * VMs and as a folder for the host. Built here if it was not yet.
 *
 * @param image an ext4 image
 * @param folder its content; {@code folder/run NAME} runs a program of it
 */
public record Tools(Path image, Path folder) {
  /** What a script does first in a VM whose first disk is the image: TOOLS names the folder. */
  public static final String MOUNT =
      "mkdir -p /tools && mount -t ext4 -o ro /dev/vda /tools || exit 90\nTOOLS=/tools\n";

  /**
   * The image of this checkout.
   *
   * @throws IOException it cannot be built; the reason is one line
   */
  public static Tools of(Project project) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(project.root() + "/guest/build", "--print-tools")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String answer =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(
          "the tools image (fio, iperf3 for i386) is missing; see above, and try: guest/build --tools");
    }
    Path folder = Path.of(answer);
    return new Tools(folder.resolve("tools.img"), folder.resolve("root"));
  }

  /** The command line's first words that run a program of the folder on the host. */
  public String run() {
    return folder.resolve("run").toString();
  }

  /** The same as {@link #MOUNT} for a script on the host. */
  public String onHost() {
    return "TOOLS=" + folder + "\n";
  }
}
