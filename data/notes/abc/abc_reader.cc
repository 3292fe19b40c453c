// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_reader.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_magenta.h"
#include "data/notes/abc/abc_magenta_fields.h"
#include "data/notes/abc/abc_playback_order.h"
#include "data/notes/abc/abc_score.h"
#include "data/notes/abc/abc_sequence.h"
#include "data/notes/abc/abc_text.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// A file header is read again for every tune; this bounds the product.
constexpr size_t kMaxHeaderWork = size_t{1} << 26;

// Notes of a whole book: the repeats of its tunes must not add up to more
// memory than a book of this size can mean. Real books stay below one note for
// each byte.
int64_t MaxBookNotes(size_t bytes) {
  return (int64_t{1} << 20) + 2 * static_cast<int64_t>(bytes);
}

// Steps that playing out repeats may take, for each of these notes and for one
// tune, sounding or not.
constexpr int64_t kWorkPerNote = 16;
constexpr int64_t kMaxTuneWork = 64 * kMaxAbcPlayed;

// True if there is a "K:" field, without which there is no music.
bool HasKey(const AbcTuneText& tune) {
  return std::any_of(
      tune.lines.begin(), tune.lines.end(),
      [](const AbcLine& line) { return absl::StartsWith(line.text, "K:"); });
}

// The number of the "X:" field; nothing if there is none to read.
std::optional<int64_t> ReferenceNumber(const AbcTuneText& tune) {
  for (const AbcLine& line : tune.lines) {
    const absl::string_view text = StripAbcComment(line.text);
    if (!absl::StartsWith(text, "X:")) continue;
    absl::string_view number = SplitAbcField(text).second;
    return ParseMagentaInteger(
        number.substr(0, number.find_first_not_of("+-0123456789")));
  }
  return std::nullopt;
}

// Reads the tunes of one book.
class BookReader {
 public:
  BookReader(const AbcBookText& text, size_t bytes, const ReadOptions& options)
      : header_(text.header),
        options_(options),
        work_(MaxBookNotes(bytes) * kWorkPerNote) {}

  // Nothing for free text.
  std::optional<AbcTune> ReadTune(const AbcTuneText& text);

 private:
  absl::StatusOr<NoteSequence> ReadByStandard(const AbcTuneText& text,
                                              ReadReport* report);

  const std::vector<AbcLine>& header_;
  const ReadOptions options_;
  int64_t work_;  // left for all tunes together
};

absl::StatusOr<NoteSequence> BookReader::ReadByStandard(const AbcTuneText& text,
                                                        ReadReport* report) {
  CONTINUO_ASSIGN_OR_RETURN(const AbcScore score,
                            ReadAbcScore(header_, text.lines, report));
  int64_t work = std::min(work_, kMaxTuneWork);
  const int64_t given = work;
  auto order = AbcPlaybackOrder(score, &work, report);
  work_ -= given - work;
  CONTINUO_RETURN_IF_ERROR(order.status());
  return AbcScoreToSequence(score, *order);
}

std::optional<AbcTune> BookReader::ReadTune(const AbcTuneText& text) {
  AbcTune tune;
  tune.line = text.lines.front().number;
  if (options_.reading == Reading::kMagenta) {
    int rejected = 0;
    auto plain = ReadMagentaAbcTune(header_, text.lines, &rejected);
    if (plain && !plain->notes().empty()) {
      tune.sequence = *std::move(plain);
      return tune;
    }
    // Without a number it is free text, unless Magenta finds a tune in it.
    if (!text.has_number) return std::nullopt;
    tune.report.repair = absl::StrCat(
        "notation that Magenta rejects, read by the standard: line ", rejected);
  } else if (!text.has_number && !HasKey(text)) {
    return std::nullopt;
  }
  auto sequence = ReadByStandard(text, &tune.report);
  // Words with a colon in them are free text, not a tune that failed.
  if (!sequence.ok() && !text.has_number) return std::nullopt;
  tune.status = sequence.status();
  if (sequence.ok()) tune.sequence = *std::move(sequence);
  return tune;
}

// Numbers the tunes: the first with a number keeps it.
void SetIndices(const std::vector<std::optional<int64_t>>& numbers,
                AbcBook* book) {
  int64_t free = 0;
  for (const auto& number : numbers) {
    if (number) free = std::max(free, *number);
  }
  std::unordered_set<int64_t> taken;
  for (size_t i = 0; i < numbers.size(); ++i) {
    AbcTune& tune = book->tunes[i];
    if (numbers[i] && taken.insert(*numbers[i]).second) {
      tune.index = *numbers[i];
    } else {
      tune.index = ++free;
    }
    if (tune.status.ok()) {
      tune.sequence.set_reference_number(numbers[i].value_or(tune.index));
    }
  }
}

}  // namespace

absl::StatusOr<AbcBook> ReadAbc(absl::string_view bytes,
                                const ReadOptions& options) {
  const std::string decoded = DecodeAbcText(bytes);
  const AbcBookText parts = SplitAbcTunes(decoded);
  size_t header_size = 0;
  for (const AbcLine& line : parts.header) header_size += line.text.size();
  if (!parts.tunes.empty() &&
      header_size > kMaxHeaderWork / parts.tunes.size()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a file header too long for this many tunes: ", header_size,
        " bytes and ", parts.tunes.size(),
        " tunes; start it with an \"X:\" line if it is a tune"));
  }
  AbcBook book;
  std::vector<std::optional<int64_t>> numbers;
  int64_t notes_left = MaxBookNotes(bytes.size());
  BookReader reader(parts, bytes.size(), options);
  for (const AbcTuneText& text : parts.tunes) {
    if (notes_left <= 0) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "too many notes in one book: more than ", MaxBookNotes(bytes.size()),
          " from ", bytes.size(), " bytes; remove repeats or split the book"));
    }
    auto tune = reader.ReadTune(text);
    if (!tune) continue;
    notes_left -= tune->sequence.notes_size();
    numbers.push_back(text.has_number ? ReferenceNumber(text) : 0);
    book.tunes.push_back(*std::move(tune));
  }
  if (book.tunes.empty()) {
    return absl::InvalidArgumentError(
        "no tune in the book: a tune starts with an \"X:\" line");
  }
  SetIndices(numbers, &book);
  return book;
}

}  // namespace continuo
