// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.hal.api.HalException;

class ChannelSpecTest {
  @Test
  void keepsItsOwnKeysAndGivesTheDriverTheRest() throws HalException {
    ChannelSpec spec =
        ChannelSpec.parse(
            "type=disk,name=root,driver=org.x.disk:1.0.0,park=30,file=/a\\,b\\\\c=d,readonly=on");
    assertThat(spec.type()).isEqualTo("disk");
    assertThat(spec.name()).isEqualTo("root");
    assertThat(spec.driver()).isEqualTo("org.x.disk:1.0.0");
    assertThat(spec.park().errorsAfter()).contains(Duration.ofSeconds(30));
    assertThat(spec.config().values())
        .containsExactly(Map.entry("file", "/a,b\\c=d"), Map.entry("readonly", "on"));
    assertThat(spec.config().getSwitch("readonly", false)).isTrue();
    assertThat(spec.config().get("format", "raw")).isEqualTo("raw");
    assertThat(spec.withName("other").name()).isEqualTo("other");
  }

  @Test
  void nameAndDriverAndPolicyMayBeAbsent() throws HalException {
    ChannelSpec spec = ChannelSpec.parse("type=console");
    assertThat(spec.name()).isEmpty();
    assertThat(spec.driver()).isEmpty();
    assertThat(spec.park()).isEqualTo(ParkPolicy.WAIT);
    assertThat(spec.config().values()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                   | empty part",
        "type=console,        | empty part",
        "type=console,x       | 'x' is no key=value",
        "name=x               | has no type",
        "type=                | has no type",
        "type=a,type=b        | has the key 'type' twice",
        "type=a,k=1,k=2       | has the key 'k' twice",
        "type=a,name=a b      | use up to 64 letters",
        "type=a,park=soon     | park=soon: give wait, errors or a number of seconds",
        "type=a,park=9999999  | park=9999999",
        "type=a,x=y\\         | ends in a single backslash"
      })
  void saysWhatIsWrongWithTheText(String text, String reason) {
    assertThatThrownBy(() -> ChannelSpec.parse(text))
        .isInstanceOf(HalException.class)
        .hasMessageContaining(reason)
        .hasMessageNotContaining("\n");
  }

  @Test
  void namesTheUnknownKeyAndTheKnownOnes() throws HalException {
    ChannelSpec spec = ChannelSpec.parse("type=a,file=x,fromat=raw");
    assertThatThrownBy(() -> spec.config().requireKnown(Set.of("file", "format")))
        .hasMessage("unknown key 'fromat'; known are file, format");
    assertThatThrownBy(() -> spec.config().getSwitch("file", true))
        .hasMessage("file=x: give on or off");
  }

  @Property(tries = 300)
  void anyValueSurvivesWhenItIsEscaped(
      @ForAll Map<@AlphaChars @StringLength(min = 1, max = 8) String, String> values)
      throws HalException {
    Map<String, String> expected = new LinkedHashMap<>();
    StringBuilder text = new StringBuilder("type=t");
    values.forEach(
        (key, value) -> {
          String own = "k" + key;
          expected.put(own, value);
          text.append(',').append(own).append('=').append(value.replaceAll("[,\\\\]", "\\\\$0"));
        });
    assertThat(ChannelSpec.parse(text.toString()).config().values()).isEqualTo(expected);
  }
}
