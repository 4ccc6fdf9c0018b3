// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.subject.Tools;

/**
 * What a guest does with a channel while its drivers are replaced, so that a lost, a doubled or a
 * wrong byte shows. A script prints {@code load-up} when its servers are there, goes on until its
 * standard input ends, and ends with a line {@code load-end CHECKED WRONG}; lines before that which
 * begin with {@code load-told} are for people.
 *
 * @param type of the channels whose bundle is replaced
 * @param channel the name of the one that is watched
 * @param options of {@code plex86 run}
 * @param script what runs in the guest
 * @param files programs that the script takes with it
 * @param stream a console's output, numbered lines; null where there is none
 * @param host what the host does meanwhile
 */
record StormLoad(
    String type,
    String channel,
    List<String> options,
    String script,
    List<Path> files,
    Path stream,
    HostSide host) {
  /** Printed when the host may begin. */
  static final String READY = "load-up";

  private static final Pattern NUMBERED = Pattern.compile("n([0-9]+)\r*");

  StormLoad {
    options = List.copyOf(options);
    files = List.copyOf(files);
  }

  /** The end of standard input makes a file {@code stop}, and {@code running} false. */
  private static String untilStopped(int most) {
    return """
    exec 3<&0 </dev/null
    rm -f stop; (cat <&3 >/dev/null; : >stop) & exec 3<&-
    end=$(($(date +%%s) + %d))
    running() { [ ! -e stop ] && [ "$(date +%%s)" -lt $end ]; }
    """
        .formatted(most);
  }

  /**
   * fio's jobs write blocks of 4 KiB to 1 MiB with checksums to files of two file systems, and read
   * them again: at random places and one after another, with and without the guest's page cache.
   *
   * @param raw an image with an ext4
   * @param qcow2 another one
   * @param most seconds
   */
  static StormLoad disk(Tools tools, Path raw, Path qcow2, int most) {
    String script =
        Tools.MOUNT
            + untilStopped(most)
            + """
            mkdir -p /raw /qcow2
            mount -t ext4 /dev/vdb /raw && mount -t ext4 /dev/vdc /qcow2 || exit 91
            echo load-up
            n=0; bad=0
            while running; do
              for mode in randwrite write; do
                timeout 120 $TOOLS/run fio --name=verify --directory=/raw:/qcow2 --direct=$((n / 2 % 2)) --ioengine=libaio \
                  --iodepth=8 --numjobs=4 --rw=$mode --bsrange=4k-1M --size=24M --verify=crc32c --verify_fatal=1 \
                  --do_verify=1 --randseed=$((n + 1)) --end_fsync=1 --thread --group_reporting \
                  --output-format=terse --terse-version=3 >/tmp/fio 2>&1 </dev/null ||
                  { bad=$((bad+1)); echo "FAIL fio $mode: $(grep -v '^3;' /tmp/fio | head -n 3)"; }
                n=$((n+1))
              done
            done
            umount /raw || { bad=$((bad+1)); echo "FAIL umount raw"; }
            umount /qcow2 || { bad=$((bad+1)); echo "FAIL umount qcow2"; }
            dmesg | grep -i 'I/O error' | head -n 3
            echo "load-told $n runs of fio, 4 jobs of 24 MiB each, on raw and qcow2"
            echo "load-end $n $bad"
            sleep 2
            """;
    List<String> options = new ArrayList<>();
    for (String disk : List.of(tools.image() + ",readonly=on", raw.toString(), qcow2.toString())) {
      options.addAll(List.of("--disk", "file=" + disk));
    }
    return new StormLoad("disk", "disk1", options, script, List.of(), null, HostSide.IDLE);
  }

  /**
   * All at once over TCP, each compared with what a server on the host sends back: a byte there and
   * back, a stream without a pause, 200 connections with a byte now and then; and a server for ssh.
   *
   * @param files the client, and {@code key.pub}
   * @param ssh the port of the host that leads to the guest's server for ssh
   * @param echo the port of the server on the host
   * @param most seconds
   */
  static StormLoad net(Tools tools, List<Path> files, int ssh, int echo, int most, HostSide host) {
    String script =
        Tools.MOUNT
            + untilStopped(most)
            + """
            ip link set lo up; ip link set eth0 up
            ip addr add 10.0.2.15/24 dev eth0 2>/dev/null; ip route add default via 10.0.2.2 2>/dev/null
            $TOOLS/setup; mkdir -p /root/.ssh; cp key.pub /root/.ssh/authorized_keys
            chmod -R go= /root; chmod go-w /
            PATH=$TOOLS/bin:$PATH dropbear -R -E -p 22 2>/tmp/dropbear
            run() { timeout %1$d ./tcprr 10.0.2.2 %2$d %3$d "$@" </dev/null; }
            run stream >/tmp/stream 2>&1 & stream=$!
            run many 200 >/tmp/many 2>&1 & many=$!
            echo load-up
            run >/tmp/rr 2>&1 || echo "FAIL round trips: status $?: $(tail -n 2 /tmp/rr)" >/tmp/bad.1
            wait $stream || echo "FAIL stream: status $?: $(tail -n 2 /tmp/stream)" >/tmp/bad.2
            wait $many || echo "FAIL many: status $?: $(tail -n 2 /tmp/many)" >/tmp/bad.3
            sed 's/^/load-told /' /tmp/rr /tmp/stream; tail -n 1 /tmp/many | sed 's/^/load-told /'
            cat /tmp/bad.* 2>/dev/null
            n=$(sed -n 's/.*tcp_rr_wrong [0-9]* of //p' /tmp/rr)
            echo "load-end ${n:-0} $(ls /tmp/bad.* 2>/dev/null | wc -l)"
            sleep 2
            """
                .formatted(most + 60, echo, most);
    List<String> options =
        List.of(
            "--disk",
            "file=" + tools.image() + ",readonly=on",
            "--net",
            "user,forward=tcp:127.0.0.1:" + ssh + ":22");
    return new StormLoad("net", "net0", options, script, files, null, host);
  }

  /**
   * Numbered lines on the console, which is a file.
   *
   * @param most seconds
   */
  static StormLoad console(Path stream, int most) {
    String script =
        untilStopped(most)
            + """
            n=0
            echo load-up
            while running; do
              awk -v from=$n 'BEGIN { for (i = 1; i <= 3000; i++) print "n" from + i }' >/dev/hvc0
              n=$((n+3000)); usleep 20000
            done
            echo "load-told $n numbered lines"
            echo "load-end $n 0"
            sleep 2
            """;
    return new StormLoad(
        "console",
        "console0",
        List.of("--console", "file:" + stream),
        script,
        List.of(),
        stream,
        HostSide.IDLE);
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
