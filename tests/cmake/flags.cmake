# The warnings and hardening that every target of ours is compiled with.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wcast-qual -Wundef -fstack-protector-strong -fno-strict-aliasing)
add_compile_definitions(_GNU_SOURCE)
if(OM_WERROR)
  add_compile_options(-Werror)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT OM_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(OM_SANITIZE)
  add_compile_options(-fsanitize=${OM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${OM_SANITIZE})
endif()
if(OM_PLANT_BUG)
  add_compile_definitions(OM_PLANT_BUG)
endif()
add_link_options(-Wl,-z,relro,-z,now)
