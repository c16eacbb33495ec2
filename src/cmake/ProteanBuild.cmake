# Flags that every target shares, and the functions that every module and test
# folder uses.

find_program(PROTEAN_CCACHE ccache)
if(PROTEAN_CCACHE)
  # Paths below the source folder are made relative, a precompiled header's time
  # stamp is not looked at, and its contents, which differ from build to build,
  # are known by what they are made of (protean_checksum_pch): a second clone or
  # build folder then hits.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_PCH_EXTSUM=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${PROTEAN_CCACHE})
endif()

add_library(protean_flags INTERFACE)
target_include_directories(protean_flags INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>
  $<INSTALL_INTERFACE:include>)
target_compile_options(protean_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wno-unused-parameter
  # Nobody reads errno after sqrt or llrint; without it they become vectors.
  -fno-math-errno)
if(PROTEAN_WERROR)
  target_compile_options(protean_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns about std::string's own copies (GCC bug 105329).
  target_compile_options(protean_flags INTERFACE
    -Wno-stringop-overflow -Wno-restrict)
endif()
# native: as fast as this machine allows, and made for it alone. Where the nodes
# that run it differ from the one that builds it, name what all of them have
# (x86-64-v3). Either goes into every run's summary.
if(PROTEAN_ARCH)
  target_compile_options(protean_flags INTERFACE -march=${PROTEAN_ARCH})
endif()
if(PROTEAN_CCACHE)
  # ccache asks for this to look into a precompiled header.
  target_compile_options(protean_flags INTERFACE -fpch-preprocess)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Debug|RelWithDebInfo")
  # Debug information stays beside the objects: programs link fast and small.
  target_compile_options(protean_flags INTERFACE -gsplit-dwarf)
endif()
if(PROTEAN_SANITIZE)
  target_compile_options(protean_flags INTERFACE
    -fsanitize=${PROTEAN_SANITIZE} -fno-omit-frame-pointer -g1
    # GCC no longer sees what is initialised under a sanitizer.
    -Wno-maybe-uninitialized)
  target_link_options(protean_flags INTERFACE -fsanitize=${PROTEAN_SANITIZE})
endif()

# protean_checksum_pch(TARGET TEXT): what ccache takes for the contents of the
# target's precompiled header. TEXT names what the header's own text and the
# flags of a compile do not: versions of the libraries in it.
function(protean_checksum_pch target text)
  get_target_property(headers ${target} PRECOMPILE_HEADERS)
  string(SHA256 sum
    "${text};${headers};${CMAKE_CXX_COMPILER_ID};${CMAKE_CXX_COMPILER_VERSION};\
${CMAKE_BUILD_TYPE};${CMAKE_CXX_FLAGS};${PROTEAN_ARCH};${PROTEAN_SANITIZE};${PROTEAN_WERROR}")
  file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum
       "${sum}\n")
endfunction()

# An installed Protean has the module as protean::NAME; see ProteanInstall.cmake.
function(protean_export name)
  set_target_properties(protean_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS protean_${name} EXPORT ProteanTargets COMPONENT library
          ARCHIVE DESTINATION lib/protean)
endfunction()
protean_export(flags)

# What computes little is optimised little: a third of its compile time less.
set(PROTEAN_LIGHT_OPTIONS
    $<$<CONFIG:Release,RelWithDebInfo>:-O1> -Wno-maybe-uninitialized)

# protean_module(NAME SOURCES ... [TORCH] [LIGHT] [PUBLIC libs...] [PRIVATE libs...])
# One static library per module folder. TORCH modules share one precompiled
# LibTorch header. LIGHT: nothing in it is computed step by step.
function(protean_module name)
  cmake_parse_arguments(M "TORCH;LIGHT" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(protean_${name} STATIC ${M_SOURCES})
  target_link_libraries(protean_${name}
    PUBLIC protean_flags ${M_PUBLIC} PRIVATE ${M_PRIVATE})
  protean_export(${name})
  if(M_LIGHT)
    target_compile_options(protean_${name} PRIVATE ${PROTEAN_LIGHT_OPTIONS})
  endif()
  if(M_TORCH)
    target_link_libraries(protean_${name} PUBLIC protean_torch)
    target_precompile_headers(protean_${name} REUSE_FROM protean_torch_pch)
  endif()
endfunction()

set(PROTEAN_TEST_LABELS unit mpi fault gpu slow)
# Sanitizers make programs several times slower.
set(PROTEAN_TIMEOUT_FACTOR 1)
if(PROTEAN_SANITIZE)
  set(PROTEAN_TIMEOUT_FACTOR 5)
endif()

# Labels, time-out and the rest that every ctest entry of ours gets.
function(protean_test_properties name labels timeout)
  foreach(label IN LISTS labels)
    if(NOT label IN_LIST PROTEAN_TEST_LABELS)
      message(FATAL_ERROR "test ${name}: label \"${label}\"; expected one of: "
                          "${PROTEAN_TEST_LABELS}")
    endif()
  endforeach()
  math(EXPR timeout "${timeout} * ${PROTEAN_TIMEOUT_FACTOR}")
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
endfunction()

# protean_test(NAME SOURCES ... [TORCH] [LIBS libs...] [LABELS ...] [TIMEOUT s]
#              [PROCESSORS n] [ENVIRONMENT VAR=VALUE ...] [NO_CTEST])
# One Catch2 program per module. Each of its sources named X_test.cpp is a ctest
# entry, NAME.X, with the cases of that file; for one case run the program with
# the case's name. A test that has no data exits with 77, which ctest reports as
# skipped. PROCESSORS: 2 for what has ranks that wait for each other. NO_CTEST:
# the program only, for protean_mpi_test or a script.
function(protean_test name)
  cmake_parse_arguments(T "TORCH;NO_CTEST" "TIMEOUT;PROCESSORS"
    "SOURCES;LIBS;LABELS;ENVIRONMENT" ${ARGN})
  add_executable(test_${name} ${T_SOURCES})
  add_dependencies(tests test_${name})
  target_compile_options(test_${name} PRIVATE ${PROTEAN_LIGHT_OPTIONS})
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
    set(T_TIMEOUT 300)
  endif()
  if(NOT T_PROCESSORS)
    set(T_PROCESSORS 1)
  endif()
  # Teams of threads that wait for each other on busy cores take minutes for
  # seconds of work; tests of threads ask for their own.
  set(environment OMP_NUM_THREADS=1 ${T_ENVIRONMENT})
  foreach(source IN LISTS T_SOURCES)
    get_filename_component(file ${source} NAME_WE)
    if(file MATCHES "^(.*)_test$")
      set(entry ${name}.${CMAKE_MATCH_1})
      add_test(NAME ${entry}
        COMMAND test_${name} --filenames-as-tags "[#${file}]" ${PROTEAN_CATCH_OPTIONS})
      protean_test_properties(${entry} "${T_LABELS}" ${T_TIMEOUT})
      set_tests_properties(${entry} PROPERTIES
        ENVIRONMENT "${environment}" PROCESSORS ${T_PROCESSORS})
    endif()
  endforeach()
endfunction()
