# SPDX-License-Identifier: Apache-2.0
# Sourced by bench and soak with main=CLASS: compiles what is stale into target/, starts the class.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for tool in gcc make java javac taskset setpriv timeout; do
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
classes=$here/target/run/classes
if [ ! -d "$classes" ] || [ -n "$(find "$here/src/main/java" -newer "$classes" -print -quit)" ]; then
  rm -rf "$classes.new" && mkdir "$classes.new"
  find "$here/src/main/java" -name '*.java' -print0 |
    xargs -0 javac -Xlint:all -Werror --release 17 -d "$classes.new" 9>&- || exit 1
  rm -rf "$classes" && mv "$classes.new" "$classes" && touch "$classes"
fi
exec 9>&-
exec java -XX:TieredStopAtLevel=1 -Xmx256m -Dplex86.root="$(dirname "$here")" -cp "$classes" "$main" "$@"
