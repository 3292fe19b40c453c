# SPDX-License-Identifier: Apache-2.0

# Finds CUDA and what the GPU forms link. Sets CONTINUO_HAS_CUDA.

set(CONTINUO_CUDA_LIBS "$ENV{CONTINUO_CUDA_LIBS}" CACHE PATH
  "Folder of replacement CUDA runtime libraries that GPU tests load first")
set(CONTINUO_GPUSIM_SEEDS 3 CACHE STRING
  "Orders of deferred work that GPU tests are run in, where gpusim is used")
option(CONTINUO_CUDA_PTX_ONLY
  "Leave the machine code out of CUDA objects (compiles faster)" OFF)

# What compile commands of nvcc are run by, a list: save_ptxas.sh and, where the
# user has set one (CMAKE_CUDA_COMPILER_LAUNCHER), a compiler cache after it.
function(continuo_cuda_launcher out)
  set(launcher ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/save_ptxas.sh
    ${CONTINUO_PTXAS_DIR})
  # An empty element would be an empty argument.
  list(APPEND launcher ${CMAKE_CUDA_COMPILER_LAUNCHER})
  set(${out} "${launcher}" PARENT_SCOPE)
endfunction()

# continuo_cuda_sources(TARGET a_gpu.cu ...): adds CUDA sources. Each is compiled
# once to PTX and from there for every architecture: sm_80 and newer, or, of
# files that use thread-block clusters (*_cluster_gpu.cu), sm_90 and newer.
# To be called once for all sources of a target.
function(continuo_cuda_sources target)
  if(NOT CONTINUO_HAS_CUDA)
    return()
  endif()
  target_sources(${target} PRIVATE ${ARGN})
  foreach(source ${ARGN})
    if(source MATCHES "_cluster_gpu\\.cu$")
      set(ptx compute_90)
      set(machine sm_90,sm_100)
    elseif(source MATCHES "\\.cu$")
      set(ptx compute_80)
      set(machine sm_80,sm_90,sm_100)
    else()
      continue()
    endif()
    set(options "-gencode=arch=${ptx},code=[${ptx},${machine}];-Xptxas=-v")
    if(CONTINUO_CUDA_PTX_ONLY)
      set(options "-gencode=arch=${ptx},code=${ptx}")
    endif()
    # CMake from 3.31 on would join these, too.
    set_source_files_properties(${source} PROPERTIES
      COMPILE_OPTIONS "${options}" SKIP_UNITY_BUILD_INCLUSION ON)
    set_property(GLOBAL APPEND PROPERTY CONTINUO_PTXAS_FILES
      ${CONTINUO_PTXAS_DIR}/${source}.txt)
  endforeach()
  if(CONTINUO_PTXAS_DIR)
    continuo_cuda_launcher(launcher)
    set_target_properties(${target} PROPERTIES
      CUDA_COMPILER_LAUNCHER "${launcher}")
    set_property(GLOBAL APPEND PROPERTY CONTINUO_PTXAS_TARGETS ${target})
  endif()
endfunction()

# The target continuo_registers: registers.txt, after all CUDA sources.
function(continuo_ptxas_registers)
  if(NOT CONTINUO_PTXAS_DIR)
    add_custom_target(continuo_registers)
    return()
  endif()
  get_property(files GLOBAL PROPERTY CONTINUO_PTXAS_FILES)
  get_property(targets GLOBAL PROPERTY CONTINUO_PTXAS_TARGETS)
  add_custom_target(continuo_registers ALL VERBATIM
    COMMAND awk "/entry function/ {on = /'sm_90'/} on" ${files}
      > ${CONTINUO_PTXAS_DIR}/registers.txt)
  add_dependencies(continuo_registers ${targets})
endfunction()

# Compiles a few lines, as nvcc does not where the C++ compiler or the C library
# is newer than it knows. Sets `out` to its first error, or to nothing.
function(continuo_nvcc_error nvcc out)
  set(source ${CMAKE_BINARY_DIR}/CMakeFiles/try.cu)
  file(WRITE ${source} "#include <algorithm>\n#include <cmath>\n"
    "#include <cuda_bf16.h>\n__global__ void Nothing() {}\n")
  set(host "${CMAKE_CUDA_HOST_COMPILER}")
  if(NOT host)
    set(host "$ENV{CUDAHOSTCXX}")
  endif()
  if(host)
    set(host -ccbin ${host})
  endif()
  execute_process(COMMAND ${nvcc} -std=c++20 ${host} -c ${source} -o ${source}.o
    OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
  set(error)
  if(NOT status EQUAL 0)
    string(REGEX MATCH "[^\n]*([Ee]rror|fatal)[^\n]*" error "${said}")
    if(NOT error)
      set(error "${status} ${said}")
    endif()
  endif()
  set(${out} "${error}" PARENT_SCOPE)
endfunction()

# In the cache for scripts/test.sh.
set(CONTINUO_HAS_CUDA OFF CACHE INTERNAL "This build has the CUDA forms")
if(CONTINUO_CUDA STREQUAL "OFF")
  return()
endif()

# Returns from here, or stops, saying why.
macro(continuo_no_cuda why)
  if(CONTINUO_CUDA STREQUAL "AUTO")
    message(STATUS "CUDA forms are left out: ${why}")
    return()
  endif()
  message(FATAL_ERROR "CONTINUO_CUDA=${CONTINUO_CUDA}: ${why}")
endmacro()

find_program(CONTINUO_NVCC NAMES ${CMAKE_CUDA_COMPILER} "$ENV{CUDACXX}" nvcc
  NAMES_PER_DIR HINTS "$ENV{CUDA_HOME}/bin" /usr/local/cuda/bin NO_CACHE)
if(NOT CONTINUO_NVCC)
  continuo_no_cuda("nvcc not found")
endif()
if(NOT CONTINUO_NVCC_WORKS STREQUAL CONTINUO_NVCC)
  continuo_nvcc_error(${CONTINUO_NVCC} error)
  if(error)
    continuo_no_cuda("${CONTINUO_NVCC} compiles nothing here: ${error}")
  endif()
  set(CONTINUO_NVCC_WORKS ${CONTINUO_NVCC} CACHE INTERNAL "Tried already")
endif()
set(CMAKE_CUDA_COMPILER ${CONTINUO_NVCC})
# The code of each source is named in continuo_cuda_sources.
set(CMAKE_CUDA_ARCHITECTURES OFF)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
set(CMAKE_CUDA_STANDARD 17)  # for the compiler's own test
enable_language(CUDA)
# CMake before 3.27 does not know that nvcc has C++20.
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
# What the assembler says of each source's kernels: SOURCE.txt in this folder
# (tests/kernels/self_check/spills_test.cc reads it), all of sm_90 in
# registers.txt (for gpusim's occupancy and launch limits). Nothing is assembled
# for PTX alone.
set(CONTINUO_PTXAS_DIR)
if(NOT CONTINUO_CUDA_PTX_ONLY)
  set(CONTINUO_PTXAS_DIR ${CMAKE_BINARY_DIR}/ptxas)
endif()
# In projects that require CMake 3.25, version 3.25.1 deprecates a library of the
# toolkit without looking whether it is there, and fails; CUDA 13 lacks it.
set(required ${CMAKE_MINIMUM_REQUIRED_VERSION})
set(CMAKE_MINIMUM_REQUIRED_VERSION 3.24)
find_package(CUDAToolkit 12)
set(CMAKE_MINIMUM_REQUIRED_VERSION ${required})
if(NOT CUDAToolkit_FOUND)
  continuo_no_cuda("the CUDA toolkit, 12 or newer, not found")
endif()
find_path(CONTINUO_cudnn_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(CONTINUO_cudnn_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
if(NOT CONTINUO_cudnn_INCLUDE OR NOT CONTINUO_cudnn_LIBRARY)
  continuo_no_cuda("cudnn not found")
endif()
set(CONTINUO_HAS_CUDA ON CACHE INTERNAL "This build has the CUDA forms")
message(STATUS "CUDA forms are built, with ${CMAKE_CUDA_COMPILER}")

# Libraries and headers of the GPU forms. Shared, so that tests can put others
# in their place; found by RUNPATH, which LD_LIBRARY_PATH comes before.
add_library(continuo_cuda INTERFACE)
target_link_libraries(continuo_cuda INTERFACE
  CUDA::cudart CUDA::cublas ${CONTINUO_cudnn_LIBRARY})
target_include_directories(continuo_cuda SYSTEM INTERFACE
  ${CUDAToolkit_INCLUDE_DIRS} ${CONTINUO_cudnn_INCLUDE})
target_link_options(continuo_cuda INTERFACE -Wl,--enable-new-dtags)
set_target_properties(continuo_cuda PROPERTIES EXPORT_NAME cuda)
set_property(GLOBAL APPEND PROPERTY CONTINUO_LIBRARIES continuo_cuda)

set(CONTINUO_CUDA_TEST_ENVIRONMENT)
if(CONTINUO_CUDA_LIBS)
  set(CONTINUO_CUDA_TEST_ENVIRONMENT
    LD_LIBRARY_PATH=path_list_prepend:${CONTINUO_CUDA_LIBS})
  if(CONTINUO_PTXAS_DIR)
    list(APPEND CONTINUO_CUDA_TEST_ENVIRONMENT
      GPUSIM_PTXAS=set:${CONTINUO_PTXAS_DIR}/registers.txt)
  endif()
endif()
