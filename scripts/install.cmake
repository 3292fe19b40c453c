# SPDX-License-Identifier: Apache-2.0

# What `cmake --install` puts in place, in two components: "commands" with their
# man pages, completion and shipped data, and "development", the libraries with
# what CMake and pkg-config say of them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(install_dir ${CMAKE_CURRENT_LIST_DIR}/install)
get_property(commands GLOBAL PROPERTY CONTINUO_COMMANDS)
get_property(libraries GLOBAL PROPERTY CONTINUO_LIBRARIES)

# Commands.

install(TARGETS ${commands}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT commands)

# bash-completion loads a file by the command's name.
list(JOIN commands " " command_words)
configure_file(${install_dir}/completion.bash.in
  ${CMAKE_BINARY_DIR}/completion.bash @ONLY)
set(man_pages)
foreach(command ${commands})
  install(FILES ${CMAKE_BINARY_DIR}/completion.bash RENAME ${command}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    COMPONENT commands)
  set(man_page ${CMAKE_BINARY_DIR}/man/${command}.1)
  add_custom_command(OUTPUT ${man_page} VERBATIM
    COMMAND ${install_dir}/man_page.sh $<TARGET_FILE:${command}>
      ${PROJECT_VERSION} > ${man_page}
    DEPENDS ${command} ${install_dir}/man_page.sh
    COMMENT "Writing the man page of ${command}")
  list(APPEND man_pages ${man_page})
endforeach()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/man)
add_custom_target(man_pages ALL DEPENDS ${man_pages})
install(FILES ${man_pages}
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT commands)

install(DIRECTORY scripts/primers scripts/tunes scripts/drums
  DESTINATION ${CMAKE_INSTALL_DATADIR}/continuo COMPONENT commands
  PATTERN "*.py" EXCLUDE)
install(DIRECTORY scripts/launch USE_SOURCE_PERMISSIONS
  DESTINATION ${CMAKE_INSTALL_DATADIR}/continuo COMPONENT commands
  PATTERN "Dockerfile*" EXCLUDE)
install(FILES README.md CHANGELOG.md SECURITY.md LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT commands)

# Libraries. Sources include each other by their paths below the project, so
# these are kept, below a folder of the project's own; generated protocol buffers
# include each other below data/.

set(include_dir ${CMAKE_INSTALL_INCLUDEDIR}/continuo)
install(TARGETS ${libraries} EXPORT continuo
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  INCLUDES DESTINATION ${include_dir} ${include_dir}/data)
install(DIRECTORY runtime kernels data models train generate
  ${CMAKE_BINARY_DIR}/generated/
  DESTINATION ${include_dir} COMPONENT development
  FILES_MATCHING PATTERN "*.h" PATTERN "*.proto"
  PATTERN commands EXCLUDE)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/continuo)
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
list(JOIN libraries " " library_words)
install(EXPORT continuo NAMESPACE continuo:: FILE continuoTargets.cmake
  DESTINATION ${cmake_dir} COMPONENT development)
configure_package_config_file(${install_dir}/continuoConfig.cmake.in
  ${CMAKE_BINARY_DIR}/continuoConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(
  ${CMAKE_BINARY_DIR}/continuoConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/continuoConfig.cmake
  ${CMAKE_BINARY_DIR}/continuoConfigVersion.cmake
  DESTINATION ${cmake_dir} COMPONENT development)

# For pkg-config: all libraries in a group, as it knows no order among them, and
# the packages whose targets they link.
set(pc_requires)
set(pc_libs)
set(pc_cflags -DCONTINUO_HAS_CUDA=false)
set(pc_packaged_libs "-lleveldb -pthread")
if(CONTINUO_HAS_CUDA)
  set(pc_cflags "-DCONTINUO_HAS_CUDA=true")
  foreach(folder ${CUDAToolkit_INCLUDE_DIRS} ${CONTINUO_cudnn_INCLUDE})
    string(APPEND pc_cflags " -I${folder}")
  endforeach()
  string(APPEND pc_packaged_libs " -L${CUDAToolkit_LIBRARY_DIR}"
    " -Wl,-rpath,${CUDAToolkit_LIBRARY_DIR} -lcudart -lcublas")
  get_filename_component(folder ${CONTINUO_cudnn_LIBRARY} DIRECTORY)
  string(APPEND pc_packaged_libs
    " -Wl,-rpath,${folder} ${CONTINUO_cudnn_LIBRARY}")
endif()
foreach(library ${libraries})
  get_target_property(type ${library} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    string(APPEND pc_libs " -l${library}")
  endif()
  get_target_property(dependencies ${library} INTERFACE_LINK_LIBRARIES)
  foreach(dependency ${dependencies})
    if(dependency MATCHES "absl::([a-z0-9_]+)")
      list(APPEND pc_requires absl_${CMAKE_MATCH_1})
    endif()
  endforeach()
endforeach()
list(APPEND pc_requires protobuf libhwy libpng libzip nlohmann_json pugixml)
list(REMOVE_DUPLICATES pc_requires)
list(JOIN pc_requires ", " pc_requires)
file(RELATIVE_PATH pc_prefix
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(${install_dir}/continuo.pc.in
  ${CMAKE_BINARY_DIR}/continuo.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/continuo.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
