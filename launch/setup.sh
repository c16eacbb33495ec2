#!/usr/bin/env bash
# Installs what is missing: system packages and LibTorch. Quick when nothing is.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
deps=${PROTEAN_DEPS:-$top/.deps}
. "$top/launch/versions.sh"

packages="g++ cmake ninja-build ccache pkg-config openmpi-bin libopenmpi-dev
libboost-program-options-dev catch2 nlohmann-json3-dev libpng-dev
libjpeg-dev zlib1g-dev libzip-dev python3 python3-pip"
missing=()
for p in $packages; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ -z "${LIBTORCH_ROOT:-}" ] && [ ! -f "$deps/torch/lib/libtorch_cpu.so" ]; then
  mkdir -p "$deps"
  python3 -m pip install -q --no-deps --no-compile --target "$deps" \
    torch==$TORCH_VERSION nvidia-nccl-cu13==$NCCL_VERSION \
    nvidia-cuda-runtime==$CUDART_VERSION nvidia-cuda-cupti==$CUPTI_VERSION
fi
