# Flags that every target shares, and the two functions that every module and
# test folder uses.

find_program(PROTEAN_CCACHE ccache)
if(PROTEAN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${PROTEAN_CCACHE})
endif()

add_library(protean_flags INTERFACE)
target_include_directories(protean_flags INTERFACE
  ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(protean_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wno-unused-parameter)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns about std::string's own copies (GCC bug 105329).
  target_compile_options(protean_flags INTERFACE
    -Wno-stringop-overflow -Wno-restrict)
endif()
if(PROTEAN_WERROR)
  target_compile_options(protean_flags INTERFACE -Werror)
endif()
if(PROTEAN_ARCH)
  target_compile_options(protean_flags INTERFACE -march=${PROTEAN_ARCH})
endif()
if(PROTEAN_CCACHE)
  # ccache reuses a precompiled header only when its time stamp is not checked.
  target_compile_options(protean_flags INTERFACE -fpch-preprocess)
endif()
if(PROTEAN_SANITIZE)
  target_compile_options(protean_flags INTERFACE
    -fsanitize=${PROTEAN_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(protean_flags INTERFACE -fsanitize=${PROTEAN_SANITIZE})
endif()

# protean_module(NAME SOURCES ... [TORCH] [PUBLIC libs...] [PRIVATE libs...])
# One static library per module folder. TORCH modules share one precompiled
# LibTorch header.
function(protean_module name)
  cmake_parse_arguments(M "TORCH" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(protean_${name} STATIC ${M_SOURCES})
  target_link_libraries(protean_${name}
    PUBLIC protean_flags ${M_PUBLIC} PRIVATE ${M_PRIVATE})
  if(M_TORCH)
    target_link_libraries(protean_${name} PUBLIC protean_torch)
    target_precompile_headers(protean_${name} REUSE_FROM protean_torch_pch)
  endif()
endfunction()

# protean_test(NAME SOURCES ... [TORCH] [LIBS libs...] [LABELS ...] [TIMEOUT s])
# One Catch2 program per module; ctest runs it whole. A test that has no data
# exits with 77, which ctest reports as skipped.
function(protean_test name)
  cmake_parse_arguments(T "TORCH;NO_CTEST" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(test_${name} ${T_SOURCES})
  target_link_libraries(test_${name} PRIVATE protean_flags protean_catch ${T_LIBS})
  if(T_TORCH)
    target_link_libraries(test_${name} PRIVATE protean_torch)
    target_precompile_headers(test_${name} REUSE_FROM protean_torch_pch)
    # The precompiled header is -fPIC; CMake would give a program -fPIE.
    target_compile_options(test_${name} PRIVATE -fPIC)
  endif()
  if(T_NO_CTEST)
    return()
  endif()
  if(NOT T_LABELS)
    set(T_LABELS unit)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES
    LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
