// SPDX-License-Identifier: Apache-2.0

#include "generate/output/generate_files.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "data/notes/midi/midi_writer.h"
#include "data/records/shards.h"
#include "generate/output/output_files.h"
#include "runtime/base/clock.h"
#include "runtime/base/counted.h"
#include "runtime/base/log.h"
#include "runtime/base/progress.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// An output's request of a round, whose number makes its draws differ.
constexpr int kRoundShift = 32;

EventRequest RequestOf(const Continuation& output, std::vector<Event> events,
                       uint64_t index, int64_t round) {
  const int64_t missing = output.Missing(events);
  return {.primer = std::move(events),
          .num_events = missing,
          .output = index | static_cast<uint64_t>(round) << kRoundShift,
          .enough = [&output](absl::Span<const Event> so_far) {
            return output.Missing(so_far) == 0;
          }};
}

int64_t IndexOf(const EventRequest& request) {
  return static_cast<int64_t>(request.output &
                              ((uint64_t{1} << kRoundShift) - 1));
}

}  // namespace

absl::Status GenerateFiles(
    const LoadedModel& model,
    absl::Span<const std::shared_ptr<const Continuation>> outputs,
    const GenerateFilesOptions& options, const std::function<bool()>& stop) {
  // Outputs whose music is not long enough after one round get another one.
  std::vector<EventRequest> requests;
  std::vector<EventRequest> next_round;
  int64_t total_events = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!options.share.Has(static_cast<int64_t>(i))) continue;
    requests.push_back(RequestOf(*outputs[i], outputs[i]->primer(), i, 0));
    total_events += requests.back().num_events;
  }
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(options.output_dir));
  OutputNames names(options.output_dir, static_cast<int>(outputs.size()),
                    WallTime(), absl::LocalTimeZone());
  std::unique_ptr<AtomicFile> report;
  if (!options.report.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        report,
        AtomicFile::Create(options.report == kStandardStream
                               ? options.report
                               : ShareName(options.report, options.share)));
  }

  const int batch_rows = options.batch_rows > 0
                             ? options.batch_rows
                             : DefaultRows(model.rnn->stream());
  Progress progress(
      total_events,
      {.verb = "Generated ", .unit = "events", .interval = absl::Seconds(2)});
  int64_t written = 0;
  int64_t generated = 0;
  GenerateHooks hooks;
  hooks.progress = [&](int64_t events) { progress.Update(events); };
  hooks.stop = stop;
  int64_t round = 0;
  hooks.done = [&](int64_t request, EventResult result) -> absl::Status {
    const int64_t index = IndexOf(requests[request]);
    const Continuation& output = *outputs[index];
    if (output.Missing(result.events) > 0) {
      next_round.push_back(
          RequestOf(output, std::move(result.events), index, round + 1));
      return absl::OkStatus();
    }
    const OutputFacts facts{
        .number = index + 1,
        .seed = options.seed,
        .log_likelihood = result.log_likelihood,
        .events = static_cast<int64_t>(result.events.size()),
        .generated_events = static_cast<int64_t>(result.events.size() -
                                                 output.primer().size())};
    CONTINUO_ASSIGN_OR_RETURN(const tensorflow::magenta::NoteSequence sequence,
                              output.Finish(std::move(result.events)));
    CONTINUO_ASSIGN_OR_RETURN(
        const std::string midi,
        WriteMidi(sequence, {absl::StrCat(options.description, " output ",
                                          facts.number)}));
    const std::string path = names.NewPath(index);
    CONTINUO_RETURN_IF_ERROR(
        WriteFileAtomically(path, midi, Durability::kUnsynced));
    LogInfo(path, ": ", LikelihoodText(facts));
    ++written;
    generated += facts.generated_events;
    if (report == nullptr) return absl::OkStatus();
    return report->Append(absl::StrCat(ReportLine(path, facts), "\n"));
  };
  absl::Status status;
  for (; status.ok() && !requests.empty(); ++round) {
    if (round > 0 && stop != nullptr && stop()) break;
    if (round > 0) {
      LogInfo(Counted(requests.size(), "output"),
              requests.size() == 1 ? " needs" : " need", " more events (round ",
              round + 1, ")");
    }
    status =
        GenerateEvents(*model.rnn, *model.encoder, requests, options.search,
                       SeededUniformSource(options.seed), batch_rows, hooks);
    requests = std::exchange(next_round, {});
  }
  if (report != nullptr) CONTINUO_RETURN_IF_ERROR(report->Commit());
  CONTINUO_RETURN_IF_ERROR(status);

  const double seconds = progress.Seconds();
  LogInfo(absl::StrFormat(
      "Wrote %s to %s in %.2f s (%.0f events/s)", Counted(written, "MIDI file"),
      options.output_dir, seconds,
      static_cast<double>(generated) / std::max(1e-9, seconds)));
  const int64_t wanted =
      options.share.Count(static_cast<int64_t>(outputs.size()));
  if (written == wanted) return absl::OkStatus();
  return absl::CancelledError(absl::StrCat("interrupted before the last ",
                                           wanted - written, " of ", wanted,
                                           " outputs"));
}

}  // namespace continuo
