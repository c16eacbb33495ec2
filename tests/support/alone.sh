#!/usr/bin/env bash
# alone.sh SCRIPT ARGUMENTS...: the script on a host of its own (namespaces), which
# afterwards is looked at: 5 seconds after the end of a job nothing of it may be
# left, no process, no socket, no shared memory. Exit code: the script's, or 1 for
# what was left. Where namespaces are refused it runs without them, and says so.
set -euo pipefail

if [ $$ != 1 ]; then
  spaces=(unshare --mount --uts --ipc --net --pid --fork --kill-child --mount-proc)
  if "${spaces[@]}" true 2>/dev/null; then
    exec "${spaces[@]}" bash "${BASH_SOURCE[0]}" "$@"
  fi
  echo "namespaces are refused here: what this test leaves behind is not looked for" >&2
  exec bash "$@"
fi

mount -t tmpfs tmpfs /dev/shm
ip link set lo up
TMPDIR=$(mktemp -d)
export TMPDIR
left() {
  local pid name
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    [ "$pid" != 1 ] || continue
    # Not this script's own; a zombie is none either.
    name=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
    [ -z "$name" ] || [ "$pid" = "$BASHPID" ] || [[ $name == *"${BASH_SOURCE[0]}"* ]] ||
      echo "process $pid: $name"
  done
  # What is on its way to being forgotten is no connection.
  ss -Hxtuan | grep -v TIME-WAIT | sed 's/^/socket: /' || true
  find /dev/shm -mindepth 1 | sed 's/^/shared memory: /'
  ipcs -m | grep '^0x' | sed 's/^/shared memory: /' || true
  find "$TMPDIR" -type s | sed 's/^/socket: /'
}
status=0
bash "$@" || status=$?
wait_s=${ALONE_WAIT_S:-5}
for ((i = 0; i < wait_s * 5; ++i)); do
  rest=$(left)
  [ -n "$rest" ] || break
  sleep 0.2
done
rm -rf "$TMPDIR"
if [ -n "$rest" ]; then
  echo "FAILED: $wait_s s after its end the test has left:" >&2
  echo "$rest" >&2
  [ $status != 0 ] || status=1
fi
exit $status
