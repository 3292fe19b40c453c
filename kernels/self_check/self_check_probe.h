// SPDX-License-Identifier: Apache-2.0

// What the probes of the self check are written with: each puts its inputs on
// a stream's device, runs an operation there and names the outputs. It is run
// on the CPU and on the device, and the outputs are compared.

#ifndef CONTINUO_KERNELS_SELF_CHECK_SELF_CHECK_PROBE_H_
#define CONTINUO_KERNELS_SELF_CHECK_SELF_CHECK_PROBE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/self_check/self_check.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// `count` numbers uniform in (-scale, scale), a function of the seed.
std::vector<float> ProbeValues(int64_t count, uint64_t seed,
                               double scale = 1.0);

// One run of a probe on one stream.
class ProbeRun {
 public:
  // Arrays are put into `arena`, which is of the stream's device and committed.
  ProbeRun(const Stream& stream, Arena* arena)
      : stream_(stream), arena_(arena) {
    arena_->Rewind(0);
  }
  ProbeRun(const ProbeRun&) = delete;
  ProbeRun& operator=(const ProbeRun&) = delete;

  const Stream& stream() const { return stream_; }

  // An array on the device: with values, or to be written (until then bits that
  // are not a number, or -1).
  template <typename T>
  TensorView Put(const std::vector<T>& values, Shape shape) {
    const TensorView view = Place<T>(shape);
    Copy(TensorView(values.data(), shape), view);
    return view;
  }
  template <typename T>
  TensorView Put(const std::vector<T>& values) {
    return Put(values, {static_cast<int64_t>(values.size())});
  }
  template <typename T>
  TensorView New(Shape shape) {
    const TensorView view = Place<T>(shape);
    Spoil(view);
    return view;
  }
  TensorView Random(Shape shape, uint64_t seed, double scale = 1.0) {
    return Put(ProbeValues(shape.num_elements(), seed, scale), shape);
  }
  // An array of gates (GateType).
  TensorView RandomGates(Shape shape, uint64_t seed, double scale);
  TensorView NewGates(Shape shape);
  // A random [rows, columns] matrix packed, or (the same one) its transpose.
  TensorView Packed(int64_t rows, int64_t columns, uint64_t seed, double scale,
                    bool transpose = false);
  // A batch of rows of these lengths, descending.
  RaggedLayout MakeRaggedLayout(const std::vector<int>& lengths);

  // Takes note of an output.
  void Compare(const TensorView& output) { outputs_.push_back(output); }

  // The outputs' values once all work is done, or what failed before.
  absl::Status Read(std::vector<std::vector<double>>* values);

 private:
  template <typename T>
  TensorView Place(Shape shape) {
    return arena_->Allocate<T>("probe", shape);
  }
  void Copy(const TensorView& from, const TensorView& to);
  void Spoil(const TensorView& view);
  void Keep(absl::Status status) { status_.Update(status); }

  Stream stream_;
  Arena* arena_;
  absl::Status status_;
  std::vector<TensorView> outputs_;
  std::deque<std::vector<int32_t>> host_;  // layouts' host arrays
};

// How far results may be from the CPU's.
enum class ProbeAccuracy {
  kEqual,     // moved, counted or chosen
  kRounding,  // sums and functions in float32 or double
  kProducts   // products, at the stream's precision
};

struct Probe {
  std::string operation;
  ProbeAccuracy accuracy;
  absl::Status (*run)(ProbeRun* run, int64_t units);
  int64_t units = 0;  // recurrent operations
};

// Runs them on the CPU and on the stream's device, and compares.
std::vector<SelfCheckResult> RunProbes(const Stream& stream,
                                       absl::Span<const Probe> probes);

// Probes of products, recurrent layers, attention, and all others.
void AddDenseProbes(std::vector<Probe>* probes);
void AddLstmProbes(int64_t units, bool cudnn, std::vector<Probe>* probes);
void AddGruProbes(int64_t units, std::vector<Probe>* probes);
void AddAttentionProbes(int64_t units, std::vector<Probe>* probes);
void AddTrainingProbes(std::vector<Probe>* probes);
void AddGenerationProbes(std::vector<Probe>* probes);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_SELF_CHECK_SELF_CHECK_PROBE_H_
