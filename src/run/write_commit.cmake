# Writes OUT, a header with the commit of SOURCE, when it has changed.
# PROTEAN_COMMIT names the commit of a source tree without .git (a bundle).
set(commit "${PROTEAN_COMMIT}")
if(NOT commit AND EXISTS ${SOURCE}/.git)
  execute_process(
    COMMAND git -c safe.directory=* describe --always --dirty --abbrev=40
            --exclude=*
    WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE result ERROR_QUIET)
  if(NOT result EQUAL 0)
    set(commit "")
  endif()
endif()
if(NOT commit)
  set(commit unknown)
endif()
set(text "#pragma once\n#define PROTEAN_BUILD_COMMIT \"${commit}\"\n")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
