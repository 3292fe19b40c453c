// SPDX-License-Identifier: Apache-2.0

// convert_dir_to_note_sequences: a folder of music files to a TFRecord file of
// NoteSequences.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/substitute.h"
#include "data/notes/convert/convert.h"
#include "data/notes/convert/formats.h"
#include "runtime/base/log.h"
#include "runtime/base/malloc_tuning.h"
#include "runtime/base/status.h"
#include "runtime/base/stop.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/command/share_flags.h"
#include "runtime/command/thread_flags.h"

ABSL_FLAG(std::string, input_dir, "",
          "Folder to convert; ~ is the home folder. Its name becomes the "
          "collection_name of the sequences. Required.");
ABSL_FLAG(std::string, output_file, "",
          "TFRecord file of NoteSequences to write; its folder is created, an "
          "existing file is replaced at the end. Required.");
ABSL_FLAG(bool, recursive, false, "Also read subfolders, at any depth.");
ABSL_FLAG(int, num_shards, 1,
          "Number of output files. Above 1 they are named "
          "OUTPUT_FILE-00000-of-00008 and so on, and sequences are "
          "distributed in turn. Several processes write one each.");
ABSL_FLAG(std::string, report, "",
          "File for the outcome of each file or tune, as lines of JSON: "
          "file, tune, status (converted, repaired, skipped), reason, "
          "message, warnings, id, notes, seconds; - is standard output.");
ABSL_FLAG(continuo::Reading, reading, continuo::Reading::kStandard,
          "How files are read where their format's standard and Magenta "
          "disagree: standard, or magenta. Of MIDI files, for example, tempos "
          "of all tracks count, or those of the first.");

namespace continuo {
namespace {

constexpr char kAbout[] =
    R"(Converts a folder of music files to NoteSequences, by the endings of their
names in any case:
$0
  convert_dir_to_note_sequences --input_dir=~/tunes --recursive \
      --output_file=/tmp/notes.tfrecord

One record is written per MIDI or MusicXML file and per tune of an ABC book, in
a fixed order: names sorted, the files of a folder before its subfolders. A file
that cannot be read is skipped with a warning and counted by reason; files that
Magenta's converter rejects over something not needed (a wrong key signature,
a wrong chunk size, an end that is cut off) are read and counted as repaired.
Anything dropped, clipped or guessed in a file is a warning, and counted.
The next step is melody_rnn_create_dataset --input=OUTPUT_FILE.

Of an ABC tune the first voice is read, the highest note of a chord, no grace
notes and no instruments; repeats, endings, parts and D.C. are played.
--reading=magenta reads the tunes that Magenta can read as Magenta does.)";

constexpr char kAfter[] =
    R"(Exit status: 0 if at least one sequence was written, whatever was skipped; 1 for
wrong flags, an unreadable folder, nothing to convert or a failed write; 130
after Ctrl-C. Except for 0 no output file appears (an old one stays).)";

CommandHelp Help() {
  return {
      .about = absl::Substitute(kAbout, WrapText(NoteFormatSummary(), 2)),
      .own_file = "data/commands/convert_main.cc",
      .groups = {{"Required",
                  HelpLevel::kRequired,
                  {"input_dir=FOLDER", "output_file=FILE"}},
                 {"Input",
                  HelpLevel::kCommon,
                  {"recursive", "reading=standard|magenta"}},
                 {"Reports", HelpLevel::kCommon, {"report=FILE", "log=LEVEL"}},
                 {"Advanced", HelpLevel::kMore, {"num_shards", "threads"}}},
      .after = kAfter,
      .see_also = {"melody_rnn_create_dataset", "drums_rnn_create_dataset",
                   "performance_rnn_create_dataset", "continuo_inspect"}};
}

void LogSummary(const ConvertSummary& summary) {
  int64_t skipped = 0;
  int64_t repaired = 0;
  for (const auto& [reason, count] : summary.skipped) skipped += count;
  for (const auto& [reason, count] : summary.repaired) repaired += count;
  LogInfo(absl::StrFormat(
      "%d sequences from %d files in %.1f s (%.0f files/s), %d repaired, "
      "%d files or tunes skipped",
      summary.sequences, summary.files, summary.seconds,
      static_cast<double>(summary.files) / std::max(summary.seconds, 1e-3),
      repaired, skipped));
  for (const auto& [reason, count] : summary.repaired) {
    LogInfo(absl::StrFormat("  %6d  repaired: %s", count, reason));
  }
  for (const auto& [kind, count] : summary.warned) {
    LogInfo(absl::StrFormat("  %6d  read with a warning: %s", count, kind));
  }
  for (const auto& [reason, count] : summary.skipped) {
    LogInfo(absl::StrFormat("  %6d  skipped: %s", count, reason));
  }
}

absl::Status Run() {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  ConvertOptions options = {
      .input_dir = absl::GetFlag(FLAGS_input_dir),
      .output_file = absl::GetFlag(FLAGS_output_file),
      .recursive = absl::GetFlag(FLAGS_recursive),
      .reading = {.reading = absl::GetFlag(FLAGS_reading)},
      .num_shards = absl::GetFlag(FLAGS_num_shards),
      .num_threads = 0,
      .report_file = absl::GetFlag(FLAGS_report),
      .progress_line = isatty(STDERR_FILENO) == 1,
      .stop = &StopOnSignals(),
  };
  if (options.input_dir.empty()) {
    return absl::InvalidArgumentError(
        "--input_dir is required: give the folder to convert");
  }
  if (options.output_file.empty()) {
    return absl::InvalidArgumentError(
        "--output_file is required: give the TFRecord file to write");
  }
  CONTINUO_ASSIGN_OR_RETURN(options.share, ShareOfFlags());
  CONTINUO_RETURN_IF_ERROR(CheckShards(options.share, options.num_shards));
  if (options.num_shards < 1 || options.num_shards > 1000) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--num_shards=", options.num_shards, " is not in 1..1000"));
  }
  CONTINUO_ASSIGN_OR_RETURN(options.num_threads, ThreadsOfFlags());
  KeepFreedMemory();
  CONTINUO_ASSIGN_OR_RETURN(const ConvertSummary summary,
                            ConvertDirectory(options));
  LogSummary(summary);
  return absl::OkStatus();
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::RunCommand(argc, argv, continuo::Help(), continuo::Run);
}
