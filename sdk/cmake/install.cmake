# libchancery as others link it: one shared library of what the libraries here have, with the names of the public
# headers alone, so that none of it can clash with, or be mistaken for, what else a program has.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(chancery_abi 0)
file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/chancery/*.hpp)
set(exports ${CMAKE_CURRENT_BINARY_DIR}/libchancery.map)
set(empty ${CMAKE_CURRENT_BINARY_DIR}/libchancery.cpp)
file(WRITE ${empty} "")
add_custom_command(OUTPUT ${exports}
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.py CHANCERY_${chancery_abi} ${exports}
          $<TARGET_FILE:chancery> $<TARGET_FILE:chancery_fetch> $<TARGET_FILE:chancery_client> -- ${public_headers}
  DEPENDS cmake/exports.py ${public_headers} chancery chancery_fetch chancery_client VERBATIM)
add_custom_target(chancery_exports DEPENDS ${exports})

add_library(chancery_shared SHARED ${empty})
add_dependencies(chancery_shared chancery_exports)
set_target_properties(chancery_shared PROPERTIES OUTPUT_NAME chancery EXPORT_NAME chancery VERSION ${PROJECT_VERSION}
                      SOVERSION ${chancery_abi} LINK_DEPENDS ${exports}
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_compile_features(chancery_shared INTERFACE cxx_std_20)
target_include_directories(chancery_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_options(chancery_shared PRIVATE -Wl,--version-script=${exports} -Wl,--no-undefined -Wl,--as-needed)
# Whole: nothing here refers to them.
target_link_libraries(chancery_shared PRIVATE -Wl,--whole-archive chancery chancery_fetch chancery_client
                      -Wl,--no-whole-archive)

install(TARGETS chancery_shared EXPORT ChanceryTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/chancery)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Chancery)
configure_package_config_file(cmake/ChanceryConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfig.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfigVersion.cmake
        DESTINATION ${config_folder})
install(EXPORT ChanceryTargets NAMESPACE Chancery:: DESTINATION ${config_folder})
configure_file(cmake/chancery.pc.in ${CMAKE_CURRENT_BINARY_DIR}/chancery.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/chancery.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The program, and what it says of itself.
install(TARGETS chancery_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set(pages ${CMAKE_BINARY_DIR}/pages)
file(MAKE_DIRECTORY ${pages})
foreach(kind man bash zsh fish)
  add_custom_command(OUTPUT ${pages}/chancery.${kind}
    COMMAND chancery_cli reference ${kind} > ${pages}/chancery.${kind} DEPENDS chancery_cli VERBATIM)
  list(APPEND cli_pages ${pages}/chancery.${kind})
endforeach()
add_custom_target(chancery_pages ALL DEPENDS ${cli_pages})
install(FILES ${pages}/chancery.man DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME chancery.1)
install(FILES ${pages}/chancery.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME chancery)
install(FILES ${pages}/chancery.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _chancery)
install(FILES ${pages}/chancery.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
