# Many files are compiled as one, which takes a third of the time: the sources of a test and, in builds that are rarely made
# and never shipped, of a library those of one folder, in as many parts as their names need. What is compiled says its files by
# their names below the project, so that a compiler's cache serves in every clone.
get_property(targets GLOBAL PROPERTY chancery_test_programs)
set(most 6)  # files of a part, so that a change in a test does not compile all of it
if(CHANCERY_COMPILE_TOGETHER STREQUAL "ALL")
  set(most 20)  # two cores are then busy to the end
  list(APPEND targets chancery chancery_attest chancery_client chancery_commands chancery_daemon chancery_issuers chancery_pkcs11 chancery_redaction chancery_runtime chancery_runtime_program chancery_tpm)
endif()

set(lines "")
foreach(target ${targets})
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  set(alone_of_${target} "")
  foreach(source ${sources})
    get_filename_component(path ${source} ABSOLUTE BASE_DIR ${folder})
    get_source_file_property(options ${path} DIRECTORY ${folder} COMPILE_OPTIONS)
    get_source_file_property(definitions ${path} DIRECTORY ${folder} COMPILE_DEFINITIONS)
    if(source MATCHES "^\\$<" OR path MATCHES "^${CMAKE_BINARY_DIR}/" OR options OR definitions)
      list(APPEND alone_of_${target} ${source})
      continue()
    endif()
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${path})
    get_filename_component(group ${name} DIRECTORY)
    string(MAKE_C_IDENTIFIER ${group} group)
    string(APPEND lines "${target}/${group} ${name}\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  endforeach()
endforeach()

file(WRITE ${CMAKE_BINARY_DIR}/together.txt "${lines}")
execute_process(COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/together.py ${PROJECT_SOURCE_DIR} ${most}
                        ${CMAKE_BINARY_DIR}/together
                INPUT_FILE ${CMAKE_BINARY_DIR}/together.txt COMMAND_ERROR_IS_FATAL ANY)
foreach(target ${targets})
  file(GLOB parts ${CMAKE_BINARY_DIR}/together/${target}/*.cpp)
  set_property(TARGET ${target} PROPERTY SOURCES ${alone_of_${target}} ${parts})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It takes what is included for a header.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endforeach()
