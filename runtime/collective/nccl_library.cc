// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/nccl_library.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

template <typename T>
absl::Status FindNccl(void* library, const char* name, T* to) {
  void* found = dlsym(library, name);
  if (found == nullptr) {
    return absl::UnavailableError(absl::StrCat("NCCL: ", dlerror()));
  }
  *to = reinterpret_cast<T>(found);
  return absl::OkStatus();
}

absl::StatusOr<NcclLibrary> OpenNccl() {
  // By its name, as the loader finds it, else where the build has found it.
  void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const std::string why = dlerror();
    library = dlopen(CONTINUO_NCCL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("NCCL, which connects GPUs, cannot be loaded: ", why));
    }
  }
  NcclLibrary nccl;
#define CONTINUO_NCCL_FIND(name) \
  CONTINUO_RETURN_IF_ERROR(FindNccl(library, "nccl" #name, &nccl.name));
  CONTINUO_NCCL_FUNCTIONS(CONTINUO_NCCL_FIND)
#undef CONTINUO_NCCL_FIND
  return nccl;
}

}  // namespace

absl::StatusOr<const NcclLibrary*> LoadNccl() {
  static const auto& nccl = *new absl::StatusOr<NcclLibrary>(OpenNccl());
  if (!nccl.ok()) return nccl.status();
  return &*nccl;
}

absl::Status NcclStatus(const NcclLibrary& nccl, ncclResult_t code,
                        absl::string_view call) {
  if (code == ncclSuccess || code == ncclInProgress) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("nccl", call, ": ", nccl.GetErrorString(code)));
}

}  // namespace continuo
