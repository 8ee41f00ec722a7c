# The warnings and hardening that every target of ours is compiled with, by gcc and clang alike.
include(CheckCCompilerFlag)
include(CheckPIESupported)

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wcast-qual -Wundef -fno-strict-aliasing)
add_compile_definitions(_GNU_SOURCE)
if(OM_WERROR)
  add_compile_options(-Werror)
endif()

# Debian 12's valgrind cannot read the DWARF 5 of its clang.
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-fdebug-default-version=4)
endif()

# What an attacker who found a bug has to get past. The last two depend on the processor: shadow
# stacks and branch targets of x86, pointer authentication of ARM.
add_compile_options(-fstack-protector-strong)
set(CMAKE_REQUIRED_FLAGS -Werror) # clang only warns of a flag that its processor has no use for
foreach(flag -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "OM_HAS${flag}" known)
  check_c_compiler_flag(${flag} ${known})
  if(${known})
    add_compile_options(${flag})
  endif()
endforeach()
unset(CMAKE_REQUIRED_FLAGS)
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
check_pie_supported(LANGUAGES C) # executables are linked as PIE, not only compiled so
# Fortify needs an optimiser, and gets in the way of the sanitizers' own checks.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT OM_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

# Code asks by one name whether there is a sanitizer: the two compilers have their own.
if(OM_SANITIZE)
  add_compile_definitions(OM_HAS_SANITIZER=1)
  add_compile_options(-fsanitize=${OM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${OM_SANITIZE})
else()
  add_compile_definitions(OM_HAS_SANITIZER=0)
endif()
if(OM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(OM_PLANT_BUG)
  add_compile_definitions(OM_PLANT_BUG)
endif()
