// SPDX-License-Identifier: Apache-2.0

// Codes of CUDA, cuBLAS and cuDNN as absl::Status, by one macro.

#ifndef CONTINUO_RUNTIME_DEVICE_CUDA_STATUS_H_
#define CONTINUO_RUNTIME_DEVICE_CUDA_STATUS_H_

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/base/status.h"

namespace continuo {

// OK, or an error with the library's own words: ResourceExhausted where memory
// ran out, Unavailable where there is no device or driver, else Internal.
absl::Status CudaStatus(cudaError_t code, absl::string_view call);
absl::Status CudaStatus(cublasStatus_t code, absl::string_view call);
absl::Status CudaStatus(cudnnStatus_t code, absl::string_view call);

}  // namespace continuo

// Returns from the enclosing function if a call of one of these libraries, or a
// launch (cudaGetLastError()), has failed.
#define CONTINUO_RETURN_IF_CUDA_ERROR(call) \
  CONTINUO_RETURN_IF_ERROR(::continuo::CudaStatus((call), #call))

#endif  // CONTINUO_RUNTIME_DEVICE_CUDA_STATUS_H_
