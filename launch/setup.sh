#!/usr/bin/env bash
# Installs what is missing: system packages and LibTorch. Quick when nothing is.
#
#   launch/setup.sh [--cpu | --cuda] [--no-tests] [--list]
#
#   --cuda      LibTorch with its CUDA libraries; the default where an NVIDIA
#               driver is seen. --cpu: without them, a third of the size.
#   --no-tests  does not ask for what only the tests need (Catch2), nor install
#               what some of them are skipped without (Slurm, as root)
#   --list      prints what a build needs, with package and module names, and
#               installs nothing
#
# System packages come from apt, as root or by sudo. Without either, or with
# PROTEAN_NO_ROOT=1, nothing is installed: compiler, MPI and libraries must then
# be in the environment (modules on a cluster), and what is not is listed.
# LIBTORCH_ROOT=DIR takes an installed LibTorch; else the wheels go to
# PROTEAN_DEPS (default: .deps at the top of the clone), whole or not at all.
#
# Exit codes: 0 all there, 1 an installation failed, 2 something is missing that
# this script may not install, or bad usage.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${PROTEAN_DEPS:-$top/.deps}
. "$top/launch/versions.sh"

say() { echo "setup: $*" >&2; }
fail() {  # code message
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
seconds_since() {  # ms -> "12.3"
  local ms=$(($(now_ms) - $1))
  printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}
at_least() {  # version oldest
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}
have() { command -v "$1" >/dev/null 2>&1; }

started=$(now_ms)
torch_set=auto
tests=yes
list=no
for arg in "$@"; do
  case $arg in
    --cpu) torch_set=cpu ;;
    --cuda) torch_set=cuda ;;
    --no-tests) tests=no ;;
    --list) list=yes ;;
    -h | --help)
      sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
    *) fail 2 "unknown argument \"$arg\"; expected --cpu, --cuda, --no-tests or --list" ;;
  esac
done
if [ "$torch_set" = auto ]; then
  torch_set=cpu
  if [ -e /proc/driver/nvidia/version ] || have nvidia-smi; then torch_set=cuda; fi
fi

# --- System packages ---------------------------------------------------------

# What a build needs, one row each: Debian packages | what it is | module that
# brings it on a cluster | probe, for a machine where the packages are absent.
requirements="\
g++|C++20 compiler (GCC >= $GCC_OLDEST or Clang >= $CLANG_OLDEST)|gcc|probe_compiler
cmake|CMake >= $CMAKE_OLDEST|cmake|probe_cmake
ninja-build|Ninja or Make|ninja|probe_tool ninja make
pkg-config|pkg-config|pkgconf|probe_tool pkg-config
openmpi-bin libopenmpi-dev|MPI 3: mpicxx and mpirun|openmpi or mpich|probe_mpi
libboost-program-options-dev|Boost.Program_options >= 1.71|boost|probe_library boost/program_options.hpp -lboost_program_options
nlohmann-json3-dev|nlohmann-json >= 3.9|nlohmann-json|probe_library nlohmann/json.hpp
libpng-dev|libpng|libpng|probe_library png.h -lpng
libjpeg-dev|libjpeg-turbo|libjpeg-turbo|probe_library jpeglib.h -ljpeg
zlib1g-dev|zlib|zlib|probe_library zlib.h -lz
libzip-dev|libzip|libzip|probe_library zip.h -lzip"
[ "$tests" = no ] || requirements+="
catch2|Catch2 2.13 or 3 (tests only)|catch2|probe_catch2"
# ccache and these only make life easier: installed by apt with the rest, never
# asked for.
comforts="ccache"
pip_packages="python3 python3-pip"
# Several hosts on this machine, which takes root; tests are skipped without.
test_bed="iproute2 procps util-linux slurm-client slurmctld slurmd munge"

row() { printf '%-46s package: %-30s module: %s\n' "$@"; }
if [ $list = yes ]; then
  while IFS='|' read -r packages what module _; do
    row "$what" "$packages" "$module"
  done <<<"$requirements"
  row "pip, to fetch LibTorch" "$pip_packages" python
  row "ccache (optional)" "$comforts" ccache
  exit 0
fi

compiler=${CXX:-g++}

probe_tool() {
  local tool
  for tool in "$@"; do have "$tool" && return 0; done
  return 1
}
probe_compiler() {
  have "${compiler%% *}" || return 1
  $compiler -std=c++20 -fsyntax-only -x c++ - >/dev/null 2>&1 <<EOF
#if defined(__clang__)
static_assert(__clang_major__ >= $CLANG_OLDEST);
#else
static_assert(__GNUC__ >= $GCC_OLDEST);
#endif
EOF
}
probe_cmake() {
  have cmake && at_least "$(cmake --version | sed -n '1s/.* //p')" "$CMAKE_OLDEST"
}
probe_mpi() { have mpicxx && { have mpirun || have srun; }; }

# Include and link flags for every prefix that CMake would look into.
prefix_flags() {
  local name prefix
  for name in CMAKE_PREFIX_PATH CONDA_PREFIX $(compgen -v | grep -E '_(ROOT|DIR)$' || true); do
    [ -n "${!name:-}" ] || continue
    while IFS= read -r -d : prefix; do
      [ -d "$prefix/include" ] && printf -- '-I%s/include -L%s/lib -L%s/lib64 ' "$prefix" "$prefix" "$prefix"
    done <<<"${!name}:"
  done
  have pkg-config && pkg-config --silence-errors --cflags --libs-only-L libzip libpng zlib libjpeg || true
}
probe_library() {  # header [link flags]
  local header=$1 scratch ok=1
  shift
  have "${compiler%% *}" || return 1
  scratch=$(mktemp)
  # shellcheck disable=SC2046  # flags are words
  printf '#include <cstdio>\n#include <%s>\nint main() {}\n' "$header" |
    $compiler -std=c++17 -x c++ - -x none $(prefix_flags) "$@" -o "$scratch" >/dev/null 2>&1 && ok=0
  rm -f "$scratch"
  return $ok
}
probe_catch2() { probe_library catch2/catch_all.hpp || probe_library catch2/catch.hpp; }

# Names of the given packages that dpkg does not report as installed.
not_installed() {
  local known package
  known=$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null | sed -n 's/ install ok installed$//p' || true)
  for package in "$@"; do
    grep -qxF -- "$package" <<<"$known" || echo "$package"
  done
}

# Fills missing_packages and missing_rows with what neither dpkg nor its probe
# finds. Compiler and CMake are probed always: an old one is no use.
missing_packages=()
missing_rows=()
find_missing() {
  local packages what module probe absent
  missing_packages=()
  missing_rows=()
  local listed=""
  if have dpkg-query; then
    # shellcheck disable=SC2046,SC2086
    listed=$(not_installed $(cut -d'|' -f1 <<<"$requirements"))
  fi
  while IFS='|' read -r packages what module probe; do
    absent=no
    if have dpkg-query; then
      for package in $packages; do
        grep -qxF -- "$package" <<<"$listed" && absent=yes
      done
    else
      absent=yes
    fi
    case $probe in probe_compiler | probe_cmake) absent=yes ;; esac
    if [ "$absent" = yes ] && ! $probe; then
      # shellcheck disable=SC2206
      missing_packages+=($packages)
      missing_rows+=("$(row "$what" "$packages" "$module")")
    fi
  done <<<"$requirements"
}

# How to become root: "" as root, "sudo" where that can work, "no" otherwise.
root_by() {
  if [ "${PROTEAN_NO_ROOT:-0}" = 1 ] || ! have apt-get; then
    echo no
  elif [ "$(id -u)" = 0 ]; then
    echo
  elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    echo sudo
  else
    echo no
  fi
}

apt_install() {  # sudo-or-nothing packages...
  local by=$1 log begun
  shift
  begun=$(now_ms)
  log=$(mktemp)
  say "installing $* by apt (about a minute on a bare system)"
  # A fresh image has no package lists; an old list may name files long gone.
  if ! { $by apt-get -q update &&
    $by env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
      install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail 1 "apt could not install: $*; its last words are above"
  fi
  rm -f "$log"
  say "system packages: $(seconds_since "$begun") s"
}

report_missing() {
  say "missing:"
  printf '  %s\n' "${missing_rows[@]}" >&2
  fail 2 "these must be in the environment, since there is no root (or no apt) here;" \
    "load modules or ask for the packages, see cluster/guide.md"
}

find_missing
if [ ${#missing_packages[@]} -gt 0 ]; then
  by=$(root_by)
  [ "$by" != no ] || report_missing
  # shellcheck disable=SC2046,SC2086
  apt_install "$by" "${missing_packages[@]}" $(not_installed $comforts)
  find_missing
  [ ${#missing_packages[@]} -eq 0 ] || report_missing
fi

# None of the services that come with them runs here, now or after a boot: a test
# bed starts its own.
install_test_bed() {
  local packages policy=/usr/sbin/policy-rc.d service ours=no
  # shellcheck disable=SC2086  # words
  mapfile -t packages < <(not_installed $test_bed)
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    ours=yes
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  # Not all systems have them all; the tests say what they miss.
  (apt_install "" "${packages[@]}") || say "warning: tests that need several hosts will be skipped"
  if [ $ours = yes ]; then rm -f $policy; fi
  trap - EXIT
  if have systemctl; then
    for service in munge slurmctld slurmd; do
      case " ${packages[*]} " in *" $service "*) systemctl -q disable $service 2>/dev/null || true ;; esac
    done
  fi
}
if [ "$tests" = yes ] && [ "$(id -u)" = 0 ] && [ "$(root_by)" != no ] && have dpkg-query; then
  install_test_bed
fi

# --- LibTorch ----------------------------------------------------------------

libtorch_version() {  # folder -> "2.11.0", nothing if unreadable
  local header
  for header in torch/headeronly/version.h torch/csrc/api/include/torch/version.h; do
    [ -r "$1/include/$header" ] || continue
    awk '/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+/ {
           printf "%s%s", dot, $3; dot = "." }' "$1/include/$header"
    return
  done
}

check_libtorch() {  # folder
  local version config=$1/share/cmake/Torch/TorchConfig.cmake
  [ -e "$1/lib/libtorch_cpu.so" ] ||
    fail 2 "LIBTORCH_ROOT=$1 holds no lib/libtorch_cpu.so; expected an unpacked LibTorch or the torch folder of a wheel"
  version=$(libtorch_version "$1")
  [ -n "$version" ] ||
    fail 2 "LIBTORCH_ROOT=$1 has no readable include/torch/.../version.h; expected LibTorch >= $LIBTORCH_OLDEST with its headers"
  at_least "$version" "$LIBTORCH_OLDEST" ||
    fail 2 "LIBTORCH_ROOT=$1 is LibTorch $version; expected >= $LIBTORCH_OLDEST"
  if grep -qs 'GLIBCXX_USE_CXX11_ABI=0' "$config"; then
    fail 2 "LIBTORCH_ROOT=$1 uses the old C++ string ABI; expected the cxx11-abi build of LibTorch $version"
  fi
}

stamp=$deps/.protean-libtorch
wanted=$(tr '\n' ' ' <<<"$LIBTORCH_WHEELS")
wanted=${wanted% }

# "cuda" or "cpu": the set of exactly the pinned versions that deps holds.
installed_set() {
  [ -e "$deps/torch/lib/libtorch_cpu.so" ] || return 0
  if [ -r "$stamp" ]; then
    case $(<"$stamp") in
      "set=cuda $wanted") echo cuda ;;
      "set=cpu $wanted") echo cpu ;;
    esac
    return 0
  fi
  # Unpacked by hand, say from a bundle: the wheels' own records tell.
  local wheel name
  for wheel in $wanted; do
    name=${wheel%%==*}
    [ -d "$deps/${name//-/_}-${wheel##*==}.dist-info" ] || return 0
  done
  if [ -e "$deps/nvidia/cudnn/lib" ] && [ -e "$deps/nvidia/cu13/lib/libcublas.so.13" ]; then
    echo cuda
  else
    echo cpu
  fi
}

install_libtorch() {
  local set=$1 incoming begun need_mib free_mib entry pip
  begun=$(now_ms)
  mkdir -p "$deps" 2>/dev/null && [ -w "$deps" ] ||
    fail 2 "cannot write to $deps; set PROTEAN_DEPS to a folder that can hold LibTorch, or LIBTORCH_ROOT to one that does"
  need_mib=3000
  [ "$set" = cpu ] || need_mib=9000
  free_mib=$(df -Pm "$deps" | awk 'NR == 2 { print $4 }')
  [ "$free_mib" -ge $need_mib ] ||
    fail 1 "$deps has $free_mib MiB free; LibTorch's $set set needs $need_mib MiB while it is unpacked"
  if ! python3 -m pip --version >/dev/null 2>&1; then
    local by
    by=$(root_by)
    [ "$by" != no ] ||
      fail 2 "LibTorch comes by python3 -m pip, which is not there (packages: $pip_packages; module: python);" \
        "or set LIBTORCH_ROOT"
    # shellcheck disable=SC2086
    apt_install "$by" $pip_packages
  fi
  say "fetching LibTorch $TORCH_VERSION, $set set, into $deps" \
    "($([ "$set" = cpu ] && echo "0.7 GB to load, 20 s" || echo "2.7 GB to load, 80 s") on a fast line)"

  # pip unpacks beside its goal, and the goal is moved into place when whole, so
  # an interrupted download leaves nothing that looks finished. One call: a
  # second one with --target would not merge the nvidia folder.
  incoming=$(mktemp -d "$deps/.incoming.XXXXXX")
  trap 'rm -rf "$incoming"' EXIT
  trap 'exit 1' INT TERM HUP
  mkdir "$incoming/tmp" "$incoming/site"
  pip=(python3 -m pip install --target "$incoming/site" --no-compile
    --disable-pip-version-check --no-input --no-warn-conflicts)
  [ -t 2 ] || pip+=(-q)
  [ "$set" = cuda ] || pip+=(--no-deps)
  # An interpreter too old for the wheels may fetch them all the same.
  # shellcheck disable=SC2206  # options are words
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    pip+=(--python-version 3.11 $LIBTORCH_FOREIGN)
  # shellcheck disable=SC2086  # wheels are words
  TMPDIR=$incoming/tmp PIP_ROOT_USER_ACTION=ignore "${pip[@]}" $wanted </dev/null >&2 ||
    fail 1 "pip could not fetch LibTorch $TORCH_VERSION (its words are above);" \
      "without network see cluster/guide.md, or set LIBTORCH_ROOT"
  [ -e "$incoming/site/torch/lib/libtorch_cpu.so" ] ||
    fail 1 "the wheel of torch $TORCH_VERSION holds no lib/libtorch_cpu.so"

  rm -f "$stamp"
  for entry in "$incoming"/site/*; do
    rm -rf "${deps:?}/$(basename "$entry")"
    mv "$entry" "$deps/"
  done
  echo "set=$set $wanted" >"$stamp"
  rm -rf "$incoming"
  trap - EXIT INT TERM HUP
  say "LibTorch: $(seconds_since "$begun") s"
}

enough() {  # installed set: does it serve this run?
  [ "$1" = cuda ] || [ "$1" = "$torch_set" ]
}

if [ -n "${LIBTORCH_ROOT:-}" ]; then
  check_libtorch "$LIBTORCH_ROOT"
elif ! enough "$(installed_set)"; then
  mkdir -p "$deps" 2>/dev/null || true
  # Two set-ups that share a folder take turns; the second finds all done.
  if have flock && { exec 9>"$deps/.lock"; } 2>/dev/null; then
    flock -n 9 || { say "waiting for another set-up of $deps"; flock 9; }
    rm -rf "$deps"/.incoming.*
  fi
  enough "$(installed_set)" || install_libtorch "$torch_set"
fi

say "all there ($(seconds_since "$started") s)"
