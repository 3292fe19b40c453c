// SPDX-License-Identifier: Apache-2.0

// What a rank of any form of Collective must get from each call: run by threads
// (in_memory_test.cc) and by processes.

#ifndef CONTINUO_TESTS_RUNTIME_COLLECTIVE_COLLECTIVE_CASES_H_
#define CONTINUO_TESTS_RUNTIME_COLLECTIVE_COLLECTIVE_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective.h"
#include "runtime/device/device_copy.h"

namespace continuo::testing {

// Element i of what rank `from` sends to rank `to`.
inline float SentNumber(int from, int to, int64_t i) {
  return static_cast<float>(1000 * from + 100 * to) + static_cast<float>(i);
}

// How much that is: some pairs send nothing.
inline int64_t SentCount(int from, int to, int64_t scale) {
  return from == to + 1 ? 0 : scale * (from + 1) + to;
}

// Arrays of the stream's device, filled from and read to the host.
struct CaseMemory {
  const Stream* stream = nullptr;
  absl::Span<float> memory = {};
  int64_t used = 0;

  absl::Span<float> Take(int64_t count) {
    const auto taken =
        memory.subspan(static_cast<size_t>(used), static_cast<size_t>(count));
    used += count;
    return taken;
  }
  absl::Status Fill(absl::Span<float> to, const std::vector<float>& from) {
    CONTINUO_RETURN_IF_ERROR(
        CopyBytes(*stream, from.data(), to.data(),
                  static_cast<int64_t>(from.size() * sizeof(float))));
    return Synchronize(*stream);
  }
  absl::StatusOr<std::vector<float>> Read(absl::Span<const float> from) {
    std::vector<float> to(from.size());
    CONTINUO_RETURN_IF_ERROR(
        CopyBytes(*stream, from.data(), to.data(),
                  static_cast<int64_t>(from.size() * sizeof(float))));
    CONTINUO_RETURN_IF_ERROR(Synchronize(*stream));
    return to;
  }
};

inline absl::Status Unless(bool good, absl::string_view what) {
  return good ? absl::OkStatus() : absl::InternalError(what);
}

inline absl::Status ExchangeCase(Collective& ranks, CaseMemory memory,
                                 int64_t scale) {
  const Stream& stream = *memory.stream;
  const int me = ranks.rank();
  std::vector<absl::Span<const float>> send;
  std::vector<absl::Span<float>> receive;
  for (int r = 0; r < ranks.size(); ++r) {
    std::vector<float> numbers;
    for (int64_t i = 0; i < SentCount(me, r, scale); ++i) {
      numbers.push_back(SentNumber(me, r, i));
    }
    const auto sent = memory.Take(static_cast<int64_t>(numbers.size()));
    CONTINUO_RETURN_IF_ERROR(memory.Fill(sent, numbers));
    send.push_back(sent);
    receive.push_back(memory.Take(SentCount(r, me, scale)));
  }
  CONTINUO_RETURN_IF_ERROR(ranks.Exchange(stream, send, receive));
  CONTINUO_RETURN_IF_ERROR(ranks.Wait(stream));
  for (int r = 0; r < ranks.size(); ++r) {
    CONTINUO_ASSIGN_OR_RETURN(const std::vector<float> got,
                              memory.Read(receive[static_cast<size_t>(r)]));
    for (size_t i = 0; i < got.size(); ++i) {
      CONTINUO_RETURN_IF_ERROR(
          Unless(got[i] == SentNumber(r, me, static_cast<int64_t>(i)),
                 absl::StrCat("number ", i, " of rank ", r, " is ", got[i])));
    }
  }
  return absl::OkStatus();
}

// Slices of 0, 1, 2, ... times `scale` numbers.
inline absl::Status AllGatherCase(Collective& ranks, CaseMemory memory,
                                  int64_t scale) {
  std::vector<int64_t> begin = {0};
  for (int r = 0; r < ranks.size(); ++r) {
    begin.push_back(begin.back() + r * scale);
  }
  const auto all = memory.Take(begin.back());
  std::vector<float> mine(all.size(), -1);
  std::vector<float> expected;
  for (int r = 0; r < ranks.size(); ++r) {
    const auto first = static_cast<size_t>(begin[static_cast<size_t>(r)]);
    for (int64_t i = 0; i < r * scale; ++i) {
      expected.push_back(SentNumber(r, 0, i));
      if (r == ranks.rank()) {
        mine[first + static_cast<size_t>(i)] = expected.back();
      }
    }
  }
  CONTINUO_RETURN_IF_ERROR(memory.Fill(all, mine));
  CONTINUO_RETURN_IF_ERROR(ranks.AllGather(*memory.stream, begin, all));
  CONTINUO_RETURN_IF_ERROR(ranks.Wait(*memory.stream));
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<float> got, memory.Read(all));
  return Unless(got == expected, "the slices are not those of the ranks");
}

inline absl::Status AllReduceCase(Collective& ranks, CaseMemory memory,
                                  int64_t count) {
  const auto data = memory.Take(count);
  std::vector<float> mine;
  std::vector<float> expected;
  for (int64_t i = 0; i < count; ++i) {
    mine.push_back(SentNumber(ranks.rank(), 0, i % 512));
    float sum = 0;  // whole numbers: the order does not matter
    for (int r = 0; r < ranks.size(); ++r) sum += SentNumber(r, 0, i % 512);
    expected.push_back(sum);
  }
  CONTINUO_RETURN_IF_ERROR(memory.Fill(data, mine));
  CONTINUO_RETURN_IF_ERROR(ranks.AllReduceSum(*memory.stream, data));
  CONTINUO_RETURN_IF_ERROR(ranks.Wait(*memory.stream));
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<float> got, memory.Read(data));
  return Unless(got == expected, "the sums are wrong");
}

// Bytes of different lengths, none among them, from all and from each.
inline absl::Status BytesCase(Collective& ranks, size_t scale) {
  const auto bytes_of = [&](int rank) {
    return std::string(static_cast<size_t>(rank) * scale,
                       static_cast<char>('a' + rank % 26));
  };
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> all,
                            ranks.GatherBytes(bytes_of(ranks.rank())));
  CONTINUO_RETURN_IF_ERROR(Unless(
      all.size() == static_cast<size_t>(ranks.size()), "a rank is missing"));
  for (int r = 0; r < ranks.size(); ++r) {
    CONTINUO_RETURN_IF_ERROR(
        Unless(all[static_cast<size_t>(r)] == bytes_of(r),
               absl::StrCat("rank ", r, "'s bytes are wrong")));
    std::string bytes = bytes_of(ranks.rank());
    CONTINUO_RETURN_IF_ERROR(ranks.BroadcastBytes(r, &bytes));
    CONTINUO_RETURN_IF_ERROR(
        Unless(bytes == bytes_of(r),
               absl::StrCat("the broadcast of rank ", r, " is wrong")));
  }
  return ranks.Barrier();
}

// The numbers that all cases need memory for.
inline int64_t CaseFloats(int size, int64_t scale) {
  return 2 * (scale + 1) * (size + 1) * (size + 1);
}

// All of these, for each scale in turn.
inline absl::Status AllCases(Collective& ranks, const CaseMemory& memory,
                             absl::Span<const int64_t> scales) {
  for (const int64_t scale : scales) {
    CONTINUO_RETURN_IF_ERROR(ExchangeCase(ranks, memory, scale));
    CONTINUO_RETURN_IF_ERROR(AllGatherCase(ranks, memory, scale));
    CONTINUO_RETURN_IF_ERROR(AllReduceCase(ranks, memory, scale));
    CONTINUO_RETURN_IF_ERROR(BytesCase(ranks, static_cast<size_t>(scale)));
  }
  return absl::OkStatus();
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_RUNTIME_COLLECTIVE_COLLECTIVE_CASES_H_
