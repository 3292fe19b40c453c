// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/cuda_status.h"

#include "absl/strings/str_cat.h"

namespace continuo {
namespace {

// The name of the function in "name(arguments)".
absl::string_view Function(absl::string_view call) {
  return call.substr(0, call.find('('));
}

absl::Status Failure(absl::StatusCode code, absl::string_view call,
                     absl::string_view text) {
  return absl::Status(code, absl::StrCat(Function(call), ": ", text));
}

}  // namespace

absl::Status CudaStatus(cudaError_t code, absl::string_view call) {
  if (code == cudaSuccess) return absl::OkStatus();
  absl::StatusCode status = absl::StatusCode::kInternal;
  if (code == cudaErrorMemoryAllocation) {
    status = absl::StatusCode::kResourceExhausted;
  } else if (code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver) {
    status = absl::StatusCode::kUnavailable;
  }
  return Failure(status, call, cudaGetErrorString(code));
}

absl::Status CudaStatus(cublasStatus_t code, absl::string_view call) {
  if (code == CUBLAS_STATUS_SUCCESS) return absl::OkStatus();
  return Failure(code == CUBLAS_STATUS_ALLOC_FAILED
                     ? absl::StatusCode::kResourceExhausted
                     : absl::StatusCode::kInternal,
                 call, cublasGetStatusString(code));
}

absl::Status CudaStatus(cudnnStatus_t code, absl::string_view call) {
  if (code == CUDNN_STATUS_SUCCESS) return absl::OkStatus();
  return Failure(absl::StatusCode::kInternal, call, cudnnGetErrorString(code));
}

}  // namespace continuo
