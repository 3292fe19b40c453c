# SPDX-License-Identifier: Apache-2.0

# Finds NCCL. Sets CONTINUO_HAS_NCCL, CONTINUO_nccl_INCLUDE and
# CONTINUO_nccl_LIBRARY. Nothing is linked: programs load the library when they
# are one of several on GPUs.

set(CONTINUO_HAS_NCCL OFF)
if(CONTINUO_NCCL STREQUAL "OFF")
  return()
endif()

# Returns from here, or stops, saying why.
macro(continuo_no_nccl why)
  if(CONTINUO_NCCL STREQUAL "AUTO")
    if(CONTINUO_HAS_CUDA)
      message(STATUS "NCCL is left out: ${why}")
    endif()
    return()
  endif()
  message(FATAL_ERROR "CONTINUO_NCCL=${CONTINUO_NCCL}: ${why}")
endmacro()

if(NOT CONTINUO_HAS_CUDA)
  continuo_no_nccl("this build has no CUDA forms")
endif()
find_path(CONTINUO_nccl_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(CONTINUO_nccl_LIBRARY NAMES nccl libnccl.so.2
  HINTS ${CUDAToolkit_LIBRARY_DIR})
if(NOT CONTINUO_nccl_INCLUDE OR NOT CONTINUO_nccl_LIBRARY)
  continuo_no_nccl("nccl.h or libnccl not found")
endif()
set(CONTINUO_HAS_NCCL ON)
message(STATUS "NCCL is built in, from ${CONTINUO_nccl_LIBRARY}")
