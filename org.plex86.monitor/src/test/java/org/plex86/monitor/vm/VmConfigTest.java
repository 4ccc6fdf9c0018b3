// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.monitor.hal.ChannelSpec;

class VmConfigTest {
  private static VmConfig with(String key, Object value) throws VmConfigException {
    Map<String, Object> properties = new HashMap<>(Map.of("name", "vm1"));
    properties.put(key, value);
    return VmConfig.parse(properties);
  }

  @Test
  void nameIsEnough() throws VmConfigException {
    VmConfig config = VmConfig.parse(Map.of("name", "vm1"));
    assertThat(config.memory()).isEqualTo(256L << 20);
    assertThat(config.kernel()).isEmpty();
    assertThat(config.channels()).isEmpty();
    assertThat(config.autostart()).isFalse();
    assertThat(config.pin().isEmpty()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"268435456, 268435456", "24M, 25165824", "1G, 1073741824", "32768K, 33554432"})
  void memoryIsTakenAsText(String text, long bytes) throws VmConfigException {
    assertThat(with("memory", text).memory()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"23M", "4G", "-1", "lots", "9999999999999999999", "1T", "0x10"})
  void memoryThatIsNoSuchSizeIsRefused(String text) {
    assertThatThrownBy(() -> with("memory", text))
        .isInstanceOf(VmConfigException.class)
        .message()
        .contains("memory")
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "../x", "ü", "a\nb"})
  void nameThatIsNoneIsRefused(String name) {
    assertThatThrownBy(() -> VmConfig.parse(Map.of("name", name)))
        .isInstanceOf(VmConfigException.class);
    assertThatThrownBy(() -> VmConfig.parse(Map.of())).isInstanceOf(VmConfigException.class);
  }

  @Test
  void unknownKeyIsNamedTogetherWithTheKnownOnes() {
    assertThatThrownBy(() -> with("memmory", 1L))
        .hasMessageContaining("'memmory'")
        .hasMessageContaining(
            "append, autostart, channels, initrd, isolation, kernel, memory, name, pin");
  }

  @Test
  void isolationIsStrictOrShared() throws VmConfigException {
    assertThat(with("isolation", "strict").isolation()).isEqualTo(Isolation.STRICT);
    assertThat(with("isolation", "shared").isolation()).isEqualTo(Isolation.SHARED);
    assertThatThrownBy(() -> with("isolation", "STRICT"))
        .hasMessage("isolation 'STRICT' is not known; give strict or shared");
  }

  @Test
  void strictMachineHasASpaceLessForItsRelay() {
    assertThatThrownBy(
            () -> VmConfig.parse(Map.of("name", "vm", "isolation", "strict", "spaces", 64)))
        .hasMessage("spaces is 64, it must be from 2 to 63");
  }

  @Test
  void keysOfTheFrameworkAreNoMistake() throws VmConfigException {
    assertThat(with("service.factoryPid", "org.plex86.vm").name()).isEqualTo("vm1");
    assertThat(with("felix.fileinstall.filename", "file:/x").name()).isEqualTo("vm1");
  }

  @Test
  void valuesOfAWrongTypeAreRefused() {
    assertThatThrownBy(() -> with("autostart", "maybe")).hasMessageContaining("true or false");
    assertThatThrownBy(() -> with("channels", 7)).hasMessageContaining("a list of text");
    assertThatThrownBy(() -> with("kernel", "a\0b")).hasMessageContaining("a file name");
    assertThatThrownBy(() -> with("append", 7)).hasMessageContaining("append must be text");
    assertThatThrownBy(() -> with("spaces", 1)).hasMessageContaining("from 2 to 64");
    assertThatThrownBy(() -> with("spaces", 65)).hasMessageContaining("from 2 to 64");
  }

  @Test
  void channelsGetNamesByTypeAndNumber() throws VmConfigException {
    String[] channels = {"type=console", "type=disk,name=root", "type=disk", "type=console"};
    assertThat(with("channels", channels).channels())
        .extracting(ChannelSpec::name)
        .containsExactly("console0", "root", "disk1", "console1");
  }

  @Test
  void channelsOfOneNameAreRefused() {
    String[] channels = {"type=console,name=disk1", "type=disk", "type=disk"};
    assertThatThrownBy(() -> with("channels", channels))
        .hasMessageContaining("two channels are named 'disk1'");
  }

  @Test
  void moreChannelsThanDevicesAreRefused() throws VmConfigException {
    String[] channels = new String[31];
    Arrays.fill(channels, "type=console");
    assertThatThrownBy(() -> with("channels", channels)).hasMessageContaining("at most 30");
  }

  @Test
  void cpusAreReadAsTheKernelWritesThem() throws VmConfigException {
    BitSet cpus = new BitSet();
    cpus.set(0);
    cpus.set(2, 5);
    assertThat(with("pin", "0, 2-4").pin()).isEqualTo(cpus);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "1-", "3-1", "9999", "1,,2", "-1"})
  void listThatIsNoneIsRefused(String cpus) {
    assertThatThrownBy(() -> with("pin", cpus)).hasMessageContaining("no list of CPUs");
  }

  @Test
  void commandLineNamesTheDevicesAndEndsWithWhatTheUserSaid() {
    assertThat(CommandLine.of(2, " quiet "))
        .isEqualTo("virtio_mmio.device=4K@0xd0000000:2 virtio_mmio.device=4K@0xd0001000:3 quiet");
    assertThat(CommandLine.of(0, "")).isEmpty();
  }
}
