// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_magenta_sections.h"

#include <cstdint>

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

void AddAnnotation(double time, int64_t id, NoteSequence* sequence) {
  auto* annotation = sequence->add_section_annotations();
  annotation->set_time(time);
  annotation->set_section_id(id);
}

// Starts a section at `time`; false if one has just been started there.
bool StartSection(double time, NoteSequence* sequence) {
  // What precedes the first mark is a section too.
  if (sequence->section_annotations_size() == 0 && time > 0) {
    AddAnnotation(0, 0, sequence);
  }
  int64_t id = 0;
  if (const int count = sequence->section_annotations_size(); count > 0) {
    const auto& last = sequence->section_annotations(count - 1);
    if (last.time() == time) return false;
    id = last.section_id() + 1;
  }
  AddAnnotation(time, id, sequence);
  return true;
}

void AddGroup(int64_t id, int times, NoteSequence* sequence) {
  auto* group = sequence->add_section_groups();
  group->add_sections()->set_section_id(id);
  group->set_num_times(times);
}

// Plays the section before the last one `times` times.
void PlayPrevious(int times, NoteSequence* sequence) {
  const int count = sequence->section_annotations_size();
  AddGroup(sequence->section_annotations(count - 2).section_id(), times,
           sequence);
}

}  // namespace

bool AddMagentaRepeat(MagentaRepeat repeat, double time,
                      MagentaSections* sections, NoteSequence* sequence) {
  if (sections->expected_repeats != 0 &&
      repeat.backward != sections->expected_repeats) {
    return false;
  }
  const bool started = StartSection(time, sequence);
  if (repeat.backward > 0) {
    if (time == 0) return false;
    PlayPrevious(repeat.backward, sequence);
  } else if (time > 0 && started) {
    PlayPrevious(1, sequence);
  }
  sections->expected_repeats = repeat.forward;
  return true;
}

void AddMagentaDoubleBar(double time, MagentaSections* sections,
                         NoteSequence* sequence) {
  // Within a forward repeat the section continues to its end.
  if (sections->expected_repeats != 0 || !(time > 0)) return;
  if (StartSection(time, sequence)) PlayPrevious(1, sequence);
}

bool FinishMagentaSections(MagentaSections* sections, NoteSequence* sequence) {
  if (sections->expected_repeats != 0) return false;
  auto* annotations = sequence->mutable_section_annotations();
  if (annotations->empty()) return true;
  if (sequence->notes().empty()) return false;
  const double end = sequence->notes(sequence->notes_size() - 1).end_time();
  if (annotations->rbegin()->time() == end) annotations->RemoveLast();
  const auto& groups = sequence->section_groups();
  if (!annotations->empty() && !groups.empty()) {
    const int64_t last = annotations->rbegin()->section_id();
    if (groups.rbegin()->sections(0).section_id() != last) {
      AddGroup(last, 1, sequence);
    }
  }
  return true;
}

}  // namespace continuo
