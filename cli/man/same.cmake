# Fails unless PROGRAM ARGUMENTS prints exactly PAGE.
separate_arguments(words UNIX_COMMAND "${ARGUMENTS}")
execute_process(COMMAND ${PROGRAM} ${words} OUTPUT_VARIABLE made RESULT_VARIABLE failed)
file(READ ${PAGE} kept)
if(failed OR NOT made STREQUAL kept)
  message(FATAL_ERROR "write it anew: ${PROGRAM} ${ARGUMENTS} > ${PAGE}")
endif()
