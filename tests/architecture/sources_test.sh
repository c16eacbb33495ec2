#!/usr/bin/env bash
# Tests are there: no source of tests is empty, every Catch2 source has a case, and
# its folder's CMakeLists.txt names it.
#   sources_test.sh TOP
set -euo pipefail
cd "$1/tests"
bad=0
complain() {
  echo "$1" >&2
  bad=1
}
while read -r file; do
  grep -q '[^[:space:]]' "$file" || complain "tests/$file is empty"
done < <(find . -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' \) -printf '%P\n')
while read -r file; do
  grep -q 'TEST_CASE(\|int main(' "$file" || complain "tests/$file has no test case"
  grep -qw "$(basename "$file")" "$(dirname "$file")/CMakeLists.txt" ||
    complain "tests/$file: $(dirname "$file")/CMakeLists.txt does not name it"
done < <(find . -type f -name '*_test.cpp' -printf '%P\n')
exit $bad
