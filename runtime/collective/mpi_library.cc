// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/mpi_library.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

template <typename T>
absl::Status Find(void* library, const char* name, T* to) {
  void* found = dlsym(library, name);
  if (found == nullptr) {
    return absl::UnavailableError(absl::StrCat("Open MPI: ", dlerror()));
  }
  *to = reinterpret_cast<T>(found);
  return absl::OkStatus();
}

absl::StatusOr<MpiLibrary> Load() {
  // Global, for the components that the library loads itself.
  void* library = dlopen(CONTINUO_MPI_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "Open MPI cannot be loaded: ", dlerror(), "; install openmpi-bin"));
  }
  MpiLibrary mpi;
#define CONTINUO_MPI_FIND(name) \
  CONTINUO_RETURN_IF_ERROR(Find(library, "MPI_" #name, &mpi.name));
  CONTINUO_MPI_FUNCTIONS(CONTINUO_MPI_FIND)
#undef CONTINUO_MPI_FIND
  CONTINUO_RETURN_IF_ERROR(Find(library, "ompi_mpi_comm_world", &mpi.world));
  CONTINUO_RETURN_IF_ERROR(Find(library, "ompi_mpi_byte", &mpi.byte));
  CONTINUO_RETURN_IF_ERROR(Find(library, "ompi_mpi_float", &mpi.float_type));
  CONTINUO_RETURN_IF_ERROR(Find(library, "ompi_mpi_op_sum", &mpi.sum));
  CONTINUO_RETURN_IF_ERROR(
      Find(library, "ompi_mpi_errors_return", &mpi.errors_return));
  return mpi;
}

}  // namespace

absl::StatusOr<const MpiLibrary*> LoadMpi() {
  static const auto& mpi = *new absl::StatusOr<MpiLibrary>(Load());
  if (!mpi.ok()) return mpi.status();
  return &*mpi;
}

absl::Status MpiStatus(const MpiLibrary& mpi, int code,
                       absl::string_view call) {
  if (code == MPI_SUCCESS) return absl::OkStatus();
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  mpi.Error_string(code, text, &length);
  return absl::InternalError(absl::StrCat("MPI_", call, ": ", text));
}

}  // namespace continuo
