# Fails unless PROGRAM help --man prints exactly PAGE.
execute_process(COMMAND ${PROGRAM} help --man OUTPUT_VARIABLE made RESULT_VARIABLE failed)
file(READ ${PAGE} kept)
if(failed OR NOT made STREQUAL kept)
  message(FATAL_ERROR "write it anew: omerta help --man > cli/man/omerta.1")
endif()
