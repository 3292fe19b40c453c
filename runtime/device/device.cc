// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/device.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/cuda_support.h"

namespace continuo {
namespace {

template <typename T>
struct Name {
  absl::string_view text;
  T value;
};

constexpr Name<Precision> kPrecisions[] = {{"fp32", Precision::kFp32},
                                           {"tf32", Precision::kTf32},
                                           {"bf16", Precision::kBf16}};

template <typename T, size_t kCount>
absl::StatusOr<T> ParseName(absl::string_view field, absl::string_view text,
                            const Name<T> (&names)[kCount]) {
  std::string expected;
  for (const Name<T>& name : names) {
    if (name.text == text) return name.value;
    absl::StrAppend(&expected, expected.empty() ? "" : ", ", name.text);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("`", field, "`=", text, ": expected one of ", expected));
}

absl::StatusOr<Device> ParseCudaDevice(absl::string_view text) {
  int index = 0;
  absl::string_view rest = text;
  absl::ConsumePrefix(&rest, "cuda");
  if (!rest.empty() && (!absl::ConsumePrefix(&rest, ":") ||
                        !absl::SimpleAtoi(rest, &index) || index < 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("`device`=", text, ": expected auto, cpu or cuda[:N]"));
  }
  const absl::StatusOr<int> count = CountCudaDevices();
  if (!count.ok()) {
    return absl::UnavailableError(absl::StrCat("`device`=", text, ": ",
                                               count.status().message(),
                                               "; use `device`=cpu"));
  }
  if (index >= *count) {
    return absl::UnavailableError(
        absl::StrCat("`device`=", text, ": there are ", *count,
                     " CUDA device(s), counted from 0"));
  }
  return Device{DeviceType::kCuda, index};
}

}  // namespace

absl::StatusOr<int> CountCudaDevices() { return CudaDeviceCount(); }

absl::StatusOr<Device> ParseDevice(absl::string_view text) {
  if (text == "cpu") return Device{};
  if (text == "auto") {
    const absl::StatusOr<int> count = CountCudaDevices();
    if (count.ok()) return Device{DeviceType::kCuda, 0};
    if (kHasCuda) LogInfo("running on the CPU: ", count.status().message());
    return Device{};
  }
  if (absl::StartsWith(text, "cuda")) return ParseCudaDevice(text);
  return absl::InvalidArgumentError(
      absl::StrCat("`device`=", text, ": expected auto, cpu or cuda[:N]"));
}

std::string DeviceName(const Device& device) {
  if (device.type == DeviceType::kCpu) return "cpu";
  return absl::StrCat("cuda:", device.index);
}

absl::StatusOr<Precision> ParsePrecision(absl::string_view text) {
  return ParseName("precision", text, kPrecisions);
}

absl::StatusOr<RecurrentForm> ParseRecurrentForm(absl::string_view text) {
  static constexpr Name<RecurrentForm> kNames[] = {
      {"auto", RecurrentForm::kAuto},
      {"stepwise", RecurrentForm::kStepwise},
      {"persistent", RecurrentForm::kPersistent}};
  return ParseName("rnn_form", text, kNames);
}

absl::StatusOr<RnnBackend> ParseRnnBackend(absl::string_view text) {
  static constexpr Name<RnnBackend> kNames[] = {{"auto", RnnBackend::kAuto},
                                                {"fused", RnnBackend::kFused},
                                                {"cudnn", RnnBackend::kCudnn}};
  return ParseName("rnn_backend", text, kNames);
}

std::string StreamName(const Stream& stream) {
  const std::string name = DeviceName(stream.device);
  if (stream.device.type == DeviceType::kCpu) return name;
  absl::string_view precision;
  for (const Name<Precision>& known : kPrecisions) {
    if (known.value == stream.options.precision) precision = known.text;
  }
  return absl::StrCat(name, " (", CudaModelName(stream), ", ", precision, ")");
}

absl::StatusOr<OwnedStream> OwnedStream::Open(const Device& device,
                                              const ComputeOptions& options,
                                              ThreadPool* pool) {
  OwnedStream owned;
  owned.stream_ = {.device = device, .pool = pool, .options = options};
  if (device.type == DeviceType::kCpu) {
    if (options.precision != Precision::kFp32) {
      return absl::InvalidArgumentError(
          "`precision`: the CPU computes in fp32 only; leave it out or choose "
          "a CUDA device with `device`");
    }
    if (options.backend == RnnBackend::kCudnn) {
      return absl::InvalidArgumentError(
          "`rnn_backend`=cudnn needs a CUDA device; leave it out or choose one "
          "with `device`");
    }
    return owned;
  }
  if (options.backend == RnnBackend::kCudnn &&
      options.precision == Precision::kBf16) {
    return absl::InvalidArgumentError(
        "`rnn_backend`=cudnn computes in fp32 or tf32; choose one of them with "
        "`precision`, or `rnn_backend`=fused");
  }
  CONTINUO_ASSIGN_OR_RETURN(owned.cuda_, OpenCudaStream(device));
  owned.stream_.cuda = owned.cuda_.get();
  return owned;
}

}  // namespace continuo
