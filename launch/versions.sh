# The one place that pins what is not a system package.
TORCH_VERSION=2.11.0
NCCL_VERSION=2.28.9
CUDART_VERSION=13.0.96
CUPTI_VERSION=13.0.85
