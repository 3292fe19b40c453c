// SPDX-License-Identifier: Apache-2.0

// Open MPI, loaded when it is wanted: a program that works alone neither needs
// it nor waits for its many libraries.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_MPI_LIBRARY_H_
#define CONTINUO_RUNTIME_COLLECTIVE_MPI_LIBRARY_H_

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The functions that are called.
#define CONTINUO_MPI_FUNCTIONS(X) \
  X(Abort)                        \
  X(Comm_rank)                    \
  X(Comm_set_errhandler)          \
  X(Comm_size)                    \
  X(Error_string)                 \
  X(Finalize)                     \
  X(Get_count)                    \
  X(Iallreduce)                   \
  X(Init_thread)                  \
  X(Iprobe)                       \
  X(Irecv)                        \
  X(Isend)                        \
  X(Recv)                         \
  X(Test)                         \
  X(Testall)

namespace continuo {

// As MPI_Isend is mpi.Isend here, so is MPI_COMM_WORLD, an object of the
// library, mpi.world.
struct MpiLibrary {
#define CONTINUO_MPI_MEMBER(name) decltype(&MPI_##name) name = nullptr;
  CONTINUO_MPI_FUNCTIONS(CONTINUO_MPI_MEMBER)
#undef CONTINUO_MPI_MEMBER
  MPI_Comm world = nullptr;
  MPI_Datatype byte = nullptr;
  MPI_Datatype float_type = nullptr;
  MPI_Op sum = nullptr;
  MPI_Errhandler errors_return = nullptr;
};

// Unavailable, with the loader's reason, where it cannot be loaded.
absl::StatusOr<const MpiLibrary*> LoadMpi();

// OK, or Internal with the library's words.
absl::Status MpiStatus(const MpiLibrary& mpi, int code, absl::string_view call);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_MPI_LIBRARY_H_
