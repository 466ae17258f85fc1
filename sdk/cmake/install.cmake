# The libraries as others link them: shared ones of what the libraries here have, with the names of the public headers
# alone, so that none of it can clash with, or be mistaken for, what else a program has.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(chancery_abi 0)
file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/chancery/*.hpp)

# One shared library of static ones, of which it exports what these headers declare and nothing else.
#   chancery_share(TARGET NAME HEADERS a.hpp LIBS static libraries)
function(chancery_share TARGET)
  cmake_parse_arguments(arg "" "NAME" "HEADERS;LIBS" ${ARGN})
  set(exports ${CMAKE_CURRENT_BINARY_DIR}/lib${arg_NAME}.map)
  set(empty ${CMAKE_CURRENT_BINARY_DIR}/lib${arg_NAME}.cpp)
  file(WRITE ${empty} "")
  list(TRANSFORM arg_LIBS REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
  add_custom_command(OUTPUT ${exports}
    COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.py CHANCERY_${chancery_abi} ${exports}
            ${archives} -- ${arg_HEADERS}
    DEPENDS cmake/exports.py ${arg_HEADERS} ${arg_LIBS} VERBATIM)
  add_custom_target(${TARGET}_exports DEPENDS ${exports})
  add_library(${TARGET} SHARED ${empty})
  add_dependencies(${TARGET} ${TARGET}_exports)
  set_target_properties(${TARGET} PROPERTIES OUTPUT_NAME ${arg_NAME} VERSION ${PROJECT_VERSION}
                        SOVERSION ${chancery_abi} LINK_DEPENDS ${exports}
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_compile_features(${TARGET} INTERFACE cxx_std_20)
  target_include_directories(${TARGET} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_options(${TARGET} PRIVATE -Wl,--version-script=${exports} -Wl,--no-undefined -Wl,--as-needed)
  # Whole: nothing here refers to them.
  target_link_libraries(${TARGET} PRIVATE -Wl,--whole-archive ${arg_LIBS} -Wl,--no-whole-archive)
endfunction()

set(redaction_header ${CMAKE_CURRENT_SOURCE_DIR}/include/chancery/redaction.hpp)
list(REMOVE_ITEM public_headers ${redaction_header})
chancery_share(chancery_shared NAME chancery HEADERS ${public_headers} LIBS chancery chancery_fetch chancery_client)
# By itself, so that a verifier does not get RE2. It has its own copy of the little that it needs of the other.
chancery_share(chancery_redaction_shared NAME chancery-redaction HEADERS ${redaction_header} LIBS chancery_redaction)
set_target_properties(chancery_shared PROPERTIES EXPORT_NAME chancery)
set_target_properties(chancery_redaction_shared PROPERTIES EXPORT_NAME redaction)

install(TARGETS chancery_shared chancery_redaction_shared EXPORT ChanceryTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${public_headers} ${redaction_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/chancery)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Chancery)
configure_package_config_file(cmake/ChanceryConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfig.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ChanceryConfigVersion.cmake
        DESTINATION ${config_folder})
install(EXPORT ChanceryTargets NAMESPACE Chancery:: DESTINATION ${config_folder})
foreach(library chancery chancery-redaction)
  configure_file(cmake/${library}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${library}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

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
