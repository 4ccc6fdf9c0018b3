// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.plex86.hal.api.HalException;

class InheritanceTest {
  /** Not of the JDK, as a class of a driver's bundle. */
  private static final class Foreign implements AutoCloseable {
    int closed;

    @Override
    public void close() {
      closed++;
    }
  }

  private final Lines lines = new Lines();
  private final SlotReport report = new SlotReport("echo0", lines);
  private final Inheritance inheritance = new Inheritance(report);

  private static final class Lines implements ChannelHost {
    final List<String> errors = new CopyOnWriteArrayList<>();

    @Override
    public String vmName() {
      return "vm";
    }

    @Override
    public void log(String channel, String line) {}

    @Override
    public void reportError(String channel, String message, Throwable cause) {
      errors.add(message);
    }

    @Override
    public void reportResult(String channel, int status) {}
  }

  /** A stream of the JDK that tells whether it was closed: its methods throw then. */
  private static boolean isOpen(InputStream stream) {
    try {
      stream.read();
      return true;
    } catch (java.io.IOException e) {
      return false;
    }
  }

  private static InputStream stream() {
    return InputStream.nullInputStream();
  }

  @Test
  void keepsWhatIsOfTheJdk() {
    InputStream stream = stream();
    inheritance.add("d 1", Map.of("a", stream, "b", new long[] {1}, "c", List.of(Path.of("x/y"))));
    assertThat(inheritance.offer()).containsOnlyKeys("a", "b", "c").containsEntry("a", stream);
    assertThat(lines.errors).isEmpty();
  }

  @Test
  void offersCopiesOnly() {
    inheritance.add("d 1", Map.of("a", 1));
    inheritance.offer().clear();
    assertThat(inheritance.offer()).containsOnlyKeys("a");
  }

  @Test
  void closesForeignObjectAndSaysSoOnce() {
    Foreign one = new Foreign();
    Foreign two = new Foreign();
    inheritance.add("d 1", Map.of("a", one));
    inheritance.add("d 1", Map.of("a", two));
    assertThat(inheritance.offer()).isEmpty();
    assertThat(one.closed).isOne();
    assertThat(two.closed).isOne();
    assertThat(lines.errors)
        .containsExactly(
            "d 1 handed over what cannot be kept: 'a' holds an object of "
                + Foreign.class.getName()
                + ", which is no class of the JDK");
  }

  @Test
  void findsForeignObjectsDeepDownAndClosesWhatIsBesideThem() {
    Foreign foreign = new Foreign();
    InputStream beside = stream();
    List<Object> cycle = new ArrayList<>(List.of(beside));
    cycle.add(cycle);
    cycle.add(new Object[] {Map.of("k", Optional.of(foreign))});
    inheritance.add("d 1", Map.of("a", cycle));
    assertThat(inheritance.offer()).isEmpty();
    assertThat(foreign.closed).isOne();
    assertThat(isOpen(beside)).isFalse();
  }

  @Test
  void refusesArraysOfForeignObjectsEvenWhenEmpty() {
    inheritance.add("d 1", Map.of("a", new Foreign[0]));
    assertThat(inheritance.offer()).isEmpty();
  }

  @Test
  void refusesLambdasAsTheyAreOfTheirBundlesLoader() {
    Runnable lambda = () -> {};
    inheritance.add("d 1", Map.of("a", lambda));
    assertThat(inheritance.offer()).isEmpty();
  }

  @Test
  void refusesKeysThatAreNoStrings() {
    InputStream stream = stream();
    inheritance.add("d 1", Collections.singletonMap(7, stream));
    inheritance.add("d 2", Collections.singletonMap(null, stream));
    assertThat(inheritance.offer()).isEmpty();
    assertThat(isOpen(stream)).isFalse();
    assertThat(lines.errors)
        .containsExactly(
            "d 1 handed over what cannot be kept: a key that is no string, of java.lang.Integer",
            "d 2 handed over what cannot be kept: a key that is no string, of null");
  }

  @Test
  void reportsNull() {
    inheritance.add("d 1", null);
    assertThat(lines.errors).containsExactly("d 1 handed over null: an empty map is due");
  }

  @Test
  void ofOneKeyTheLaterValueCountsAndTheEarlierIsClosed() {
    InputStream earlier = stream();
    InputStream later = stream();
    inheritance.add("d 1", Map.of("a", earlier));
    inheritance.add("d 2", Map.of("a", later));
    inheritance.add("d 2", Map.of("a", later));
    assertThat(inheritance.offer()).containsEntry("a", later);
    assertThat(isOpen(earlier)).isFalse();
    assertThat(isOpen(later)).isTrue();
  }

  @Test
  void whatWasTakenIsTheDriversAndTheRestIsClosed() {
    InputStream taken = stream();
    InputStream replaced = stream();
    InputStream left = stream();
    inheritance.add("d 1", Map.of("taken", taken, "replaced", replaced, "left", List.of(left)));
    Map<String, Object> offered = inheritance.offer();
    offered.remove("taken");
    offered.put("replaced", 1);
    offered.put("of the driver's own", 2);
    inheritance.taken(offered);
    assertThat(inheritance.offer()).containsOnlyKeys("left");
    inheritance.discard("d 2 did not take it");
    assertThat(List.of(isOpen(taken), isOpen(replaced), isOpen(left)))
        .containsExactly(true, true, false);
    assertThat(report.events())
        .extracting(SlotEvent::what)
        .containsExactly("closed what was handed over, d 2 did not take it: left");
  }

  @Test
  void nullValuesAreKeptAndTaken() {
    Map<String, Object> handed = new HashMap<>();
    handed.put("a", null);
    inheritance.add("d 1", handed);
    assertThat(inheritance.offer()).containsOnlyKeys("a");
    inheritance.taken(Map.of());
    assertThat(lines.errors).isEmpty();
  }

  @Test
  void whatCannotBeClosedIsReportedAndDoesNotKeepTheOthersOpen() throws HalException {
    OutputStream broken =
        new java.io.BufferedOutputStream(OutputStream.nullOutputStream()) {
          @Override
          public void close() throws java.io.IOException {
            throw new java.io.IOException("disk full");
          }
        };
    Foreign other = new Foreign();
    inheritance.add("d 1", Map.of("a", List.of(broken, other)));
    assertThat(other.closed).isOne();
    assertThat(lines.errors).contains("cannot close 'a', which was handed over");
  }
}
