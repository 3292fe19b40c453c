// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/version.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/version_number.h"
#include "runtime/device/cuda_support.h"
#include "runtime/device/device.h"

namespace continuo {
namespace {

std::string Compiler() {
#if defined(__clang__)
  return absl::StrCat("Clang ", __clang_major__, ".", __clang_minor__, ".",
                      __clang_patchlevel__);
#else
  return absl::StrCat("GCC ", __GNUC__, ".", __GNUC_MINOR__, ".",
                      __GNUC_PATCHLEVEL__);
#endif
}

std::string InstructionSet() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  if (__builtin_cpu_supports("sse4.2")) return "SSE4";
  return "SSE2";
#elif defined(__aarch64__)
  return "NEON";
#else
  return "portable code";
#endif
}

std::string Devices() {
  if (!kHasCuda) return "";
  const absl::StatusOr<int> count = CudaDeviceCount();
  if (!count.ok() || *count == 0) return "; no GPU";
  return absl::StrCat("; ", *count, *count == 1 ? " GPU" : " GPUs");
}

}  // namespace

std::string ProgramVersion() { return CONTINUO_VERSION; }

std::string VersionText() {
  const std::string commit = CONTINUO_COMMIT;
  return absl::StrCat("continuo ", ProgramVersion(),
                      commit.empty() ? "" : absl::StrCat(" (", commit, ")"),
                      " " CONTINUO_BUILD_TYPE ", ", Compiler(),
                      ", " CONTINUO_CUDA_BUILD "; ", InstructionSet(),
                      Devices());
}

}  // namespace continuo
