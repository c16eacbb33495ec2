#!/usr/bin/env bash
# support/alone.sh finds what a test leaves behind: each kind, and it alone.
set -euo pipefail
alone=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support/alone.sh")
folder=$(mktemp -d)
export ALONE_WAIT_S=2
trap 'rm -rf "$folder"' EXIT
unshare --net --pid --fork true 2>/dev/null || {
  echo "skipped: namespaces are refused here"
  exit 77
}
leaves() {  # REGEX, the script on standard input
  cat >"$folder/script"
  local code=0
  bash "$alone" "$folder/script" 2>"$folder/err" || code=$?
  if [ "$code" != "${want:-1}" ] || { [ -n "$1" ] && ! grep -Eq "$1" "$folder/err"; }; then
    echo "FAILED: exit code $code, expected ${want:-1} and a line that matches $1" >&2
    cat "$folder/err" >&2
    exit 1
  fi
}
leaves '^process [0-9]+: sleep 300' <<<'setsid sleep 300 & disown'
leaves '^shared memory: /dev/shm/part' <<<'echo 1 >/dev/shm/part'
leaves '^socket: tcp LISTEN .*:4711' <<'END'
python3 -c 'import os, socket, time
s = socket.socket(); s.bind(("127.0.0.1", 4711)); s.listen()
if os.fork() == 0: time.sleep(300)'
END
# Its own failure is what counts, with the rest beside it.
want=3
leaves '^shared memory: /dev/shm/part' <<<'echo 1 >/dev/shm/part; exit 3'
want=0
leaves '' <<<'sleep 1 & disown'
