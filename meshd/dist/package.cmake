# package.cmake - two Debian packages of what is installed: cpack -G DEB in the folder of the build.
#
# What:  "omerta" has the programs, their pages, units, completions and what makes images;
#        "libomerta-dev" the library, its headers and the file for pkg-config.
# Why:   a component of cmake's install is a package; nothing is listed twice. What the programs are
#        linked with is asked of them (dpkg-shlibdeps). Units are neither enabled nor started by
#        installing: who wants a daemon of the whole machine says so, others have "omerta up".
# Keeps: tests/system/deb.sh installs, uses and purges both.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/licenses DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/copyright COMPONENT dev
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libomerta-dev)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME omerta)
set(CPACK_PACKAGE_VENDOR omerta)
set(CPACK_PACKAGE_CONTACT "The Omerta project <omerta@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL omerta dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_COMPONENT_OMERTA_DESCRIPTION
"lends and borrows computers over an encrypted mesh
A daemon and a command line: peers meet through NATs or over relays, open
ports to each other by rule, and lend virtual machines that reach nothing
but what their consumer allows. Nothing needs root; each user may run a
daemon of its own.")
set(CPACK_DEBIAN_OMERTA_PACKAGE_NAME omerta)
set(CPACK_DEBIAN_OMERTA_PACKAGE_SHLIBDEPS ON)
# What only some commands need: machines and the making of their image, ssh and its keys.
set(CPACK_DEBIAN_OMERTA_PACKAGE_DEPENDS "openssh-client")
set(CPACK_DEBIAN_OMERTA_PACKAGE_RECOMMENDS "qemu-system-x86, qemu-utils, lz4, python3")
set(CPACK_DEBIAN_OMERTA_PACKAGE_SUGGESTS "systemd, nftables, iproute2")
foreach(script postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_OMERTA_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/debian/${script})
endforeach()

set(CPACK_COMPONENT_DEV_DESCRIPTION
"the mesh of omerta as a library, for development
The core without I/O: bytes and time go in, datagrams come out. Static and
shared, with headers and a file for pkg-config.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libomerta-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS ON)
# Its .pc file names them.
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libsodium-dev, libssl-dev, libjansson-dev")

include(CPack)
