# SPDX-License-Identifier: Apache-2.0

# Debian packages, made by cpack (scripts/package.sh): the commands, and the
# libraries to build on. Those with the CUDA forms have names of their own.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME continuo)
set(CPACK_PACKAGE_VENDOR continuo)
set(CPACK_PACKAGE_CONTACT "The continuo authors <continuo@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL commands development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION sound)

set(flavour "")
if(CONTINUO_HAS_CUDA)
  set(flavour -cuda)
endif()
set(CPACK_DEBIAN_COMMANDS_PACKAGE_NAME continuo${flavour})
set(CPACK_DEBIAN_COMMANDS_PACKAGE_SHLIBDEPS ON)
if(CONTINUO_HAS_MPI)
  # Loaded by commands that mpirun has started.
  set(CPACK_DEBIAN_COMMANDS_PACKAGE_SUGGESTS openmpi-bin)
endif()
set(CPACK_COMPONENT_COMMANDS_DESCRIPTION
"recurrent networks that write music
 Trains and runs the networks of Magenta's Melody RNN, Drums RNN and Performance
 RNN: commands that convert music files to training examples, train, evaluate
 and write MIDI files.")

# The packages that the build needs are those that its libraries are linked by.
execute_process(
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/install_packages.sh --list
  OUTPUT_VARIABLE dev_packages OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" dev_packages "${dev_packages}")
list(FILTER dev_packages INCLUDE REGEX "-dev$")
list(JOIN dev_packages ", " dev_packages)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcontinuo${flavour}-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ${dev_packages})
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"libraries and headers of continuo
 For C++ programs that load a trained network and generate music, by CMake's
 find_package(continuo) or by pkg-config.")

# One of the two builds at a time.
if(CONTINUO_HAS_CUDA)
  set(CPACK_DEBIAN_COMMANDS_PACKAGE_PROVIDES continuo)
  set(CPACK_DEBIAN_COMMANDS_PACKAGE_CONFLICTS continuo)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_PROVIDES libcontinuo-dev)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_CONFLICTS libcontinuo-dev)
  # Where the CUDA libraries are in no package, the commands name their folder.
  set_target_properties(${commands} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()
include(CPack)
