# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of the plex86 script: runs every test and sums up.

# the longest that all tests together may take, in seconds
readonly test_limit=840

# The reports of one kind of test.
reports() {
  case $1 in
    unit) find "$root" -path '*/target/surefire-reports/TEST-*.xml' ;;
    in-container) find "$root"/org.plex86.itest/target -path '*/test-reports/*' -name 'TEST-*.xml' ;;
    whole-product) find "$root"/org.plex86.launcher.itest/target -path '*/failsafe-reports/TEST-*.xml' ;;
  esac 2>/dev/null
}

# sum FILE... : passed, failed and skipped of JUnit XML reports
sum() {
  awk '
    function attribute(name) {
      return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) + 0 : 0
    }
    { buffer = buffer $0 " " }
    /<testsuite[ >]/ { inside = 1; buffer = $0 " " }
    inside && />/ {
      $0 = substr(buffer, index(buffer, "<testsuite"))
      sub(/>.*/, "")
      bad = attribute("failures") + attribute("errors")
      failed += bad
      skipped += attribute("skipped")
      passed += attribute("tests") - bad - attribute("skipped")
      inside = 0
      buffer = ""
    }
    END { print passed + 0, failed + 0, skipped + 0 }
  ' "$@"
}

# failures FILE... : class, name and first line of the message of each test that failed in JUnit XML reports
failures() {
  awk '
    function attribute(name) {
      return match($0, " " name "=\"[^\"]*") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : ""
    }
    /<testcase[ >]/ { test = attribute("classname") "." attribute("name") }
    /<(failure|error)[ >]/ && test != "" {
      message = attribute("message")
      sub(/&#10;.*/, "", message)
      gsub(/&quot;/, "\"", message); gsub(/&lt;/, "<", message); gsub(/&gt;/, ">", message); gsub(/&amp;/, "\\&", message)
      print "failed: " test (message == "" ? "" : ": " message)
      test = ""
    }
  ' "$@"
}

# summary STATUS : the closing line; fails when a test failed or a kind of test did not run
summary() {
  local status=$1 kind files p f s passed=0 failed=0 skipped=0
  for kind in unit in-container whole-product; do
    mapfile -t files < <(reports "$kind")
    if [[ ${#files[@]} -eq 0 ]]; then
      say "no $kind test ran"
      status=1
      continue
    fi
    read -r p f s < <(sum "${files[@]}")
    # by name and last of all, for whoever has only the end of a long output
    [[ $f -eq 0 ]] || failures "${files[@]}"
    echo "$kind: $p passed, $f failed, $s skipped"
    ((p + f + s > 0)) || status=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  done
  [[ $failed -eq 0 ]] || status=1
  [[ $status -eq 0 ]] || say "not all is well: see the lines above"
  echo "$passed passed, $failed failed, $skipped skipped"
  return "$status"
}

run_tests() {
  local status=0
  . "$root/cnf/bin/format.sh"
  make_cache
  need_tree
  need_build_tools
  # here rather than in Maven, where its progress would not be seen
  guest_image
  touch "$stamp.new"
  # results of an earlier run must not be counted
  find "$root" \( -path '*/target/surefire-reports' -o -path '*/target/failsafe-reports' -o -path '*/target/test-reports' \) \
    -prune -exec rm -rf {} +
  # a failed test does not keep those of other kinds from running: the summary counts it
  # SIGINT is ignored in what a script starts in the background, and so would be in the processes that tests send it to
  JAVA_HOME=$jdk env --default-signal=INT,QUIT timeout --kill-after=30 "$test_limit" mvn -B -ntp -Dstyle.color=never -f "$root/pom.xml" \
    --fail-at-end -Dmaven.test.failure.ignore=true -Dspotless.check.skip=true verify </dev/null || status=$?
  if [[ $status -eq 124 ]]; then say "the tests took more than $test_limit s and were ended"; fi
  # what was packaged is what the sources are: no build is needed before the next run
  if [[ $jar -nt $stamp.new ]]; then mv "$stamp.new" "$stamp"; fi
  format --check || status=1
  summary "$status"
}
