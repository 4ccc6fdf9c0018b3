// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.subject.Tools;

/**
 * What a guest does with a channel while its drivers are replaced, so that a lost, a doubled or a
 * wrong byte shows. A script ends with a line {@code load-end CHECKED WRONG}.
 *
 * @param type of the channels whose bundle is replaced
 * @param channel the name of the one that is watched
 * @param options of {@code plex86 run}
 * @param script what runs in the guest
 * @param files programs that the script takes with it
 * @param stream a console's output, numbered lines; null where there is none
 */
public record StormLoad(
    String type,
    String channel,
    List<String> options,
    String script,
    List<Path> files,
    Path stream) {
  private static final Pattern NUMBERED = Pattern.compile("n([0-9]+)\r*");

  public StormLoad {
    options = List.copyOf(options);
    files = List.copyOf(files);
  }

  /** fio's jobs write blocks of 4 KiB to 1 MiB with checksums to files and read them again. */
  public static StormLoad disk(Tools tools, Path image, int seconds) {
    String script =
        Tools.MOUNT
            + """
            mkdir -p /data; mount -t ext4 /dev/vdb /data || exit 91
            n=0; bad=0
            end=$(($(date +%%s) + %d))
            while [ "$(date +%%s)" -lt $end ]; do
              for mode in randwrite write; do
                timeout 90 $TOOLS/run fio --name=verify --directory=/data --direct=$((n / 2 %% 2)) --ioengine=libaio \
                  --iodepth=8 --numjobs=3 --rw=$mode --bsrange=4k-1M --size=24M --verify=crc32c --verify_fatal=1 \
                  --do_verify=1 --randseed=$((n + 1)) --end_fsync=1 --thread --group_reporting \
                  --output-format=terse --terse-version=3 >/tmp/fio 2>&1 </dev/null ||
                  { bad=$((bad+1)); echo "FAIL fio $mode: $(grep -v '^3;' /tmp/fio | head -n 3)"; }
                n=$((n+1))
              done
            done
            umount /data || { bad=$((bad+1)); echo "FAIL umount"; }
            dmesg | grep -i 'I/O error' | head -n 3
            echo "load-end $n $bad"
            sleep 2
            """
                .formatted(seconds);
    return new StormLoad("disk", "disk1", diskOptions(tools, image), script, List.of(), null);
  }

  private static List<String> diskOptions(Tools tools, Path image) {
    return List.of("--disk", "file=" + tools.image() + ",readonly=on", "--disk", "file=" + image);
  }

  /**
   * All at once over TCP, each compared with what a server on the host sends back: a byte there and
   * back, a stream without a pause, 200 connections with a byte now and then.
   */
  public static StormLoad net(Tools tools, Path client, int port, int seconds) {
    String script =
        Tools.MOUNT
            + """
            ip link set lo up; ip link set eth0 up
            ip addr add 10.0.2.15/24 dev eth0 2>/dev/null; ip route add default via 10.0.2.2 2>/dev/null
            run() { timeout %1$d ./tcprr 10.0.2.2 %2$d %3$d "$@" </dev/null; }
            run stream >/tmp/stream 2>&1 & stream=$!
            run many 200 >/tmp/many 2>&1 & many=$!
            run >/tmp/rr 2>&1 || echo "FAIL session: status $?: $(tail -n 2 /tmp/rr)" >/tmp/bad.1
            wait $stream || echo "FAIL stream: status $?: $(tail -n 2 /tmp/stream)" >/tmp/bad.2
            wait $many || echo "FAIL many: status $?: $(tail -n 2 /tmp/many)" >/tmp/bad.3
            cat /tmp/rr /tmp/stream; tail -n 1 /tmp/many
            cat /tmp/bad.* 2>/dev/null
            n=$(sed -n 's/.*tcp_rr_wrong [0-9]* of //p' /tmp/rr)
            echo "load-end ${n:-0} $(ls /tmp/bad.* 2>/dev/null | wc -l)"
            sleep 2
            """
                .formatted(seconds + 60, port, seconds);
    List<String> options =
        List.of("--disk", "file=" + tools.image() + ",readonly=on", "--net", "user");
    return new StormLoad("net", "net0", options, script, List.of(client), null);
  }

  /** Numbered lines on the console, which is a file. */
  public static StormLoad console(Path stream, int seconds) {
    String script =
        """
        n=0
        end=$(($(date +%%s) + %d))
        while [ "$(date +%%s)" -lt $end ]; do
          awk -v from=$n 'BEGIN { for (i = 1; i <= 3000; i++) print "n" from + i }' >/dev/hvc0
          n=$((n+3000)); usleep 20000
        done
        echo "load-end $n 0"
        sleep 2
        """
            .formatted(seconds);
    return new StormLoad(
        "console", "console0", List.of("--console", "file:" + stream), script, List.of(), stream);
  }

  /** Numbered lines that are missing from 1 to {@code last}, or come twice, or in disorder. */
  long wrongLines(long last) throws IOException {
    long expected = 1;
    long wrong = 0;
    try (BufferedReader lines = Files.newBufferedReader(stream, StandardCharsets.ISO_8859_1)) {
      for (String line; (line = lines.readLine()) != null; ) {
        Matcher numbered = NUMBERED.matcher(line);
        if (numbered.matches()) {
          long number = Long.parseLong(numbered.group(1));
          wrong += Math.abs(number - expected);
          expected = number + 1;
        }
      }
    }
    return wrong + Math.abs(last + 1 - expected);
  }
}
