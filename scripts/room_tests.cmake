# SPDX-License-Identifier: Apache-2.0

# One test binary a room, and one CTest case a file: a binary for each file would
# make linking most of a build, and one case for all would run them one by one.

# What scripts/test.sh --asan builds.
add_custom_target(parser_tests)

# Sets `out` to the --gtest_filter of the tests that a file defines, itself or
# in the headers that it includes from tests/.
function(continuo_test_filter source out)
  set(pattern "^(TYPED_)?TEST(_[FP])?\\(")
  file(STRINGS ${source} lines REGEX "${pattern}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(STRINGS ${source} headers REGEX "^#include \"tests/")
  foreach(header ${headers})
    string(REGEX REPLACE "^#include \"(.*)\"$" "\\1" header "${header}")
    file(STRINGS ${CMAKE_SOURCE_DIR}/${header} more REGEX "${pattern}")
    list(APPEND lines ${more})
  endforeach()
  set(filters)
  foreach(line ${lines})
    if(line MATCHES "${pattern}([A-Za-z0-9_]+)")
      set(suite ${CMAKE_MATCH_3})
      # Itself, with parameters, with types.
      list(APPEND filters "${suite}.*" "*/${suite}.*" "${suite}/*")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES filters)
  if(NOT filters)
    message(FATAL_ERROR "${source} defines no test")
  endif()
  list(JOIN filters ":" filters)
  set(${out} "${filters}" PARENT_SCOPE)
endfunction()

# Adds a test binary, or more sources and libraries to the one that is there.
function(continuo_test_binary target sources dependencies)
  if(NOT TARGET ${target})
    add_executable(${target})
    target_compile_definitions(${target} PRIVATE
      CONTINUO_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
      CONTINUO_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
    set_target_properties(${target} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_precompile_headers(${target} REUSE_FROM continuo_tests_headers)
  endif()
  target_sources(${target} PRIVATE ${sources})
  target_link_libraries(${target} PRIVATE ${dependencies} continuo_tests_testing
                                          GTest::gtest_main continuo_options)
endfunction()

# continuo_test_case(NAME SOURCE [LABELS..] [TIMEOUT n] [ENVIRONMENT A=set:1..]
#   [FILTER pattern]): one more CTest case of a file of this folder's tests, one
# of *_gpu_test.cc with all that these need.
function(continuo_test_case name source)
  cmake_parse_arguments(ARG "" "TIMEOUT;FILTER" "LABELS;ENVIRONMENT" ${ARGN})
  continuo_folder(folder)
  string(REPLACE "/" "_" target ${folder})
  string(REGEX REPLACE "^tests/" "" folder ${folder})
  if(source MATCHES "_gpu_test\\.cc$")
    set(target ${target}_gpu)
    list(APPEND ARG_LABELS gpu)
    list(PREPEND ARG_ENVIRONMENT ${CONTINUO_CUDA_TEST_ENVIRONMENT})
  endif()
  if(ARG_FILTER)
    set(filter "${ARG_FILTER}")
  else()
    continuo_test_filter(${CMAKE_CURRENT_SOURCE_DIR}/${source} filter)
  endif()
  if(source MATCHES "_golden(_gpu)?_test\\.cc$")
    list(APPEND ARG_LABELS golden)
  endif()
  # What the thread sanitizer is for.
  file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/${source} threads LIMIT_COUNT 1 REGEX
    "ThreadPool [a-z_]+[({]([a-z]|[2-9]|1[0-9])|Thread [a-z_]+[({]|std::thread|--threads=[2-9]")
  if(threads)
    list(APPEND ARG_LABELS threads)
  endif()
  add_test(NAME ${folder}/${name} COMMAND ${target} --gtest_filter=${filter})
  set_tests_properties(${folder}/${name} PROPERTIES LABELS "${ARG_LABELS}"
    ENVIRONMENT_MODIFICATION "${ARG_ENVIRONMENT}")
  if(ARG_TIMEOUT)
    set_tests_properties(${folder}/${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  endif()
  if(source MATCHES "_gpu_test\\.cc$")
    # ctest would count a test whose cases skip as passed.
    set_tests_properties(${folder}/${name} PROPERTIES SKIP_REGULAR_EXPRESSION
      "no CUDA device can be used|there is no CUDA device")
  endif()
endfunction()

# continuo_tests(SRCS a_test.cc b_golden_test.cc c_gpu_test.cc DEPS t1
#   [PARSER] [COMMANDS c1] [SLOW a_test.cc] [NO_CASE a_test.cc]
#   [ASYNC c_gpu_test.cc] [NO_CHECK c_gpu_test.cc] [TIMEOUT n]): the tests of
# the room that this folder mirrors, which is linked without being named. Each
# file is a case named by its path below tests/.
#
#   PARSER    they link nothing but readers of files, or what these are made of:
#             scripts/test.sh --asan runs them under sanitizers, which takes long
#             for all tests
#   COMMANDS  binaries that they run
#   SLOW      labelled slow
#   NO_CASE   has its cases from continuo_test_case
#
# Those that make threads are labelled threads.
#
# *_gpu_test.cc run on a CUDA device, or on the replacement libraries in
# CONTINUO_CUDA_LIBS, in a binary of their own, and skip where there is neither.
# gpusim checks for races and unwritten memory except in NO_CHECK. For what uses
# several streams, events, pinned memory or graphs, ASYNC adds cases in which
# gpusim defers work, in the orders of seeds 1 to CONTINUO_GPUSIM_SEEDS.
function(continuo_tests)
  cmake_parse_arguments(ARG "PARSER" "TIMEOUT"
    "SRCS;DEPS;COMMANDS;SLOW;NO_CASE;ASYNC;NO_CHECK" ${ARGN})
  continuo_folder(folder)
  string(REPLACE "/" "_" target ${folder})
  string(REGEX REPLACE "^tests/" "" room ${folder})
  continuo_targets(dependencies ${ARG_DEPS})
  continuo_targets(library ${room})
  if(TARGET ${library})
    list(APPEND dependencies ${library})
  endif()
  set(gpu_sources ${ARG_SRCS})
  list(FILTER gpu_sources INCLUDE REGEX "_gpu_test\\.cc$")
  list(FILTER ARG_SRCS EXCLUDE REGEX "_gpu_test\\.cc$")
  if(NOT CONTINUO_HAS_CUDA)
    set(gpu_sources)
  endif()
  if(ARG_SRCS)
    continuo_test_binary(${target} "${ARG_SRCS}" "${dependencies}")
    if(ARG_PARSER)
      add_dependencies(parser_tests ${target})
    endif()
    if(ARG_COMMANDS)
      add_dependencies(${target} ${ARG_COMMANDS})
    endif()
  endif()
  if(gpu_sources)
    continuo_test_binary(${target}_gpu "${gpu_sources}" "${dependencies}")
    add_dependencies(${target}_gpu continuo_registers ${ARG_COMMANDS})
  endif()
  foreach(source ${ARG_SRCS} ${gpu_sources})
    if(source IN_LIST ARG_NO_CASE)
      continue()
    endif()
    get_filename_component(name ${source} NAME_WE)
    set(labels)
    if(source IN_LIST ARG_SLOW)
      list(APPEND labels slow)
    endif()
    if(ARG_PARSER)
      list(APPEND labels parser)
    endif()
    set(environment)
    if(source IN_LIST gpu_sources AND NOT source IN_LIST ARG_NO_CHECK)
      set(environment GPUSIM_CHECK=set:1)
    endif()
    set(options LABELS ${labels})
    if(ARG_TIMEOUT)
      list(APPEND options TIMEOUT ${ARG_TIMEOUT})
    endif()
    continuo_test_case(${name} ${source} ${options} ENVIRONMENT ${environment})
    if(source IN_LIST ARG_ASYNC AND CONTINUO_CUDA_LIBS)
      foreach(seed RANGE 1 ${CONTINUO_GPUSIM_SEEDS})
        continuo_test_case(${name}.seed${seed} ${source} ${options}
          ENVIRONMENT GPUSIM_ASYNC=set:${seed})
      endforeach()
    endif()
  endforeach()
endfunction()
