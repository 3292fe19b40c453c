#include "runtime/device.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace continuo {

absl::StatusOr<Device> ParseDevice(absl::string_view text) {
  if (text == "auto" || text == "cpu") return Device{};
  if (text == "cuda" || absl::StartsWith(text, "cuda:")) {
    return absl::UnavailableError(
        absl::StrCat("--device=", text,
                     ": this build has no CUDA support; use --device=cpu"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--device=", text, ": expected auto, cpu or cuda[:N]"));
}

std::string DeviceName(const Device& device) {
  if (device.type == DeviceType::kCpu) return "cpu";
  return absl::StrCat("cuda:", device.index);
}

}  // namespace continuo
