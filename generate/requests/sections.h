// SPDX-License-Identifier: Apache-2.0

// Sections: which notes of a request are the primer, and between which steps
// events are wanted (generate/README.md).

#ifndef CONTINUO_GENERATE_REQUESTS_SECTIONS_H_
#define CONTINUO_GENERATE_REQUESTS_SECTIONS_H_

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/decoding/generator.h"

namespace continuo {

struct Section {
  // The input, cut to the input section if there is one: notes that start in
  // it, with their ends cut to its end and their times not shifted.
  tensorflow::magenta::NoteSequence primer;
  double qpm = 120;               // first tempo of the input
  int64_t search_start_step = 0;  // where extraction begins
  int64_t start_step = 0;         // first step to generate
  int64_t end_step = 0;           // step after the last one
  double end_time = 0;            // seconds, as requested
};

// InvalidArgument for more than one input section, other than one generate
// section, times that are negative or beyond any music, and a section that
// begins before the last note of the primer ends (only extension is possible).
absl::StatusOr<Section> ResolveSection(
    const tensorflow::magenta::NoteSequence& input,
    const tensorflow::magenta::GeneratorOptions& options,
    int steps_per_quarter);

// The same, with the primer quantized; also InvalidArgument for a primer whose
// tempo or meter changes.
absl::StatusOr<Section> ResolveQuantizedSection(
    const tensorflow::magenta::NoteSequence& input,
    const tensorflow::magenta::GeneratorOptions& options,
    int steps_per_quarter);

// The same as ResolveSection on a grid of `steps_per_second`, whatever the
// tempo.
absl::StatusOr<Section> ResolveSectionInTime(
    const tensorflow::magenta::NoteSequence& input,
    const tensorflow::magenta::GeneratorOptions& options, int steps_per_second);

// InvalidArgument for a primer whose bars are not whole steps.
absl::Status BarsNotWhole(double steps_per_bar, int steps_per_quarter);

// Where a melody or drum track begins in which nothing plays: one step of
// silence, once ExtendPrimer has made it end where the section begins.
template <typename Track>
Track SilentPrimer(const Section& section, double steps_per_bar,
                   int steps_per_quarter) {
  Track track;
  track.start_step = std::max<int64_t>(0, section.start_step - 1);
  track.steps_per_bar = static_cast<int64_t>(steps_per_bar);
  track.steps_per_quarter = steps_per_quarter;
  return track;
}

// Lets a primer that begins at step `begin` end where the section begins:
// `set_length` gives it that number of steps. InvalidArgument if nothing is
// left of it (a last note shorter than half a step can round up to the very
// step, and the bar, in which the section begins), OutOfRange if it leaves
// nothing to generate.
absl::Status ExtendPrimer(const Section& section, int64_t begin,
                          absl::FunctionRef<void(int64_t steps)> set_length);

// The arguments temperature, beam_size, branch_factor and steps_per_iteration;
// defaults for those not given, unknown ones are ignored.
SearchOptions SearchOptionsFromArgs(
    const tensorflow::magenta::GeneratorOptions& options);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_SECTIONS_H_
