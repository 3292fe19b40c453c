// SPDX-License-Identifier: Apache-2.0

// What a file is, by its contents, for messages about files of the wrong kind.

#ifndef CONTINUO_DATA_RECORDS_FILE_KIND_H_
#define CONTINUO_DATA_RECORDS_FILE_KIND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace continuo {

enum class FileKind {
  kNoteSequences,  // TFRecord files
  kSequenceExamples,
  kCompactExamples,
  kEvents,
  kOtherRecords,
  kMidi,  // music
  kMusicXml,
  kCompressedMusicXml,
  kAbc,
  kCheckpoint,  // models
  kSafetensors,
  kBundle,
  kEmpty,
  kUnknown,
};

// The kind of a whole file; of TFRecords, by the first record. A damaged file
// has the kind that its beginning promises.
FileKind KindOfFile(absl::string_view bytes);

// The kind of a record of a TFRecord file.
FileKind KindOfRecord(absl::string_view record);

// "a MIDI file", "a TFRecord of NoteSequences".
absl::string_view FileKindTitle(FileKind kind);

// Whether a file of this kind is music that convert_dir_to_note_sequences
// reads.
bool IsMusic(FileKind kind);

// InvalidArgument if `path` (with contents `bytes`) is known to be no TFRecord
// of NoteSequences: says what it is, and what makes the right file of it. An
// empty or unknown file passes.
absl::Status CheckHoldsNoteSequences(absl::string_view path,
                                     absl::string_view bytes);

// The same for training examples, which `made_by` ("melody_rnn_create_dataset")
// makes of NoteSequences.
absl::Status CheckHoldsExamples(absl::string_view path, absl::string_view bytes,
                                absl::string_view made_by);

// InvalidArgument if `path` is a folder where a TFRecord file is wanted: with
// `music`, a folder of music may be meant.
absl::Status CheckIsNoFolder(const std::string& path, bool music);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_FILE_KIND_H_
