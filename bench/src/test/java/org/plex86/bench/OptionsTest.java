// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void measuresAllSetsButTheSpecificationByDefault() throws Options.UsageException {
    Options options = Options.parse();
    assertThat(options.names()).containsExactly("cpu", "boot", "exec", "idle");
    assertThat(options.repetitions()).isEqualTo(5);
    assertThat(options.subjects()).containsExactlyInAnyOrder("native", "plex86", "qemu-tcg", "uml");
  }

  @Test
  void takesSetsSingleMeasurementsAndOptionsInAnyOrder() throws Options.UsageException {
    Options options =
        Options.parse("--repeat", "9", "spec", "--json", "getppid_vdso", "--subjects", "native");
    assertThat(options.names()).containsExactly("spec", "getppid_vdso");
    assertThat(options.repetitions()).isEqualTo(9);
    assertThat(options.json()).isTrue();
    assertThat(options.subjects()).containsExactly("native");
  }

  @Test
  void rejectsWhatItDoesNotKnow() {
    assertThatThrownBy(() -> Options.parse("cpus")).hasMessageContaining("'cpus'");
    assertThatThrownBy(() -> Options.parse("--repeat", "0")).hasMessageContaining("1 to 100");
    assertThatThrownBy(() -> Options.parse("--repeat")).hasMessageContaining("needs a value");
    assertThatThrownBy(() -> Options.parse("--subjects", "kvm"))
        .hasMessageContaining("'kvm' is not one of native plex86 qemu-tcg uml");
  }
}
