// SPDX-License-Identifier: Apache-2.0

// NCCL, loaded when several processes compute on GPUs.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_NCCL_LIBRARY_H_
#define CONTINUO_RUNTIME_COLLECTIVE_NCCL_LIBRARY_H_

#include <nccl.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The functions that are called.
#define CONTINUO_NCCL_FUNCTIONS(X) \
  X(AllGather)                     \
  X(AllReduce)                     \
  X(Broadcast)                     \
  X(CommAbort)                     \
  X(CommDestroy)                   \
  X(CommFinalize)                  \
  X(CommGetAsyncError)             \
  X(CommInitRankConfig)            \
  X(GetErrorString)                \
  X(GetUniqueId)                   \
  X(GroupEnd)                      \
  X(GroupStart)                    \
  X(Recv)                          \
  X(Send)

namespace continuo {

// ncclSend is nccl.Send here.
struct NcclLibrary {
#define CONTINUO_NCCL_MEMBER(name) decltype(&nccl##name) name = nullptr;
  CONTINUO_NCCL_FUNCTIONS(CONTINUO_NCCL_MEMBER)
#undef CONTINUO_NCCL_MEMBER
};

// Unavailable, with the loader's reason, where it cannot be loaded.
absl::StatusOr<const NcclLibrary*> LoadNccl();

// OK, also for what is still in progress, or Internal with the library's words.
absl::Status NcclStatus(const NcclLibrary& nccl, ncclResult_t code,
                        absl::string_view call);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_NCCL_LIBRARY_H_
