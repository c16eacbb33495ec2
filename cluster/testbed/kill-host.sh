#!/usr/bin/env bash
# Power off: the host is gone without a word to anybody, all processes with it.
#
#   cluster/testbed/kill-host.sh [--dir FOLDER] HOST
#
# boot-host.sh switches it on again.
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
need_host "${1:-}"
# The cable first: else the kernel would close connections politely.
in_hub ip link set "$1" down
alive "$bed/$1/init" || fail "$1 is down already"
kill -KILL "$pid"
