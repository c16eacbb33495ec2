# protean_mpi_test(NAME PROGRAM NP [ARGS ...] [LABELS ...] [TIMEOUT s])
# A ctest entry that starts the program on NP ranks with the launcher of the MPI
# library that was found. Tests run on any machine, so ranks may outnumber cores
# and may belong to root.

execute_process(COMMAND ${MPIEXEC_EXECUTABLE} --version
                OUTPUT_VARIABLE PROTEAN_MPIEXEC_VERSION
                ERROR_VARIABLE PROTEAN_MPIEXEC_VERSION)
if(PROTEAN_MPIEXEC_VERSION MATCHES "Open MPI|OpenRTE|PRRTE")
  set(PROTEAN_MPIEXEC_FLAGS --oversubscribe --bind-to none
      --mca mpi_yield_when_idle 1)
  set(PROTEAN_MPI_ENVIRONMENT OMPI_ALLOW_RUN_AS_ROOT=1
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
else()  # Hydra: MPICH, Intel MPI
  set(PROTEAN_MPIEXEC_FLAGS "")
  set(PROTEAN_MPI_ENVIRONMENT "")
endif()

set(PROTEAN_MPIEXEC ${MPIEXEC_EXECUTABLE} ${PROTEAN_MPIEXEC_FLAGS})

function(protean_mpi_test name program np)
  cmake_parse_arguments(T "" "TIMEOUT" "ARGS;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(NOT T_LABELS)
    set(T_LABELS mpi)
  endif()
  add_test(NAME ${name}
    COMMAND ${PROTEAN_MPIEXEC} ${MPIEXEC_NUMPROC_FLAG} ${np}
            $<TARGET_FILE:${program}> ${T_ARGS})
  protean_test_properties(${name} "${T_LABELS}" ${T_TIMEOUT})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "${PROTEAN_MPI_ENVIRONMENT}" PROCESSORS ${np})
  add_dependencies(tests ${program})
endfunction()
