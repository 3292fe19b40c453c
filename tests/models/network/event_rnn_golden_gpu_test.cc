// SPDX-License-Identifier: Apache-2.0

// The network on a CUDA device against Magenta, in fp32: the forms that are
// chosen by themselves, the step-wise ones, whose steps are not recorded, and
// cuDNN's layers.

#include "tests/models/network/event_rnn_golden.h"

namespace continuo::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Graphs, ModelGoldenTest,
    ::testing::ValuesIn(GoldenCases(
        {{"", "fused", DeviceType::kCuda, {.backend = RnnBackend::kFused}},
         {"",
          "stepwise",
          DeviceType::kCuda,
          {.form = RecurrentForm::kStepwise, .backend = RnnBackend::kFused}},
         {"", "cudnn", DeviceType::kCuda, {.backend = RnnBackend::kCudnn}}})),
    GoldenCaseName);

}  // namespace
}  // namespace continuo::testing
