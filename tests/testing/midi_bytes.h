// SPDX-License-Identifier: Apache-2.0

// Hand-made MIDI files for tests.

#ifndef CONTINUO_TESTS_TESTING_MIDI_BYTES_H_
#define CONTINUO_TESTS_TESTING_MIDI_BYTES_H_

#include <initializer_list>
#include <string>
#include <vector>

namespace continuo::testing {

// Bytes from numbers 0..255.
inline std::string Bytes(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

inline std::string BigEndian(int value, int size) {
  std::string text;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift));
  }
  return text;
}

inline std::string MidiHeader(int format, int num_tracks, int division) {
  return "MThd" + BigEndian(6, 4) + BigEndian(format, 2) +
         BigEndian(num_tracks, 2) + BigEndian(division, 2);
}

inline std::string MidiTrack(const std::string& events) {
  return "MTrk" + BigEndian(static_cast<int>(events.size()), 4) + events;
}

// The end-of-track event behind no time.
inline std::string EndOfTrack() { return Bytes({0, 0xff, 0x2f, 0}); }

// A file of format 1 with 480 ticks per quarter; each track gets its end.
inline std::string MidiFile(const std::vector<std::string>& tracks,
                            int division = 480) {
  std::string file = MidiHeader(1, static_cast<int>(tracks.size()), division);
  for (const std::string& events : tracks) {
    file += MidiTrack(events + EndOfTrack());
  }
  return file;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_MIDI_BYTES_H_
