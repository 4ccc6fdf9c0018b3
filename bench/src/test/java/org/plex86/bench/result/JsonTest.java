// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
  @Test
  void writesObjectsListsNumbersAndStrings() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("name", "a");
    value.put("values", List.of(1, 2.5));
    value.put("holds", true);
    value.put("none", null);
    assertThat(Json.of(value))
        .isEqualTo("{\"name\":\"a\",\"values\":[1,2.5],\"holds\":true,\"none\":null}");
  }

  @Test
  void escapesWhatWouldEndAString() {
    assertThat(Json.of("a\"b\\c\nd")).isEqualTo("\"a\\\"b\\\\c\\u000ad\"");
  }

  @Test
  void hasNoNumberThatIsNotFinite() {
    assertThat(Json.of(Double.NaN)).isEqualTo("null");
  }
}
