// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_sequence.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "data/notes/defaults.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Magenta's resolution and default tempo.

// Turns positions into seconds: exact within a stretch of one tempo.
class Clock {
 public:
  void SetTempo(double qpm, AbcRational position) {
    start_seconds_ = Seconds(position);
    start_ = position;
    seconds_per_quarter_ = 1 / (qpm / 60);
  }
  double Seconds(AbcRational position) const {
    const AbcRational quarters = (position - start_) * AbcRational{4, 1};
    return start_seconds_ + seconds_per_quarter_ * quarters.ToDouble();
  }

 private:
  AbcRational start_;
  double start_seconds_ = 0;
  double seconds_per_quarter_ = 1 / (kDefaultQpm / 60);
};

class Writer {
 public:
  explicit Writer(const AbcScore& score) : score_(score) {
    auto* source = sequence_.mutable_source_info();
    source->set_source_type(NoteSequence::SourceInfo::SCORE_BASED);
    source->set_encoding_type(NoteSequence::SourceInfo::ABC);
    source->set_parser(NoteSequence::SourceInfo::MAGENTA_ABC);
    sequence_.set_ticks_per_quarter(kDefaultTicksPerQuarter);
    auto* metadata = sequence_.mutable_sequence_metadata();
    metadata->set_title(score.title);
    for (const std::string& composer : score.composers) {
      metadata->add_composers(composer);
    }
    if (!score.composers.empty()) metadata->set_artist(score.composers[0]);
  }

  void Write(const AbcElement& element) {
    SetContext(score_.contexts[element.context]);
    if (element.kind == AbcElement::Kind::kText) {
      WriteText(element.text);
      return;
    }
    const AbcRational end = position_ + element.length;
    if (element.kind == AbcElement::Kind::kNote) {
      WriteNote(element, end);
    } else {
      tied_ = false;
    }
    position_ = end;
  }

  absl::StatusOr<NoteSequence> Finish() {
    if (!position_.valid()) {
      return absl::InvalidArgumentError(
          "lengths too long or too finely divided: check the numbers behind "
          "the notes and the tuplets");
    }
    const int notes = sequence_.notes_size();
    if (notes == 0) {
      return absl::InvalidArgumentError(
          "a tune without notes: none of them is played");
    }
    sequence_.set_total_time(sequence_.notes(notes - 1).end_time());
    return std::move(sequence_);
  }

 private:
  void SetContext(const AbcContext& context) {
    if (&context == context_) return;
    const AbcContext* before = std::exchange(context_, &context);
    const double time = clock_.Seconds(position_);
    if (context.qpm > 0 && (!before || before->qpm != context.qpm)) {
      clock_.SetTempo(context.qpm, position_);
      auto* tempo = sequence_.add_tempos();
      tempo->set_time(time);
      tempo->set_qpm(context.qpm);
    }
    const AbcMeter& meter = context.meter;
    if (!meter.is_free() &&
        (!before || before->meter.numerator != meter.numerator ||
         before->meter.denominator != meter.denominator)) {
      auto* signature = sequence_.add_time_signatures();
      signature->set_time(time);
      signature->set_numerator(meter.numerator);
      signature->set_denominator(meter.denominator);
    }
    const AbcKey& key = context.key;
    if (key.has_signature &&
        (!before || !before->key.has_signature || before->key.key != key.key ||
         before->key.mode != key.mode)) {
      auto* signature = sequence_.add_key_signatures();
      signature->set_time(time);
      signature->set_key(key.key);
      signature->set_mode(key.mode);
    }
  }

  void WriteNote(const AbcElement& element, AbcRational end) {
    const int notes = sequence_.notes_size();
    const double end_time = clock_.Seconds(end);
    if (tied_ && sequence_.notes(notes - 1).pitch() == element.pitch) {
      sequence_.mutable_notes(notes - 1)->set_end_time(end_time);
    } else if (element.length.num > 0) {
      auto* note = sequence_.add_notes();
      note->set_pitch(element.pitch);
      note->set_velocity(element.velocity);
      note->set_start_time(clock_.Seconds(position_));
      note->set_end_time(end_time);
    }
    tied_ = element.tie && sequence_.notes_size() > 0;
  }

  void WriteText(const std::string& text) {
    auto* annotation = sequence_.add_text_annotations();
    annotation->set_time(clock_.Seconds(position_));
    annotation->set_text(text);
    const char upper = text.empty() ? 0 : absl::ascii_toupper(text[0]);
    if (upper >= 'A' && upper <= 'G') {
      annotation->set_annotation_type(
          NoteSequence::TextAnnotation::CHORD_SYMBOL);
    }
  }

  const AbcScore& score_;
  NoteSequence sequence_;
  Clock clock_;
  AbcRational position_;
  const AbcContext* context_ = nullptr;
  bool tied_ = false;
};

}  // namespace

absl::StatusOr<NoteSequence> AbcScoreToSequence(const AbcScore& score,
                                                const std::vector<int>& order) {
  Writer writer(score);
  for (const int i : order) writer.Write(score.elements[i]);
  return writer.Finish();
}

}  // namespace continuo
