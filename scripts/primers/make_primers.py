#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the primers beside it: primer.mid of each family."""

import os
import struct

TICKS = 220  # per quarter note
TEMPO = b"\x00\xff\x51\x03" + (500000).to_bytes(3, "big")  # 120 a minute
METER = b"\x00\xff\x58\x04\x04\x02\x18\x08"  # 4/4
END = b"\x01\xff\x2f\x00"


def number(value):
    """A variable-length number."""
    digits = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def chunk(name, data):
    return name + struct.pack(">I", len(data)) + data


def write(family, channel, notes):
    """notes: (start and length in sixteenths, pitch, velocity)."""
    events = []
    for start, length, pitch, velocity in notes:
        tick = TICKS * start // 4
        events.append((tick, 1, pitch, velocity))
        events.append((tick + TICKS * length // 4, 0, pitch, 0))
    data, now = b"", 0
    for tick, _, pitch, velocity in sorted(events):
        data += number(tick - now) + bytes((0x90 | channel, pitch, velocity))
        now = tick
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), family)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "primer.mid"), "wb") as file:
        file.write(chunk(b"MThd", struct.pack(">HHH", 1, 2, TICKS)))
        file.write(chunk(b"MTrk", TEMPO + METER + END))
        file.write(chunk(b"MTrk", data + END))


def main():
    # Twinkle, twinkle, little star.
    twinkle = [60, 60, 67, 67, 69, 69, 67]
    write("melody_rnn", 0,
          [(4 * i, 8 if i == 6 else 4, pitch, 100)
           for i, pitch in enumerate(twinkle)])
    # A bar of rock: bass drum, snare drum, closed hi-hat.
    write("drums_rnn", 9,
          [(step, 1, 36, 100) for step in (0, 8)]
          + [(step, 1, 38, 100) for step in (4, 12)]
          + [(step, 1, 42, 80) for step in range(0, 16, 2)])
    # The scale of C major in eighths, getting louder.
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    write("performance_rnn", 0,
          [(2 * i, 2, pitch, 60 + 4 * i) for i, pitch in enumerate(scale)])


if __name__ == "__main__":
    main()
