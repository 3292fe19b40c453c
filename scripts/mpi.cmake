# SPDX-License-Identifier: Apache-2.0

# Finds Open MPI. Sets CONTINUO_HAS_MPI, CONTINUO_MPI_INCLUDES,
# CONTINUO_MPI_SONAME and CONTINUO_MPIRUN. Nothing is linked: programs load the
# library when mpirun has started them, and need none of it otherwise.

set(CONTINUO_HAS_MPI OFF)
if(CONTINUO_MPI STREQUAL "OFF")
  return()
endif()

# Returns from here, or stops, saying why.
macro(continuo_no_mpi why)
  if(CONTINUO_MPI STREQUAL "AUTO")
    message(STATUS "MPI is left out: ${why}")
    return()
  endif()
  message(FATAL_ERROR "CONTINUO_MPI=${CONTINUO_MPI}: ${why}")
endmacro()

# Debian has several MPIs side by side, and says which is which in the name.
find_program(CONTINUO_MPICXX NAMES mpicxx.openmpi mpicxx NO_CACHE)
if(NOT CONTINUO_MPICXX)
  continuo_no_mpi("mpicxx not found; scripts/install_packages.sh --mpi")
endif()
find_program(CONTINUO_MPIRUN NAMES mpirun.openmpi mpirun NO_CACHE)
if(NOT CONTINUO_MPIRUN)
  continuo_no_mpi("mpirun not found; scripts/install_packages.sh --mpi")
endif()
foreach(kind incdirs libdirs)
  execute_process(COMMAND ${CONTINUO_MPICXX} --showme:${kind}
    OUTPUT_VARIABLE ${kind} ERROR_QUIET RESULT_VARIABLE status
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    continuo_no_mpi("${CONTINUO_MPICXX} is not that of Open MPI")
  endif()
  separate_arguments(${kind} UNIX_COMMAND "${${kind}}")
endforeach()
find_path(CONTINUO_MPI_HEADER mpi.h PATHS ${incdirs} NO_DEFAULT_PATH NO_CACHE)
if(NOT CONTINUO_MPI_HEADER)
  continuo_no_mpi("mpi.h not found; scripts/install_packages.sh --mpi")
endif()
# libmpi.so leads to libmpi.so.40.30.4, which programs know as libmpi.so.40.
find_library(CONTINUO_MPI_LIBRARY mpi HINTS ${libdirs} NO_CACHE)
if(NOT CONTINUO_MPI_LIBRARY)
  continuo_no_mpi("libmpi not found; scripts/install_packages.sh --mpi")
endif()
file(REAL_PATH ${CONTINUO_MPI_LIBRARY} library)
if(NOT library MATCHES "/(libmpi\\.so\\.[0-9]+)[^/]*$")
  continuo_no_mpi("${library} has no version in its name")
endif()
set(CONTINUO_MPI_SONAME ${CMAKE_MATCH_1})
set(CONTINUO_MPI_INCLUDES ${incdirs})
set(CONTINUO_HAS_MPI ON)
message(STATUS "MPI is built in, with ${CONTINUO_MPICXX}")
