# SPDX-License-Identifier: Apache-2.0

# The launcher of nvcc has no empty element where the user has set no compiler
# cache, and all elements of one that is set; folders may have blanks.
set(CONTINUO_CUDA OFF)
include(${CMAKE_CURRENT_LIST_DIR}/../../scripts/cuda.cmake)
set(CONTINUO_PTXAS_DIR "/my build/ptxas")
get_filename_component(script
  ${CMAKE_CURRENT_LIST_DIR}/../../scripts/save_ptxas.sh ABSOLUTE)

function(expect_launcher cache expected)
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${cache}")
  continuo_cuda_launcher(launcher)
  if(NOT launcher STREQUAL expected)
    message(SEND_ERROR "with '${cache}': '${launcher}', not '${expected}'")
  endif()
endfunction()
expect_launcher("" "${script};/my build/ptxas")
expect_launcher("ccache" "${script};/my build/ptxas;ccache")
expect_launcher("/my tools/cache;-v" "${script};/my build/ptxas;/my tools/cache;-v")
