# The daemon as a package lays it out.
include(GNUInstallDirs)
set(pages ${CMAKE_BINARY_DIR}/pages)
file(MAKE_DIRECTORY ${pages})
foreach(page chanceryd.8 chancery.toml.5)
  add_custom_command(OUTPUT ${pages}/${page}
    COMMAND chanceryd --man-page ${page} > ${pages}/${page} DEPENDS chanceryd VERBATIM)
  list(APPEND daemon_pages ${pages}/${page})
endforeach()
add_custom_target(chanceryd_pages ALL DEPENDS ${daemon_pages})

set(packaging ${CMAKE_CURRENT_SOURCE_DIR}/packaging)
install(TARGETS chanceryd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES ${pages}/chanceryd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${pages}/chancery.toml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${packaging}/chancery.toml DESTINATION /etc/chancery)
install(FILES ${packaging}/systemd/chanceryd.service ${packaging}/systemd/chanceryd.socket
              ${packaging}/systemd/chanceryd-tls.socket DESTINATION /lib/systemd/system)
install(FILES ${packaging}/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME chancery-daemon.conf)
install(FILES ${packaging}/systemd/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME chancery-daemon.conf)
install(FILES ${packaging}/systemd/udev.rules DESTINATION /lib/udev/rules.d RENAME 60-chancery.rules)
install(FILES ${packaging}/systemd/drop-ins/pkcs11.conf ${packaging}/systemd/drop-ins/executables.conf
              ${packaging}/systemd/drop-ins/tpm.conf
        DESTINATION ${CMAKE_INSTALL_DOCDIR}-daemon/examples)

# The tool runtime, which is another program, user and package.
add_custom_command(OUTPUT ${pages}/chancery-runtime.8
  COMMAND chancery_runtime_main --man-page > ${pages}/chancery-runtime.8 DEPENDS chancery_runtime_main VERBATIM)
add_custom_target(chancery_runtime_pages ALL DEPENDS ${pages}/chancery-runtime.8)
install(TARGETS chancery_runtime_main RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES ${pages}/chancery-runtime.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${packaging}/runtime.toml DESTINATION /etc/chancery)
install(FILES ${packaging}/systemd/chancery-runtime.service DESTINATION /lib/systemd/system)
install(FILES ${packaging}/systemd/runtime-sysusers.conf DESTINATION lib/sysusers.d RENAME chancery-runtime.conf)
install(FILES ${packaging}/systemd/runtime-tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME chancery-runtime.conf)
install(FILES ${packaging}/systemd/drop-ins/http-only.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}-runtime/examples)
