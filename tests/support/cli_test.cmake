# protean_cli_test(NAME SCRIPT [ARGS ...] [LABELS ...] [TIMEOUT s]
#                  [PROCESSORS n] [ALONE])
# A ctest entry that drives the protean binary from bash; see support/cli.sh.
# ALONE: it may leave nothing behind; see support/alone.sh.
function(protean_cli_test name script)
  cmake_parse_arguments(T "ALONE" "TIMEOUT;PROCESSORS" "ARGS;LABELS" ${ARGN})
  set(alone "")
  if(T_ALONE)
    set(alone ${PROJECT_SOURCE_DIR}/tests/support/alone.sh)
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
  list(JOIN PROTEAN_MPIEXEC " " mpiexec)
  add_test(NAME ${name}
    COMMAND ${CMAKE_COMMAND} -E env PROTEAN_BIN=$<TARGET_FILE:protean>
            "PROTEAN_MPIEXEC=${mpiexec} ${MPIEXEC_NUMPROC_FLAG}"
            ${PROTEAN_MPI_ENVIRONMENT}
            bash ${alone} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${T_ARGS})
  protean_test_properties(${name} "${T_LABELS}" ${T_TIMEOUT})
  set_tests_properties(${name} PROPERTIES PROCESSORS ${T_PROCESSORS})
endfunction()
add_dependencies(tests protean)
