# SPDX-License-Identifier: Apache-2.0

# One library a room: a folder's CMakeLists.txt names its sources and the rooms
# and packages it uses, and the target is named by the folder, data/notes/abc
# being continuo_data_notes_abc. Commands and fuzz targets are named by hand.

# Sets `out` to the targets of DEPS: a room by its folder ("kernels/gemm"), what
# is no room by its own name ("absl::strings").
function(continuo_targets out)
  set(targets)
  foreach(dependency ${ARGN})
    if(dependency MATCHES
       "^(runtime|kernels|data|models|train|generate|tests)/")
      string(REPLACE "/" "_" dependency continuo_${dependency})
    endif()
    list(APPEND targets ${dependency})
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

# Sets `out` to the current folder, seen from the project's: "kernels/gemm".
function(continuo_folder out)
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(${out} ${folder} PARENT_SCOPE)
endfunction()

# The headers that most sources include, compiled once: parsing them is most of
# what a source takes to compile. Sources include what they use all the same
# (CMAKE_DISABLE_PRECOMPILE_HEADERS=ON, as in the preset tsan, proves it).
set(CONTINUO_COMMON_HEADERS
  <algorithm> <cmath> <functional> <map> <memory> <optional> <set> <string>
  <utility> <vector> <absl/functional/function_ref.h> <absl/status/status.h>
  <absl/status/statusor.h> <absl/strings/ascii.h> <absl/strings/match.h>
  <absl/strings/numbers.h> <absl/strings/str_cat.h>
  <absl/strings/str_format.h> <absl/strings/str_join.h>
  <absl/strings/str_split.h> <absl/strings/string_view.h>
  <absl/strings/strip.h> <absl/types/span.h> <data/proto/music.pb.h>)

# continuo_headers(NAME DEPS t1 HEADERS <a.h>): a target whose precompiled
# headers others use.
function(continuo_headers name)
  cmake_parse_arguments(ARG "" "" "DEPS;HEADERS" ${ARGN})
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} continuo_options)
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

# continuo_library(TARGET): a library that is installed, as continuo::ROOM, where
# includes are found that begin with the project's folders. To be called after
# target_link_libraries.
function(continuo_library name)
  string(REGEX REPLACE "^continuo_" "" exported ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${exported})
  set_property(GLOBAL APPEND PROPERTY CONTINUO_LIBRARIES ${name})
  get_target_property(type ${name} TYPE)
  set(scope PUBLIC)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  else()
    # Warnings as errors are nothing for those who use the library.
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:continuo_options>)
  endif()
  target_compile_features(${name} ${scope} cxx_std_20)
  target_include_directories(${name} ${scope}
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
endfunction()

# continuo_room(SRCS a.cc b_gpu.cu DEPS kernels/common absl::strings): the
# library of this folder. Sources that need CUDA (*_gpu.*) are left out where
# there is none. A room of headers alone has no SRCS.
function(continuo_room)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  continuo_folder(folder)
  continuo_targets(name ${folder})
  continuo_targets(dependencies ${ARG_DEPS})
  set(cuda_sources ${ARG_SRCS})
  list(FILTER cuda_sources INCLUDE REGEX "_gpu\\.(cu|cc)$")
  list(FILTER ARG_SRCS EXCLUDE REGEX "_gpu\\.(cu|cc)$")
  if(NOT ARG_SRCS)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${dependencies})
    continuo_library(${name})
    return()
  endif()
  # In a unity build these stay apart: kernels include themselves once for each
  # instruction set, and a command has the flags of the objects that it links.
  set(own_sources ${ARG_SRCS})
  list(FILTER own_sources INCLUDE REGEX "_(cpu|flags)\\.cc$")
  set_source_files_properties(${own_sources} PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON)
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC ${dependencies})
  continuo_library(${name})
  target_precompile_headers(${name} REUSE_FROM continuo_common_headers)
  if(cuda_sources)
    continuo_cuda_sources(${name} ${cuda_sources})
  endif()
endfunction()

# continuo_command(NAME SRCS main.cc DEPS t1 DEFINES A=1): one binary in bin/.
function(continuo_command name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;DEFINES" ${ARGN})
  continuo_targets(dependencies ${ARG_DEPS})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ${dependencies} continuo_options)
  target_compile_definitions(${name} PRIVATE ${ARG_DEFINES})
  target_precompile_headers(${name} REUSE_FROM continuo_common_headers)
  set_property(GLOBAL APPEND PROPERTY CONTINUO_COMMANDS ${name})
endfunction()

# continuo_fuzzer(path/file_fuzz.cc DEPS t1): a libFuzzer target in bin/, which
# the target `fuzzers` builds with all others.
if(CONTINUO_FUZZERS)
  add_custom_target(fuzzers)
endif()
function(continuo_fuzzer source)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(NOT CONTINUO_FUZZERS)
    return()
  endif()
  continuo_targets(dependencies ${ARG_DEPS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${dependencies} continuo_options)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
endfunction()
