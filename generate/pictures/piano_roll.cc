// SPDX-License-Identifier: Apache-2.0

#include "generate/pictures/piano_roll.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "generate/pictures/palette.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr Color kBlackKeyRow = {238, 241, 246};
constexpr Color kBarLine = {190, 197, 208};
constexpr Color kBeatLine = {224, 228, 235};
constexpr Color kOctaveLine = {176, 186, 202};
constexpr Color kKeyboardBlack = {70, 76, 88};
// Told apart by lightness too.
constexpr Color kInstruments[] = {{37, 110, 200}, {214, 96, 39},
                                  {39, 138, 86},  {150, 70, 160},
                                  {190, 40, 70},  {20, 140, 160}};

constexpr int kMargin = 24;
constexpr int kTitleHeight = 30;
constexpr int kBarNumberHeight = 22;
constexpr int kKeyboardWidth = 16;
constexpr int kLabelWidth = 34;
constexpr int kRowsHeight = 230;  // of the roll itself
constexpr int kPanelHeight = kTitleHeight + kRowsHeight + kBarNumberHeight + 14;

bool IsBlackKey(int pitch) {
  constexpr bool kBlack[12] = {false, true,  false, true,  false, false,
                               true,  false, true,  false, true,  false};
  return kBlack[pitch % 12];
}

struct Range {
  int low;
  int high;  // inclusive
};

// What all panels show, so that they compare: at least two octaves.
Range PitchRange(absl::Span<const PianoRollPanel> panels) {
  Range range = {127, 0};
  for (const PianoRollPanel& panel : panels) {
    for (const auto& note : panel.sequence.notes()) {
      range.low = std::min(range.low, std::clamp(note.pitch(), 0, 127));
      range.high = std::max(range.high, std::clamp(note.pitch(), 0, 127));
    }
  }
  if (range.low > range.high) range = {60, 72};
  range = {std::max(range.low - 2, 0), std::min(range.high + 2, 127)};
  while (range.high - range.low < 24) {
    range.low = std::max(range.low - 1, 0);
    range.high = std::min(range.high + 1, 127);
  }
  return range;
}

// The frame of one roll in the picture and what it shows.
struct Roll {
  double left, top, right, bottom;
  Range pitches;
  double end;  // seconds at the right edge

  double RowHeight() const {
    return (bottom - top) / (pitches.high - pitches.low + 1);
  }
  double X(double seconds) const {
    return left + (right - left) * seconds / end;
  }
  double RowTop(int pitch) const {
    return top + (pitches.high - pitch) * RowHeight();
  }
};

void DrawKeys(const Roll& roll, Canvas* canvas) {
  const double keys = roll.left - kKeyboardWidth;
  for (int pitch = roll.pitches.low; pitch <= roll.pitches.high; ++pitch) {
    const double top = roll.RowTop(pitch), bottom = top + roll.RowHeight();
    if (IsBlackKey(pitch)) {
      canvas->FillBox(roll.left, top, roll.right, bottom, kBlackKeyRow);
      canvas->FillBox(keys, top, keys + kKeyboardWidth * 0.65, bottom,
                      kKeyboardBlack);
    }
    if (pitch % 12 == 0) {
      canvas->FillBox(keys, bottom - 0.5, roll.right, bottom + 0.5,
                      kOctaveLine);
      // MIDI's note 60, middle C, is C4.
      canvas->Text(keys - 6, bottom - 13, absl::StrCat("C", pitch / 12 - 1), 2,
                   kFaintInk, Align::kRight);
    } else if (pitch % 12 == 5) {  // E and F touch, as on a keyboard
      canvas->FillBox(keys, bottom - 0.25, roll.left, bottom + 0.25, kBarLine);
    }
  }
}

// Bar lines with numbers, beats where there is room.
void DrawTime(const Roll& roll, const std::vector<double>& bars,
              const NoteSequence& sequence, Canvas* canvas) {
  const int count = static_cast<int>(bars.size()) - 1;
  const double width = (roll.right - roll.left) / count;
  const int beats = sequence.time_signatures().empty()
                        ? 4
                        : sequence.time_signatures(0).numerator();
  // A number every 1, 2, 4, ... bars, at least 40 pixels apart.
  int every = 1;
  while (every * width < 40) every *= 2;
  for (int i = 0; i <= count; ++i) {
    const double x = roll.X(bars[i]);
    if (i < count && width >= 24 && beats > 1 && beats <= 16) {
      const double beat = (roll.X(bars[i + 1]) - x) / beats;
      for (int k = 1; k < beats; ++k) {
        canvas->FillBox(x + k * beat - 0.5, roll.top, x + k * beat + 0.5,
                        roll.bottom, kBeatLine);
      }
    }
    if (width >= 4 || i % every == 0) {
      canvas->FillBox(x - 0.5, roll.top, x + 0.5, roll.bottom, kBarLine);
    }
    if (i < count && i % every == 0) {
      canvas->Text(x + 3, roll.bottom + 5, absl::StrCat(i + 1), 2, kFaintInk);
    }
  }
}

void DrawNotes(const Roll& roll, const NoteSequence& sequence, Canvas* canvas) {
  for (const auto& note : sequence.notes()) {
    const int pitch = std::clamp(note.pitch(), 0, 127);
    const double left = roll.X(std::clamp(note.start_time(), 0.0, roll.end));
    const double end = roll.X(std::clamp(note.end_time(), 0.0, roll.end));
    // A gap to the next note, smaller for short ones.
    const double right =
        std::max(left + 1.5, end - std::min(1.0, 0.2 * (end - left)));
    const double top = roll.RowTop(pitch), bottom = top + roll.RowHeight();
    const size_t voice = note.is_drum() ? 1 : note.instrument();
    const Color color = kInstruments[voice % std::size(kInstruments)];
    const double loud = std::clamp(note.velocity(), 1, 127) / 127.0;
    canvas->FillBox(left, top + 0.5, right, bottom - 0.5,
                    Mix(kPaper, color, 0.45 + 0.55 * loud));
    // A darker edge where the note starts keeps repeated notes apart.
    if (right - left >= 6) {
      canvas->FillBox(left, top + 0.5, left + 2, bottom - 0.5,
                      Mix(color, kInk, 0.5));
    }
  }
}

void DrawPanel(const PianoRollPanel& panel, Range pitches, double x, double y,
               int width, Canvas* canvas) {
  const std::vector<double> bars = BarTimes(panel.sequence);
  Roll roll = {.left = x + kLabelWidth + kKeyboardWidth,
               .top = y + kTitleHeight,
               .right = x + width,
               .bottom = y + kTitleHeight + kRowsHeight,
               .pitches = pitches,
               .end = bars.back()};
  const std::string facts =
      absl::StrCat(panel.sequence.notes_size(), " notes, ", bars.size() - 1,
                   bars.size() == 2 ? " bar" : " bars");
  const int facts_width = Canvas::TextWidth(facts, 2);
  canvas->Text(
      roll.left, y + 6,
      FitText(panel.title, 2,
              static_cast<int>(roll.right - roll.left) - facts_width - 24),
      2, kInk);
  canvas->Text(roll.right, y + 6, facts, 2, kFaintInk, Align::kRight);
  DrawKeys(roll, canvas);
  DrawTime(roll, bars, panel.sequence, canvas);
  DrawNotes(roll, panel.sequence, canvas);
  for (const double edge : {roll.top, roll.bottom}) {
    canvas->FillBox(roll.left - kKeyboardWidth, edge - 0.5, roll.right,
                    edge + 0.5, kFaintInk);
  }
  for (const double edge :
       {roll.left - kKeyboardWidth, roll.left, roll.right}) {
    canvas->FillBox(edge - 0.5, roll.top, edge + 0.5, roll.bottom, kFaintInk);
  }
}

int Columns(size_t panels) {
  if (panels <= 1) return 1;
  return panels <= 12 ? 2 : (panels <= 30 ? 3 : 4);
}

}  // namespace

std::vector<double> BarTimes(const NoteSequence& sequence, int max_bars) {
  double end = sequence.total_time();
  for (const auto& note : sequence.notes()) {
    end = std::max(end, note.end_time());
  }
  std::vector<double> bars = {0};
  int tempo = 0, meter = 0;
  double qpm = 120;
  double quarters = 4;
  do {
    const double start = bars.back();
    // A meter counts from the bar in which it stands.
    for (; meter < sequence.time_signatures_size() &&
           sequence.time_signatures(meter).time() <= start + 1e-6;
         ++meter) {
      const auto& signature = sequence.time_signatures(meter);
      if (signature.numerator() > 0 && signature.denominator() > 0) {
        quarters = 4.0 * signature.numerator() / signature.denominator();
      }
    }
    double now = start, left = quarters;
    while (left > 0) {
      for (; tempo < sequence.tempos_size() &&
             sequence.tempos(tempo).time() <= now + 1e-9;
           ++tempo) {
        if (sequence.tempos(tempo).qpm() > 0)
          qpm = sequence.tempos(tempo).qpm();
      }
      const double full = now + left * 60 / qpm;
      if (tempo >= sequence.tempos_size() ||
          sequence.tempos(tempo).time() >= full) {
        now = full;
        break;
      }
      left -= (sequence.tempos(tempo).time() - now) * qpm / 60;
      now = sequence.tempos(tempo).time();
    }
    bars.push_back(now);
    // Rounding must not open a bar for the end of the one before.
  } while (bars.back() < end - 1e-3 &&
           static_cast<int>(bars.size()) <= max_bars);
  return bars;
}

Canvas RenderPianoRolls(absl::Span<const PianoRollPanel> panels,
                        int panel_width) {
  CONTINUO_CHECK(!panels.empty());
  const int columns = Columns(panels.size());
  const int rows = (static_cast<int>(panels.size()) + columns - 1) / columns;
  Canvas canvas(kMargin + columns * (panel_width + kMargin),
                kMargin + rows * kPanelHeight, kPaper);
  const Range pitches = PitchRange(panels);
  for (size_t i = 0; i < panels.size(); ++i) {
    const int column = static_cast<int>(i) % columns;
    const int row = static_cast<int>(i) / columns;
    DrawPanel(panels[i], pitches, kMargin + column * (panel_width + kMargin),
              kMargin / 2.0 + row * kPanelHeight, panel_width, &canvas);
  }
  return canvas;
}

}  // namespace continuo
