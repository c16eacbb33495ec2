# One precompiled header for every TORCH module and test. Templates that its
# headers use are made anew in every unit that takes it, so what few units need
# stays out: autograd's own headers alone would double a small unit's time.
file(WRITE ${CMAKE_BINARY_DIR}/torch_pch.cpp "// carries the precompiled header\n")
add_library(protean_torch_pch STATIC ${CMAKE_BINARY_DIR}/torch_pch.cpp)
target_link_libraries(protean_torch_pch PRIVATE protean_flags protean_torch)
target_precompile_headers(protean_torch_pch PRIVATE
  <ATen/ATen.h> <ATen/core/grad_mode.h>
  <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <string>
  <vector>)
protean_checksum_pch(protean_torch_pch "LibTorch ${PROTEAN_TORCH_VERSION}")
