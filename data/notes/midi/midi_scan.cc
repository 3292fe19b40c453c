// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_scan.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace continuo {
namespace {

constexpr char kTrackName[] = "MTrk";

bool IsChunkName(const uint8_t* p) {
  return std::all_of(p, p + 4, [](uint8_t c) { return std::isprint(c) != 0; });
}

// The standard's longest variable-length number. Longer ones are hardly events,
// and would slow the look-ahead.
const uint8_t* Bounded(const uint8_t* p, const uint8_t* limit) {
  return limit - p > 4 ? p + 4 : limit;
}

// Passes one event; false if it is damaged or cut off, `*p` being anywhere.
bool PassEvent(const uint8_t** p, const uint8_t* limit, uint8_t* running,
               bool* has_status, bool* is_end) {
  uint64_t number = 0;
  if (!ReadMidiNumber(p, Bounded(*p, limit), &number) || *p == limit) {
    return false;
  }
  uint8_t status = **p;
  *has_status = status >= 0x80;
  if (*has_status) {
    ++*p;
  } else {
    status = *running;
    if (status == 0) return false;
  }
  if (status == 0xff || status == 0xf0 || status == 0xf7) {
    if (status == 0xff) {
      if (*p == limit) return false;
      *is_end = **p == 0x2f;
      ++*p;
    }
    if (!ReadMidiNumber(p, Bounded(*p, limit), &number) ||
        number > static_cast<uint64_t>(limit - *p)) {
      return false;
    }
    *p += number;
    return true;
  }
  int size = 2;
  if (status >= 0xf0) {
    size = MidiSystemDataBytes(status);
    if (size < 0) return false;
  } else {
    *running = status;
    if (status >= 0xc0 && status < 0xe0) size = 1;
  }
  for (; size > 0; --size, ++*p) {
    if (*p == limit || **p >= 0x80) return false;
  }
  return true;
}

}  // namespace

uint32_t MidiBigEndian(const uint8_t* p, int size) {
  uint32_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | p[i];
  return value;
}

bool IsMidiTrackHeader(const uint8_t* p, const uint8_t* file_end) {
  return file_end - p >= kMidiChunkHeaderSize &&
         std::memcmp(p, kTrackName, 4) == 0;
}

const uint8_t* FindMidiTrackHeader(const uint8_t* p, const uint8_t* file_end) {
  const uint8_t* found = std::search(p, file_end, kTrackName, kTrackName + 4);
  return IsMidiTrackHeader(found, file_end) ? found : file_end;
}

bool IsWholeMidiTrack(const uint8_t* p, const uint8_t* file_end) {
  if (!IsMidiTrackHeader(p, file_end)) return false;
  const int64_t size = MidiBigEndian(p + 4, 4);
  p += kMidiChunkHeaderSize;
  return size <= file_end - p && IsMidiChunkBoundary(p + size, file_end);
}

bool IsMidiChunkBoundary(const uint8_t* p, const uint8_t* file_end) {
  if (p == file_end || IsMidiTrackHeader(p, file_end)) return true;
  if (file_end - p < kMidiChunkHeaderSize || !IsChunkName(p)) return false;
  const int64_t size = MidiBigEndian(p + 4, 4);
  p += kMidiChunkHeaderSize;
  return size <= file_end - p &&
         (p + size == file_end || IsMidiTrackHeader(p + size, file_end));
}

int MidiSystemDataBytes(uint8_t status) {
  switch (status) {
    case 0xf1:
    case 0xf3:
      return 1;
    case 0xf2:
      return 2;
    case 0xf4:
    case 0xf5:
    case 0xf9:
    case 0xfd:
      return -1;
    default:
      return 0;
  }
}

MidiWalk WalkMidiEvents(const uint8_t* p, const uint8_t* limit,
                        uint8_t running) {
  MidiWalk walk;
  walk.p = p;
  for (;;) {
    if (walk.p == limit) {
      walk.stop = MidiWalk::Stop::kLimit;
      return walk;
    }
    if (IsMidiTrackHeader(walk.p, limit)) {
      walk.stop = MidiWalk::Stop::kTrackHeader;
      return walk;
    }
    const uint8_t* event = walk.p;
    bool has_status = false;
    bool is_end = false;
    if (!PassEvent(&event, limit, &running, &has_status, &is_end)) {
      walk.stop = MidiWalk::Stop::kDamage;
      return walk;
    }
    walk.p = event;
    walk.has_status |= has_status;
    ++walk.num_events;
    if (is_end) {
      walk.stop = MidiWalk::Stop::kEndOfTrack;
      return walk;
    }
  }
}

}  // namespace continuo
