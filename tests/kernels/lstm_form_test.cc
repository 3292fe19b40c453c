// Which form of the LSTM runs, on devices that need not be there.

#include "kernels/lstm_form.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

GpuProperties Gpu(int compute_capability) {
  GpuProperties gpu;
  gpu.name = "a device";
  gpu.compute_capability = compute_capability;
  gpu.multiprocessors = compute_capability == 80 ? 108 : 132;
  gpu.shared_bytes_per_block = (compute_capability == 80 ? 163 : 227) * 1024;
  gpu.shared_bytes_per_multiprocessor = gpu.shared_bytes_per_block + 1024;
  return gpu;
}

TEST(LstmFormTest, StepwiseOnRequestAndForOneStep) {
  const LstmShape shape = {.rows = 64, .steps = 100, .units = 128};
  EXPECT_EQ(*ChooseLstmForm(shape, {.form = RecurrentForm::kStepwise}, Gpu(90)),
            LstmForm::kStepwise);
  EXPECT_EQ(
      *ChooseLstmForm({.rows = 64, .steps = 1, .units = 128}, {}, Gpu(90)),
      LstmForm::kStepwise);
}

TEST(LstmFormTest, RefusesAPersistentFormThatDoesNotFit) {
  const LstmShape shape = {.rows = 64, .steps = 100, .units = 33};
  const auto form =
      ChooseLstmForm(shape, {.form = RecurrentForm::kPersistent}, Gpu(90));
  ASSERT_FALSE(form.ok());
  EXPECT_EQ(form.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*ChooseLstmForm(shape, {}, Gpu(90)), LstmForm::kStepwise);
}

}  // namespace
}  // namespace continuo
