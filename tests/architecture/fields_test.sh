#!/usr/bin/env bash
# Every key sets the field of its own name: s.add("task.ways", &o.ways). Those
# that are called otherwise stand here.
#
#   fields_test.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"
otherwise='task.interpolate share
task.interpolate_low low
task.interpolate_high high
task.interpolate_draw draw'
# Formatted code may break a line between key and field.
found=$(cat src/*/options.cpp src/*/config.cpp | tr '\n' ' ' |
  grep -oE '\bs\.add\("[a-z0-9_.]+",[[:space:]]*&[a-z_.0-9]+' |
  sed -E 's/.*"([^"]+)",[[:space:]]*&(.*\.)?([a-z_0-9]+)$/\1 \3/')
[ "$(wc -l <<<"$found")" -gt 200 ] || { echo "only $(wc -l <<<"$found") keys found"; exit 1; }
broken=$(grep -vxF "$otherwise" <<<"$found" | awk '{
  word = $1; sub(/^[a-z]+\./, "", word)
  if (word != $2) print $1 " sets the field " $2
}')
[ -z "$broken" ] || { echo "$broken"; exit 1; }
