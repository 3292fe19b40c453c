#include "data/notes/abc_reader.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/abc_order.h"
#include "data/notes/abc_plain.h"
#include "data/notes/abc_plain_fields.h"
#include "data/notes/abc_score.h"
#include "data/notes/abc_sequence.h"
#include "data/notes/abc_text.h"
#include "runtime/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// A file header is read again for every tune; this bounds the product.
constexpr size_t kMaxHeaderWork = size_t{1} << 26;

// Notes of a whole book: tunes that live off their repeats must not add up to
// more memory than a book of this size can mean. Real books stay below one note
// for each byte.
int64_t MaxBookNotes(size_t bytes) {
  return (int64_t{1} << 20) + 2 * static_cast<int64_t>(bytes);
}

// The number of the "X:" field; nothing if there is none to read.
std::optional<int64_t> ReferenceNumber(const AbcTuneText& tune) {
  for (const AbcLine& line : tune.lines) {
    const absl::string_view text = StripAbcComment(line.text);
    if (!absl::StartsWith(text, "X:")) continue;
    absl::string_view number = SplitAbcField(text).second;
    return ParsePlainInteger(
        number.substr(0, number.find_first_not_of("+-0123456789")));
  }
  return std::nullopt;
}

absl::StatusOr<NoteSequence> ReadFullTune(const std::vector<AbcLine>& header,
                                          const std::vector<AbcLine>& tune) {
  CONTINUO_ASSIGN_OR_RETURN(const AbcScore score, ReadAbcScore(header, tune));
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<int> order,
                            AbcPlayingOrder(score));
  return AbcScoreToSequence(score, order);
}

AbcTune ReadTune(const std::vector<AbcLine>& header, const AbcTuneText& text) {
  AbcTune tune;
  tune.line = text.lines.front().number;
  if (auto plain = ReadPlainAbcTune(header, text.lines);
      plain && !plain->notes().empty()) {
    tune.sequence = *std::move(plain);
    return tune;
  }
  auto sequence = ReadFullTune(header, text.lines);
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
                                const ReadOptions& /*options*/) {
  const std::string text = DecodeAbcText(bytes);
  const AbcBookText parts = SplitAbcTunes(text);
  size_t header_size = 0;
  for (const AbcLine& line : parts.header) header_size += line.text.size();
  if (!parts.tunes.empty() &&
      header_size > kMaxHeaderWork / parts.tunes.size()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a file header too long for so many tunes: ", header_size,
                     " bytes and ", parts.tunes.size(),
                     " tunes; start it with an \"X:\" line if it is a tune"));
  }
  AbcBook book;
  std::vector<std::optional<int64_t>> numbers;
  int64_t notes_left = MaxBookNotes(bytes.size());
  for (const AbcTuneText& tune : parts.tunes) {
    if (notes_left <= 0) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "too many notes in one book: more than ", MaxBookNotes(bytes.size()),
          " from ", bytes.size(), " bytes; remove repeats or split the book"));
    }
    if (!tune.has_number) {
      // Free text, unless the original finds a tune in it: its number is 0.
      auto plain = ReadPlainAbcTune(parts.header, tune.lines);
      if (!plain || plain->notes().empty()) continue;
      AbcTune& added = book.tunes.emplace_back();
      added.line = tune.lines.front().number;
      added.sequence = *std::move(plain);
      notes_left -= added.sequence.notes_size();
      numbers.emplace_back(0);
      continue;
    }
    book.tunes.push_back(ReadTune(parts.header, tune));
    notes_left -= book.tunes.back().sequence.notes_size();
    numbers.push_back(ReferenceNumber(tune));
  }
  if (book.tunes.empty()) {
    return absl::InvalidArgumentError(
        "no tune in the book: a tune starts with an \"X:\" line");
  }
  SetIndices(numbers, &book);
  return book;
}

}  // namespace continuo
