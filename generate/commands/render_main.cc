// SPDX-License-Identifier: Apache-2.0

// continuo_render: pictures of MIDI files and of training logs.

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/notes/convert/formats.h"
#include "data/notes/midi/midi_reader.h"
#include "generate/pictures/curve_plot.h"
#include "generate/pictures/piano_roll.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::vector<std::string>, midi, {},
          "MIDI files, folders of them or patterns, between commas. Drawn as "
          "piano rolls, one a file, sorted within a folder or pattern");
ABSL_FLAG(std::string, run_dir, "",
          "Folder of a training run: its log is drawn as a curve, with that of "
          "its evaluations if there is one");
ABSL_FLAG(std::string, train_log, "",
          "The log of a run, RUN_DIR/train/log.jsonl, in place of --run_dir");
ABSL_FLAG(std::string, eval_log, "",
          "With --train_log: the log of its evaluations, "
          "RUN_DIR/eval/log.jsonl");
ABSL_FLAG(std::string, output, "", "PNG file to write");

namespace continuo {
namespace {

constexpr char kAbout[] =
    "Draws MIDI files as piano rolls, or a training log as a curve.\n\n"
    "  continuo_render --midi=generated --output=rolls.png\n"
    "  continuo_render --run_dir=run --output=curve.png";

CommandHelp Help() {
  return {.about = kAbout,
          .own_file = "generate/commands/render_main.cc",
          .groups = {{"Required", HelpLevel::kRequired, {"output=FILE.png"}},
                     {"What is drawn, one of",
                      HelpLevel::kCommon,
                      {"midi=FILES", "run_dir=FOLDER", "train_log=FILE"}},
                     {"Advanced",
                      HelpLevel::kMore,
                      {"eval_log=FILE", "log=LEVEL"}}},
          .after = "Exit status: 0 when the picture is written; 1 otherwise."};
}

// More would make a picture that no program likes to open.
constexpr size_t kMaxPanels = 100;
constexpr int64_t kMaxFileBytes = int64_t{1} << 28;

bool IsMidiName(absl::string_view name) {
  const NoteFormat* format = FindNoteFormat(name);
  return format != nullptr && format->id == "midi";
}

absl::StatusOr<std::vector<std::string>> MidiPaths(
    const std::vector<std::string>& arguments) {
  std::vector<std::string> paths;
  for (const std::string& argument : arguments) {
    const std::string path = ExpandHome(argument);
    if (!IsDirectory(path)) {
      CONTINUO_ASSIGN_OR_RETURN(const auto matches, Glob(path));
      paths.insert(paths.end(), matches.begin(), matches.end());
      continue;
    }
    size_t found = 0;
    if (const auto entries = Glob(JoinPath(path, "*")); entries.ok()) {
      for (const std::string& entry : *entries) {
        if (!IsMidiName(entry)) continue;
        paths.push_back(entry);
        ++found;
      }
    }
    if (found == 0) {
      return absl::NotFoundError(absl::StrCat(
          "--midi: no MIDI file (.mid, .midi, .kar, .rmi) in the folder ",
          argument));
    }
  }
  return paths;
}

absl::StatusOr<Canvas> RenderMidi(const std::vector<std::string>& arguments) {
  CONTINUO_ASSIGN_OR_RETURN(std::vector<std::string> paths,
                            MidiPaths(arguments));
  if (paths.size() > kMaxPanels) {
    LogWarn("drawing the first ", kMaxPanels, " of ", paths.size(), " files");
    paths.resize(kMaxPanels);
  }
  std::vector<PianoRollPanel> panels;
  for (const std::string& path : paths) {
    CONTINUO_ASSIGN_OR_RETURN(const std::string bytes,
                              ReadFile(path, kMaxFileBytes));
    auto sequence = ReadMidi(bytes);
    if (!sequence.ok()) return Annotate(sequence.status(), path);
    panels.push_back({.title = std::string(BaseName(path)),
                      .sequence = *std::move(sequence)});
  }
  return RenderPianoRolls(panels);
}

absl::StatusOr<CurveLog> ReadCurveLog(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const std::string text,
                            ReadFile(ExpandHome(path), kMaxFileBytes));
  auto log = ParseCurveLog(text);
  if (!log.ok()) return Annotate(log.status(), path);
  if (log->points.empty()) LogWarn(path, " has no step yet");
  return log;
}

absl::StatusOr<Canvas> RenderLog(const std::string& path,
                                 const std::string& eval_path) {
  CONTINUO_ASSIGN_OR_RETURN(const CurveLog training, ReadCurveLog(path));
  if (eval_path.empty()) return RenderCurve(path, training, nullptr);
  CONTINUO_ASSIGN_OR_RETURN(const CurveLog evaluation, ReadCurveLog(eval_path));
  return RenderCurve(path, training, &evaluation);
}

// The logs to draw; --train_log empty if none is asked for.
struct Logs {
  std::string train;
  std::string eval;
};

absl::StatusOr<Logs> LogsOfFlags() {
  Logs logs{absl::GetFlag(FLAGS_train_log), absl::GetFlag(FLAGS_eval_log)};
  if (const std::string log = absl::GetFlag(FLAGS_log);
      !SetLogLevel(log).ok()) {
    // What --log was before there was --train_log.
    if (!FileExists(ExpandHome(log))) return SetLogLevel(log);
    LogWarn("--log=", log, " is taken for --train_log, its name now");
    logs.train = log;
  }
  const std::string run_dir = absl::GetFlag(FLAGS_run_dir);
  if (run_dir.empty()) return logs;
  if (!logs.train.empty()) {
    return absl::InvalidArgumentError(
        "--run_dir and --train_log are both given; one of them names the log");
  }
  logs.train = JoinPath(run_dir, "train/log.jsonl");
  const std::string eval = JoinPath(run_dir, "eval/log.jsonl");
  if (logs.eval.empty() && FileExists(ExpandHome(eval))) logs.eval = eval;
  return logs;
}

absl::Status CheckPaths(const std::vector<std::string>& midi, const Logs& logs,
                        const std::string& output) {
  const FieldPath picture = {"output", ExpandHome(output)};
  CONTINUO_RETURN_IF_ERROR(CheckEnding(picture, "a PNG picture", {".png"}));
  std::vector<FieldPath> inputs = {{"train_log", ExpandHome(logs.train)},
                                   {"eval_log", ExpandHome(logs.eval)}};
  for (const std::string& path : midi) {
    inputs.push_back({"midi", ExpandHome(path)});
  }
  return CheckDistinctPaths({picture}, inputs);
}

absl::Status Run() {
  const std::vector<std::string> midi = absl::GetFlag(FLAGS_midi);
  CONTINUO_ASSIGN_OR_RETURN(const Logs logs, LogsOfFlags());
  const auto& [log, eval_log] = logs;
  const std::string output = absl::GetFlag(FLAGS_output);
  if (midi.empty() == log.empty()) {
    return absl::InvalidArgumentError(
        "give either --midi=FOLDER_OR_FILES or --run_dir=FOLDER");
  }
  if (log.empty() && !eval_log.empty()) {
    return absl::InvalidArgumentError(
        "--eval_log is drawn into the curve of --train_log; give that too");
  }
  if (output.empty()) {
    return absl::InvalidArgumentError("--output is missing; give a .png file");
  }
  CONTINUO_RETURN_IF_ERROR(CheckPaths(midi, logs, output));
  auto canvas = log.empty() ? RenderMidi(midi) : RenderLog(log, eval_log);
  CONTINUO_RETURN_IF_ERROR(canvas.status());
  CONTINUO_ASSIGN_OR_RETURN(const std::string png, canvas->EncodePng());
  CONTINUO_RETURN_IF_ERROR(WriteFileAtomically(ExpandHome(output), png));
  LogInfo("wrote ", output, " (", canvas->width(), " x ", canvas->height(),
          ")");
  return absl::OkStatus();
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::RunCommand(argc, argv, continuo::Help(), continuo::Run);
}
