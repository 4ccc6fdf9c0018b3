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

  /** fio writes blocks with checksums and reads them again. */
  public static StormLoad disk(Tools tools, Path image, int seconds) {
    String script =
        Tools.MOUNT
            + """
            n=0; bad=0
            end=$(($(date +%%s) + %d))
            while [ "$(date +%%s)" -lt $end ]; do
              for mode in randwrite write; do
                timeout 60 $TOOLS/run fio --name=verify --filename=/dev/vdb --direct=1 --ioengine=libaio \
                  --iodepth=16 --rw=$mode --bsrange=4k-1M --size=96M --verify=crc32c --verify_fatal=1 \
                  --do_verify=1 --randseed=$n --thread --output-format=terse --terse-version=3 \
                  >/tmp/fio 2>&1 </dev/null || { bad=$((bad+1)); echo "FAIL fio $mode: $(grep -v '^3;' /tmp/fio | head -n 3)"; }
                n=$((n+1))
              done
            done
            dmesg | grep -i 'I/O error' | head -n 3
            echo "load-end $n $bad"
            sleep 2
            """
                .formatted(seconds);
    return new StormLoad(
        "disk", "disk1", diskOptions(tools, image), script, List.of(), null);
  }

  private static List<String> diskOptions(Tools tools, Path image) {
    return List.of(
        "--disk", "file=" + tools.image() + ",readonly=on", "--disk", "file=" + image);
  }

  /** One byte there and back, numbered, beside a stream in both directions. */
  public static StormLoad net(Tools tools, Path client, int iperf, int echo, int seconds) {
    String script =
        Tools.MOUNT
            + """
            ip link set lo up; ip link set eth0 up
            ip addr add 10.0.2.15/24 dev eth0 2>/dev/null; ip route add default via 10.0.2.2 2>/dev/null
            timeout %d $TOOLS/run iperf3 --client 10.0.2.2 --port %d --time %d --bidir --format m >/tmp/iperf 2>&1 </dev/null &
            bulk=$!
            timeout %d ./tcprr 10.0.2.2 %d %d >/tmp/rr 2>&1 </dev/null; status=$?
            bad=0
            if [ $status != 0 ]; then bad=1; echo "FAIL tcprr status $status: $(cat /tmp/rr)"; fi
            wait $bulk || { bad=$((bad+1)); echo "FAIL iperf3: $(tail -n 1 /tmp/iperf)"; }
            n=$(sed -n 's/.*tcp_rr_wrong [0-9]* of //p' /tmp/rr)
            echo "load-end ${n:-0} $bad"
            sleep 2
            """
                .formatted(seconds + 30, iperf, seconds, seconds + 30, echo, seconds);
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
        "console",
        "console0",
        List.of("--console", "file:" + stream),
        script,
        List.of(),
        stream);
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
