# SPDX-License-Identifier: Apache-2.0
# Sourced by bench and soak with main=CLASS: compiles what is stale into target/, starts the class.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for tool in gcc make java javac jar taskset setpriv timeout; do
  if ! command -v "$tool" >/dev/null; then
    echo "bench: $tool is not installed: apt-get install gcc make default-jdk-headless util-linux coreutils" >&2
    exit 1
  fi
done

# One at a time, and whole or not at all: the classes appear under their name when they are complete.
mkdir -p "$here/target/run"
exec 9>"$here/target/lock"
flock 9
make -s -C "$here/programs" OUT="$here/target/programs" 9>&- || exit 1
# The bundle that replaces drivers is compiled against OSGi and the API of the product's jar.
product=$here/../org.plex86.launcher/target/plex86.jar
api=$here/target/run/org.plex86.hal.api.jar
[ -f "$product" ] || "$here/../plex86" build 9>&- || exit 1
if [ ! "$api" -nt "$product" ]; then
  rm -rf "$here/target/run/unpacked" && mkdir "$here/target/run/unpacked"
  if ! (cd "$here/target/run/unpacked" && jar xf "$product" bundles/org.plex86.hal.api.jar); then
    echo "bench: $product is damaged; remove it and run: ./plex86 build" >&2
    exit 1
  fi
  mv "$here/target/run/unpacked/bundles/org.plex86.hal.api.jar" "$api" && touch "$api"
fi
classes=$here/target/run/classes
if [ ! -d "$classes" ] || [ -n "$(find "$here/src/main/java" -newer "$classes" -print -quit)" ]; then
  rm -rf "$classes.new" && mkdir "$classes.new"
  find "$here/src/main/java" -name '*.java' -print0 |
    xargs -0 javac -Xlint:all,-classfile,-processing -Werror --release 17 -cp "$product:$api" -d "$classes.new" 9>&- || exit 1
  rm -rf "$classes" && mv "$classes.new" "$classes" && touch "$classes"
fi
exec 9>&-
exec java -XX:TieredStopAtLevel=1 -Xmx256m -Dplex86.root="$(dirname "$here")" -cp "$classes" "$main" "$@"
