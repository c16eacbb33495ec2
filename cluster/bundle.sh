#!/usr/bin/env bash
# Collects what a site without internet needs, on a machine that has it: this
# repository's HEAD, LibTorch's wheels and the list of system packages.
#
#   cluster/bundle.sh FOLDER [--cuda] [--python VERSION]
#
#   --cuda            with LibTorch's CUDA libraries (2.7 GB instead of 0.7 GB)
#   --python VERSION  of the site's python3, default 3.11; only pip looks at it
#
# Carry FOLDER there and follow the INSTALL file in it.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/versions.sh
. "$top/launch/versions.sh"
fail() {
  echo "bundle.sh: error: $*" >&2
  exit 2
}

[ $# -ge 1 ] || fail "no folder given; usage: cluster/bundle.sh FOLDER [--cuda] [--python VERSION]"
folder=$1
shift
python=3.11
dependencies=(--no-deps)
set=--cpu
while [ $# -gt 0 ]; do
  case $1 in
    --cuda)
      dependencies=()
      set=--cuda
      ;;
    --python) python=${2:?} && shift ;;
    *) fail "unknown argument \"$1\"; expected --cuda or --python" ;;
  esac
  shift
done
mkdir -p "$folder/wheels"
folder=$(cd "$folder" && pwd)

# shellcheck disable=SC2086  # options and wheels are words
python3 -m pip download -q --disable-pip-version-check --dest "$folder/wheels" \
  --python-version "$python" $LIBTORCH_FOREIGN "${dependencies[@]}" $LIBTORCH_WHEELS
git -C "$top" bundle create -q "$folder/protean.bundle" HEAD
"$top/launch/setup.sh" --list >"$folder/NEEDED"
cat >"$folder/INSTALL" <<EOF
1. NEEDED lists system packages and modules; most sites have them all.
2. In this folder:
   git clone protean.bundle protean && cd protean
   export PROTEAN_DEPS=/some/where
   PIP_NO_INDEX=1 PIP_FIND_LINKS=\$PWD/../wheels launch/setup.sh $set --no-tests
   or, where there is no pip:
   mkdir -p "\$PROTEAN_DEPS" && for wheel in ../wheels/*.whl; do unzip -qo "\$wheel" -d "\$PROTEAN_DEPS"; done
3. launch/quickstart.sh
EOF
du -sh "$folder" | cut -f1 | sed "s|\$| in $folder|"
