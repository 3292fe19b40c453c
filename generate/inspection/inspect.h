// SPDX-License-Identifier: Apache-2.0

// The contents of a file, as text or JSON.

#ifndef CONTINUO_GENERATE_INSPECTION_INSPECT_H_
#define CONTINUO_GENERATE_INSPECTION_INSPECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "runtime/base/json.h"

namespace continuo {

// Facts in the order in which they are shown: numbers, text, lists, and lists
// of objects, which are tables. "file" and "kind" come first.
using Facts = OrderedJson;

// Looks into `path`: a checkpoint (V2 prefix or one of its files, V1 file), a
// safetensors file, a run folder or one of checkpoints, a bundle, a TFRecord of
// NoteSequences, SequenceExamples, compact
// examples or TensorBoard events, or a music file. The
// contents tell the kind; the name only helps where they are damaged. Errors
// name the file and the offset or tensor.
// `reading` is how music files are read.
absl::StatusOr<Facts> Inspect(const std::string& path,
                              const ReadOptions& reading = {});

// The facts as text. Long tables are cut after some rows, and say so, with
// `all` behind it: " (--json shows all)".
std::string FactsToText(const Facts& facts, absl::string_view all = "");

// One kind each, of what Inspect has recognised.
absl::StatusOr<Facts> InspectCheckpoint(const std::string& path);
absl::StatusOr<Facts> InspectFolder(const std::string& path);
absl::StatusOr<Facts> InspectBundle(const std::string& path);
absl::StatusOr<Facts> InspectSafetensors(const std::string& path);
absl::StatusOr<Facts> InspectTfRecord(const std::string& path);
// `ending` (".mid") chooses the reader.
absl::StatusOr<Facts> InspectMusic(const std::string& path,
                                   absl::string_view ending,
                                   const ReadOptions& reading);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_INSPECTION_INSPECT_H_
