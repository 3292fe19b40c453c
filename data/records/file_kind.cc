// SPDX-License-Identifier: Apache-2.0

#include "data/records/file_kind.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/proto/event.pb.h"
#include "data/proto/example.pb.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "data/records/compact_record.h"
#include "data/records/tfrecord.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// The last eight bytes of a table file (LevelDB's magic number).
constexpr absl::string_view kTableMagic = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";

template <typename Message>
bool Parse(absl::string_view bytes, Message* message) {
  return bytes.size() < (size_t{1} << 31) &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// A length in eight bytes, below 4 GiB, and that much JSON.
bool IsSafetensors(absl::string_view bytes) {
  return bytes.size() > 9 && bytes[8] == '{' &&
         bytes.substr(4, 4) == absl::string_view("\0\0\0\0", 4);
}

bool IsBundle(absl::string_view bytes) {
  tensorflow::magenta::GeneratorBundle bundle;
  return Parse(bytes, &bundle) && bundle.checkpoint_file_size() > 0 &&
         !bundle.generator_details().id().empty();
}

FileKind KindOfText(absl::string_view bytes) {
  absl::ConsumePrefix(&bytes, "\xef\xbb\xbf");
  constexpr size_t kHead = 4096;
  const absl::string_view text =
      absl::StripLeadingAsciiWhitespace(bytes.substr(0, kHead));
  if (absl::StartsWith(text, "<")) return FileKind::kMusicXml;
  if (absl::StartsWith(text, "X:") || absl::StrContains(text, "\nX:")) {
    return FileKind::kAbc;
  }
  return FileKind::kUnknown;
}

absl::Status Is(absl::string_view path, FileKind kind,
                absl::string_view remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is ", FileKindTitle(kind), remedy));
}

std::string ConvertCommand(absl::string_view path) {
  return absl::StrCat("convert_dir_to_note_sequences `input_dir`=",
                      DirName(path), " `output_file`=notes.tfrecord");
}

}  // namespace

FileKind KindOfRecord(absl::string_view record) {
  if (IsCompactRecord(record)) return FileKind::kCompactExamples;
  if (tensorflow::SequenceExample example; Parse(record, &example)) {
    const auto& lists = example.feature_lists().feature_list();
    if (lists.contains("inputs") && lists.contains("labels")) {
      return FileKind::kSequenceExamples;
    }
  }
  if (tensorflow::Event event;
      Parse(record, &event) &&
      absl::StartsWith(event.file_version(), "brain.Event:")) {
    return FileKind::kEvents;
  }
  tensorflow::magenta::NoteSequence sequence;
  return Parse(record, &sequence) ? FileKind::kNoteSequences
                                  : FileKind::kOtherRecords;
}

FileKind KindOfFile(absl::string_view bytes) {
  if (bytes.empty()) return FileKind::kEmpty;
  int64_t offset = 0;
  const auto record = ParseTfRecord(bytes, "", &offset, /*verify_data=*/false);
  if (record.ok()) return KindOfRecord(*record);
  if (absl::StartsWith(bytes, "MThd") ||
      (absl::StartsWith(bytes, "RIFF") &&
       absl::StartsWith(bytes.substr(8), "RMID"))) {
    return FileKind::kMidi;
  }
  if (absl::StartsWith(bytes, "PK\x03\x04")) {
    return FileKind::kCompressedMusicXml;
  }
  if (absl::EndsWith(bytes, kTableMagic)) return FileKind::kCheckpoint;
  if (IsSafetensors(bytes)) return FileKind::kSafetensors;
  if (const FileKind kind = KindOfText(bytes); kind != FileKind::kUnknown) {
    return kind;
  }
  return IsBundle(bytes) ? FileKind::kBundle : FileKind::kUnknown;
}

absl::string_view FileKindTitle(FileKind kind) {
  switch (kind) {
    case FileKind::kNoteSequences:
      return "a TFRecord of NoteSequences";
    case FileKind::kSequenceExamples:
      return "a TFRecord of SequenceExamples";
    case FileKind::kCompactExamples:
      return "a TFRecord of compact examples";
    case FileKind::kEvents:
      return "a file of TensorBoard events";
    case FileKind::kOtherRecords:
      return "a TFRecord of other records";
    case FileKind::kMidi:
      return "a MIDI file";
    case FileKind::kMusicXml:
      return "a MusicXML file";
    case FileKind::kCompressedMusicXml:
      return "a compressed MusicXML file";
    case FileKind::kAbc:
      return "an ABC file";
    case FileKind::kCheckpoint:
      return "a checkpoint";
    case FileKind::kSafetensors:
      return "a safetensors file";
    case FileKind::kBundle:
      return "a bundle";
    case FileKind::kEmpty:
      return "an empty file";
    case FileKind::kUnknown:
      break;
  }
  return "a file of unknown kind";
}

bool IsMusic(FileKind kind) {
  return kind == FileKind::kMidi || kind == FileKind::kMusicXml ||
         kind == FileKind::kCompressedMusicXml || kind == FileKind::kAbc;
}

absl::Status CheckHoldsNoteSequences(absl::string_view path,
                                     absl::string_view bytes) {
  const FileKind kind = KindOfFile(bytes);
  switch (kind) {
    case FileKind::kNoteSequences:
    case FileKind::kOtherRecords:
    case FileKind::kEmpty:
    case FileKind::kUnknown:
      return absl::OkStatus();
    case FileKind::kSequenceExamples:
    case FileKind::kCompactExamples:
      return Is(path, kind,
                ", a data set that is made already; give the NoteSequences "
                "that convert_dir_to_note_sequences writes");
    default:
      break;
  }
  if (IsMusic(kind)) {
    return Is(
        path, kind,
        absl::StrCat("; convert its folder first: ", ConvertCommand(path)));
  }
  return Is(path, kind,
            "; give the NoteSequences that convert_dir_to_note_sequences "
            "writes");
}

absl::Status CheckHoldsExamples(absl::string_view path, absl::string_view bytes,
                                absl::string_view made_by) {
  const FileKind kind = KindOfFile(bytes);
  switch (kind) {
    case FileKind::kSequenceExamples:
    case FileKind::kCompactExamples:
    case FileKind::kOtherRecords:
    case FileKind::kEmpty:
    case FileKind::kUnknown:
      return absl::OkStatus();
    case FileKind::kNoteSequences:
      return Is(path, kind,
                absl::StrCat("; make a data set of it first: ", made_by,
                             " `input`=", path, " `output_dir`=data"));
    default:
      break;
  }
  if (IsMusic(kind)) {
    return Is(path, kind,
              absl::StrCat("; convert its folder first: ", ConvertCommand(path),
                           ", then ", made_by,
                           " `input`=notes.tfrecord `output_dir`=data"));
  }
  return Is(
      path, kind,
      absl::StrCat("; give the training examples that ", made_by, " writes"));
}

absl::Status CheckIsNoFolder(const std::string& path, bool music) {
  if (!IsDirectory(path)) return absl::OkStatus();
  std::string message =
      absl::StrCat(path, " is a folder; give a file in it, or a pattern: '",
                   JoinPath(path, "*.tfrecord"), "'");
  if (music) {
    absl::StrAppend(&message,
                    ". A folder of music must be converted first: "
                    "convert_dir_to_note_sequences `input_dir`=",
                    path, " `recursive` `output_file`=notes.tfrecord");
  }
  return absl::InvalidArgumentError(message);
}

}  // namespace continuo
