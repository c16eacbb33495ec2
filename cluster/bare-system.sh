#!/usr/bin/env bash
# Proves the two commands on a system that has nothing: makes a minimal Debian
# (git and certificates only) in a folder, clones this repository's HEAD into it,
# and runs launch/quickstart.sh and tests/run.sh there as root with an empty
# environment. Prints how long each took.
#
#   cluster/bare-system.sh [--suite NAME] [--mirror URL] [--keep] [--root FOLDER]
#                          [--only quickstart|tests] [--deb FILE]
#
#   --suite NAME   default: this machine's; another needs its --mirror
#   --keep         leaves the system behind and names its folder
#   --root FOLDER  goes on in one that --keep left, with HEAD as it is now
#   --deb FILE     in their place installs this package, without the clone, and
#                  trains and evaluates with what it brought. To make one:
#                    launch/build.sh --target protean -DPROTEAN_BUNDLE_LIBTORCH=ON
#                    (cd build && cpack -G DEB)
#
# Needs root, debootstrap, some 8 GB below BARE_FOLDER (default /var/tmp) and the
# network. Package sources, pip settings, proxies and certificates are those of
# this machine, copied in.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fail() {
  echo "bare-system.sh: error: $*" >&2
  exit 2
}

# shellcheck disable=SC1091
host_suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
suite=$host_suite
mirror=""
keep=no
root=""
only="quickstart tests"
deb=""
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=${2:?} && shift ;;
    --mirror) mirror=${2:?} && shift ;;
    --only) only=${2:?} && shift ;;
    --root) root=${2:?} && keep=yes && shift ;;
    --keep) keep=yes ;;
    --deb) deb=$(realpath "${2:?}") && only=deb && shift ;;
    *) fail "unknown argument \"$1\"; expected --suite, --mirror, --keep, --root, --only or --deb" ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || fail "needs root"

copy() {  # path on both sides, if it is here
  [ -e "$1" ] || return 0
  mkdir -p "$root$(dirname "$1")"
  cp -aL "$1" "$root$(dirname "$1")/" 2>/dev/null || true
}

first_mirror() {  # of this machine's package sources
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p
             s/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' | head -n 1 || true
}

make_system() {
  command -v debootstrap >/dev/null || fail "needs debootstrap (package debootstrap)"
  [ -n "$mirror" ] || mirror=$(first_mirror)
  [ -n "$mirror" ] || fail "no package source in /etc/apt; name one by --mirror"
  echo "making $suite in $root" >&2
  local begun path
  begun=$(date +%s)
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "debootstrap failed, its last words are above"
  }
  echo "bare system: $(($(date +%s) - begun)) s, $(du -sm "$root" | cut -f1) MiB"
  if [ "$suite" = "$host_suite" ]; then
    rm -f "$root/etc/apt/sources.list"
    copy /etc/apt/sources.list
    copy /etc/apt/sources.list.d
  fi
  for path in /etc/apt/apt.conf.d /etc/apt/keyrings /etc/apt/auth.conf.d /etc/resolv.conf /etc/hosts \
    /etc/pip.conf /root/.config/pip /etc/ssl/certs /usr/local/share/ca-certificates; do
    copy "$path"
  done
}

if [ -z "$root" ]; then
  root=$(mktemp -d "${BARE_FOLDER:-/var/tmp}/protean-bare.XXXXXX")
  chmod 755 "$root" # it becomes /, which every user enters
  clean() {
    rm -f "$root.log"
    if [ $keep = yes ]; then echo "kept: $root"; else rm -rf --one-file-system "$root"; fi
  }
  trap clean EXIT
  make_system
  git clone -q "$top" "$root/root/protean"
else
  git -C "$root/root/protean" fetch -q "$top" HEAD
  git -C "$root/root/protean" reset -q --hard FETCH_HEAD
fi
echo "commit $(git -C "$root/root/protean" rev-parse --short HEAD), $(nproc) cores"

# Only what reaches the network is passed on.
settings=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root)
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  [ -z "${!name:-}" ] || settings+=("$name=${!name}")
done
inside() {  # command, in namespaces of its own: its mounts and processes end with it
  # shellcheck disable=SC2016  # expanded inside
  unshare --mount --pid --fork --kill-child bash -c '
    root=$1; shift
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount -t tmpfs tmpfs "$root/dev" -o mode=755
    for node in null zero full random urandom; do
      touch "$root/dev/$node" && mount --bind "/dev/$node" "$root/dev/$node"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs tmpfs "$root/dev/shm"
    exec chroot "$root" env -i "$@"' bash "$root" "${settings[@]}" "$@" </dev/null
}

# shellcheck disable=SC2016  # expanded inside
try_package='cd
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ./protean.deb >/dev/null
  protean --version
  protean train --config /usr/share/protean/configs/omniglot/quickstart.ini --run.dir run --run.steps 60
  protean eval --run run --eval.tasks 100
  test -s /usr/share/man/man1/protean.1 -a -s /usr/share/bash-completion/completions/protean
  apt-get remove -y -q protean >/dev/null
  test ! -e /usr/bin/protean -a ! -e /usr/lib/protean'
for what in $only; do
  case $what in
    quickstart) command=launch/quickstart.sh ;;
    tests) command=tests/run.sh ;;
    deb)
      cp "$deb" "$root/root/protean.deb"
      rm -rf "$root/root/protean"
      command="$(basename "$deb")"
      ;;
    *) fail "--only \"$what\"; expected quickstart or tests" ;;
  esac
  begun=$(date +%s)
  rc=0
  if [ $what = deb ]; then
    inside bash -ec "$try_package" || rc=$?
  else
    inside bash -c "cd && cd protean && exec ./$command" || rc=$?
  fi
  echo "$command: $(($(date +%s) - begun)) s, exit code $rc"
  [ $rc = 0 ] || exit $rc
done
