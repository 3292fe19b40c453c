// SPDX-License-Identifier: Apache-2.0

// The work of a generate command: generates, writes and reports all outputs.

#ifndef CONTINUO_GENERATE_OUTPUT_GENERATE_FILES_H_
#define CONTINUO_GENERATE_OUTPUT_GENERATE_FILES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "generate/decoding/generator.h"
#include "generate/model/load_model.h"
#include "generate/requests/continuation.h"
#include "runtime/base/work_share.h"
#include "runtime/device/device.h"

namespace continuo {

// Enough rows to fill the products of a step, few enough that their states
// stay in a core's cache (attention_rnn: 40 KiB a row); measured with
// bench_generate.
inline constexpr int kRowsPerThread = 32;

// On a GPU rows cost little compared to reading the weights, and thousands fill
// it (attention_rnn: 90 KiB a row, of memory that has room for them).
inline constexpr int kRowsPerGpu = 4096;

// The default number of rows in a batch.
inline int DefaultRows(const Stream& stream) {
  return stream.device.type == DeviceType::kCpu
             ? kRowsPerThread * stream.pool->num_threads()
             : kRowsPerGpu;
}

struct GenerateFilesOptions {
  SearchOptions search;
  uint64_t seed = 0;
  // Hypotheses in a batch, 0 = DefaultRows. No result depends on it.
  int batch_rows = 0;
  std::string output_dir;  // created if missing
  std::string report;      // JSON lines, one per file; empty = none
  // Of several processes with the same other options, this one: each writes
  // every size-th output, numbered as if one wrote all, and the rest of
  // `report`.
  WorkShare share = {};
  // What the files say about themselves, the output's number appended.
  std::string description;
};

// Generates output i (from 0) from outputs[i] with draws of (seed, i) and
// writes each as a MIDI file as soon as it is finished, logging its
// log-likelihood, and the rate and time left when a run is long. `stop` is
// asked between batches: true ends the run after what is finished. Errors name
// the file or flag; files written before an error stay.
absl::Status GenerateFiles(
    const LoadedModel& model,
    absl::Span<const std::shared_ptr<const Continuation>> outputs,
    const GenerateFilesOptions& options, const std::function<bool()>& stop);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_OUTPUT_GENERATE_FILES_H_
