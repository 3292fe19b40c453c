// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/generator.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "generate/decoding/device_decode_loop.h"
#include "generate/decoding/host_decode_loop.h"
#include "models/network/event_rnn_decoder.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

bool LoopsOnDevice(const Stream& stream, const EventEncoder& encoder,
                   const LoopOptions& loop) {
  const bool possible = encoder.InputFeedback().has_value();
  bool on_device = possible && stream.device.type != DeviceType::kCpu;
  if (loop.loop != GenerateLoop::kAuto) {
    on_device = loop.loop == GenerateLoop::kDevice;
    CONTINUO_CHECK(possible || !on_device);
  }
  LogDebug("Generating by a loop on the ",
           on_device ? DeviceName(stream.device) : "host",
           possible ? "" : ": inputs do not follow from labels alone");
  return on_device;
}

int ChunkSteps(const NetworkSpec& spec, const LoopOptions& loop) {
  if (loop.chunk_steps > 0) return loop.chunk_steps;
  // Windows shorter or longer than these are not worth a wait of their own.
  const bool window = spec.attn_length >= kChunkSteps / 2 &&
                      spec.attn_length <= 2 * kChunkSteps;
  return window ? spec.attn_length : kChunkSteps;
}

}  // namespace

absl::Status CheckSearchOptions(const SearchOptions& options) {
  const SamplingParams& sampling = options.sampling;
  if (!(sampling.temperature > 0) || !std::isfinite(sampling.temperature)) {
    return absl::InvalidArgumentError(
        absl::StrCat("`temperature` is ", sampling.temperature,
                     "; it must be greater than 0 (1 = as trained, lower = "
                     "more predictable)"));
  }
  const std::pair<const char*, int> counts[] = {
      {"beam_size", options.beam_size},
      {"branch_factor", options.branch_factor},
      {"steps_per_iteration", options.steps_per_iteration}};
  for (const auto& [name, value] : counts) {
    if (value >= 1) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("`", name, "` is ", value, "; it must be at least 1"));
  }
  if (int64_t{options.beam_size} * options.branch_factor > kMaxHypotheses) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`beam_size` times `branch_factor` is ",
        int64_t{options.beam_size} * options.branch_factor,
        "; the largest search has ", kMaxHypotheses, " hypotheses"));
  }
  if (sampling.top_k < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`top_k` is ", sampling.top_k, "; it must be 0 (off) or greater"));
  }
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`top_p` is ", sampling.top_p, "; it must be in (0, 1], 1 being off"));
  }
  return absl::OkStatus();
}

absl::Status GenerateEvents(const EventRnn& rnn, const EventEncoder& encoder,
                            absl::Span<const EventRequest> requests,
                            const SearchOptions& options,
                            const UniformSource& uniforms, int max_rows,
                            const GenerateHooks& hooks,
                            const LoopOptions& loop) {
  CONTINUO_RETURN_IF_ERROR(CheckSearchOptions(options));
  for (const EventRequest& request : requests) {
    if (request.primer.empty()) {
      return absl::InvalidArgumentError(
          "the primer is empty; it needs at least one event");
    }
    if (request.num_events < 1) {
      return absl::InvalidArgumentError(
          "the primer must be shorter than the sequence asked for");
    }
  }
  if (requests.empty()) return absl::OkStatus();

  const int64_t beam = int64_t{options.beam_size} * options.branch_factor;
  const int64_t count = static_cast<int64_t>(requests.size());
  const int64_t at_once =
      std::min(count, std::max<int64_t>(1, max_rows / beam));
  CONTINUO_ASSIGN_OR_RETURN(
      std::unique_ptr<EventRnnDecoder> decoder,
      EventRnnDecoder::Create(&rnn, static_cast<int>(at_once * beam)));
  const auto run = [&](auto& decode_loop) -> absl::Status {
    int64_t events = 0;
    for (int64_t begin = 0; begin < count; begin += at_once) {
      if (hooks.stop && hooks.stop()) break;
      const int64_t end = std::min(count, begin + at_once);
      CONTINUO_RETURN_IF_ERROR(decode_loop.Run(begin, end, events));
      for (int64_t i = begin; i < end; ++i) events += requests[i].num_events;
    }
    return absl::OkStatus();
  };
  if (LoopsOnDevice(rnn.stream(), encoder, loop)) {
    CONTINUO_ASSIGN_OR_RETURN(
        const std::unique_ptr<DeviceDecodeLoop> device_loop,
        DeviceDecodeLoop::Create(decoder.get(), rnn.stream(), encoder, requests,
                                 options, uniforms, hooks, at_once * beam,
                                 ChunkSteps(rnn.spec(), loop)));
    return run(*device_loop);
  }
  HostDecodeLoop host_loop(decoder.get(), rnn.stream().pool, encoder, requests,
                           options, uniforms, hooks);
  return run(host_loop);
}

}  // namespace continuo
