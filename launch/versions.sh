# The one place that pins what is not a system package, and the oldest tools
# that build Protean. Sourced by launch/setup.sh and cluster/bundle.sh.

# LibTorch comes from the PyPI wheel of this version. The versions below it are
# those that the wheel's metadata asks for; CRT and CCCL are headers that those of
# NCCL and the CUDA run-time include.
TORCH_VERSION=2.11.0
NCCL_VERSION=2.28.9
CUDART_VERSION=13.0.96
CUPTI_VERSION=13.0.85
CRT_VERSION=13.0.88
CCCL_VERSION=13.0.85
# What launch/setup.sh installs; without dependencies it is the CPU set.
LIBTORCH_WHEELS="torch==$TORCH_VERSION nvidia-nccl-cu13==$NCCL_VERSION
nvidia-cuda-runtime==$CUDART_VERSION nvidia-cuda-cupti==$CUPTI_VERSION
nvidia-cuda-crt==$CRT_VERSION nvidia-cuda-cccl==$CCCL_VERSION"
# For pip, when the wheels are for another Python than the one that runs it: they
# hold no Python that Protean uses.
LIBTORCH_FOREIGN="--only-binary=:all: --implementation cp
--platform manylinux2014_$(uname -m)"
for glibc in $(seq 5 28); do
  LIBTORCH_FOREIGN+=" --platform manylinux_2_${glibc}_$(uname -m)"
done

# What some tests read our files back with; they are skipped without it.
TENSORBOARD_VERSION=2.21.0
# What the Python module is built with, and what its tests ask.
NANOBIND_VERSION=3.1.0
SCIKIT_LEARN_VERSION=1.9.1
ONNX_VERSION=1.23.2
ONNXRUNTIME_VERSION=1.32.0
PANDAS_VERSION=3.1.1

# Any LibTorch from here on may be given by LIBTORCH_ROOT.
LIBTORCH_OLDEST=2.6
GCC_OLDEST=11
CLANG_OLDEST=14
CMAKE_OLDEST=3.22
