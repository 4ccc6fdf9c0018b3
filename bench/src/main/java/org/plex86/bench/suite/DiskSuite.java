// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.QemuTcg;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Tools;
import org.plex86.bench.subject.Workload;

/**
 * virtio-blk by fio, the same fio everywhere: raw and qcow2 under plex86 and QEMU, the host's file
 * by its page cache ({@code native}, what a VM's requests end in) and past it ({@code
 * native-direct}).
 */
public final class DiskSuite implements Suite {
  public static final String NAME = "disk";

  /** A measurement: its name, whether MB/s count (else operations), and fio's options. */
  private record Job(String name, boolean throughput, boolean writes, String options) {}

  private static final int SECONDS = 3;
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private static final List<Job> JOBS =
      List.of(
          new Job("disk_read_seq", true, false, "--rw=read --bs=1M --ioengine=libaio --iodepth=4"),
          new Job("disk_write_seq", true, true, "--rw=write --bs=1M --ioengine=libaio --iodepth=4"),
          new Job("disk_read_4k", false, false, "--rw=randread --ioengine=libaio --iodepth=32"),
          new Job("disk_write_4k", false, true, "--rw=randwrite --ioengine=libaio --iodepth=32"),
          new Job("disk_read_4k_1", false, false, "--rw=randread --ioengine=psync"),
          new Job("disk_write_4k_1", false, true, "--rw=randwrite --ioengine=psync"),
          new Job("disk_write_4k_fsync", false, true, "--rw=randwrite --ioengine=psync --fsync=1"));

  /** The measurements that an issue's promise is about. */
  public static List<String> promised() {
    return JOBS.stream().map(Job::name).toList();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    Tools tools;
    DiskImages images;
    List<Target> targets;
    try {
      tools = Tools.of(context.project());
      images = new DiskImages(context.project().target().resolve("disk"), context.results());
      targets = targets(context, tools, images);
    } catch (IOException e) {
      context.results().note("disk is left out: " + e.getMessage());
      return;
    }
    for (int repetition = 0; repetition < context.repetitions(); repetition++) {
      for (Target target : targets) {
        images.flush();
        System.err.printf(
            "bench: disk %d/%d %s%n", repetition + 1, context.repetitions(), target.name());
        measure(context.results(), target);
      }
    }
  }

  private static List<Target> targets(Context context, Tools tools, DiskImages images)
      throws IOException, InterruptedException {
    Path raw = images.raw();
    Optional<Path> qcow2 = images.qcow2(raw);
    List<Target> targets = new ArrayList<>();
    String inVm = Tools.MOUNT + "DISK=/dev/vdb DIRECT=1\n";
    for (Subject subject : context.subjects()) {
      if (subject.name().equals("native")) {
        String host = tools.onHost() + "DISK=" + raw + " DIRECT=";
        targets.add(new Target("native", subject, host + "0\n"));
        targets.add(new Target("native-direct", subject, host + "1\n"));
      } else if (subject instanceof Plex86 plex86) {
        targets.add(target(plex86(plex86, tools, raw, "raw"), inVm));
        qcow2.ifPresent(image -> targets.add(target(plex86(plex86, tools, image, "qcow2"), inVm)));
      } else if (subject instanceof QemuTcg qemu) {
        targets.add(target(qemu(qemu, tools, raw, "raw"), inVm));
        qcow2.ifPresent(image -> targets.add(target(qemu(qemu, tools, image, "qcow2"), inVm)));
      }
    }
    return targets;
  }

  private static Target target(Subject subject, String preamble) {
    return new Target(subject.name(), subject, preamble);
  }

  private static Subject plex86(Plex86 plex86, Tools tools, Path image, String format) {
    return plex86
        .named("-" + format)
        .with(
            "--disk",
            "file=" + tools.image() + ",readonly=on",
            "--disk",
            "file=" + image + ",format=" + format);
  }

  private static Subject qemu(QemuTcg qemu, Tools tools, Path image, String format) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("-drive", "file=" + image + ",id=d1,if=none,format=" + format));
    arguments.addAll(List.of("-drive", QemuTcg.toolsDrive(tools)));
    arguments.addAll(List.of("-device", "virtio-blk-device,drive=d0"));
    arguments.addAll(List.of("-device", "virtio-blk-device,drive=d1"));
    return qemu.with("-" + format, arguments);
  }

  private static String script(String preamble) {
    StringBuilder script = new StringBuilder(preamble);
    for (Job job : JOBS) {
      script.append(
          ("timeout %d $TOOLS/run fio --name=%s --filename=$DISK --direct=$DIRECT --size=%dM --bs=4k %s"
                  + " --runtime=%d --ramp_time=1 --time_based --invalidate=0 --thread"
                  + " --output-format=terse --terse-version=3 </dev/null || echo failed %s: $?\n")
              .formatted(
                  4 * SECONDS + 10,
                  job.name(),
                  DiskImages.MEGABYTES,
                  job.options(),
                  SECONDS,
                  job.name()));
    }
    return script.toString();
  }

  private static void measure(Results results, Target target)
      throws IOException, InterruptedException {
    try (ChildProcess instance =
        target.subject().start(Workload.of(script(target.preamble())), LIMIT)) {
      int status = target.subject().await(instance);
      if (status != 0) {
        results.note(
            "%s: disk: ended with status %d: %s"
                .formatted(target.name(), status, instance.lastWords()));
      }
      for (ChildProcess.Line line : instance.output()) {
        String text = line.text().strip();
        if (text.startsWith("failed ")) {
          results.note(target.name() + ": fio " + text + ": " + instance.lastWords());
        } else {
          Fio.parse(text).ifPresent(result -> record(results, target.name(), result));
        }
      }
    }
  }

  private static void record(Results results, String target, Fio result) {
    for (Job job : JOBS) {
      if (!job.name().equals(result.job())) {
        continue;
      }
      if (result.error() != 0) {
        results.note("%s: %s: error %d of fio".formatted(target, job.name(), result.error()));
      } else if (job.throughput()) {
        double kibibytes = job.writes() ? result.writeKib() : result.readKib();
        results.add(job.name(), Results.Unit.MEGABYTES_PER_SECOND, target, kibibytes * 1024 / 1e6);
      } else {
        double operations = job.writes() ? result.writes() : result.reads();
        results.add(job.name(), Results.Unit.PER_SECOND, target, operations);
      }
    }
  }
}
