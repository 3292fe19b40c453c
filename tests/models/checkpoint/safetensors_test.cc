// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/safetensors.h"

#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "models/config/run_config.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

Safetensors Sample() {
  Safetensors contents;
  contents.tensors["a/kernel"] = {.dtype = DType::kFloat32,
                                  .shape = {2, 3},
                                  .floats = {1, 2, 3, 4, 5, -6.5f},
                                  .ints = {}};
  contents.tensors["global_step"] = {.dtype = DType::kInt64,
                                     .shape = {},
                                     .floats = {},
                                     .ints = {1234567890123}};
  contents.tensors["none"] = {
      .dtype = DType::kFloat32, .shape = {0, 4}, .floats = {}, .ints = {}};
  contents.metadata = {{"config", "attention_rnn"}, {"text", "\"[{\n"}};
  return contents;
}

void ExpectEqual(const TensorMap& a, const TensorMap& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    ASSERT_NE(other, b.end()) << name;
    EXPECT_EQ(tensor.dtype, other->second.dtype);
    EXPECT_EQ(tensor.shape, other->second.shape);
    EXPECT_EQ(tensor.floats, other->second.floats);
    EXPECT_EQ(tensor.ints, other->second.ints);
  }
}

// A file with this header and `data_size` zero bytes of data.
std::string WithHeader(const std::string& header, int data_size) {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + std::string(data_size, '\0');
}

TEST(SafetensorsTest, RoundTrip) {
  const Safetensors sample = Sample();
  const std::string bytes = SerializeSafetensors(sample);
  EXPECT_TRUE(LooksLikeSafetensors(bytes));
  const auto read = ParseSafetensors(bytes, "x");
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectEqual(sample.tensors, read->tensors);
  EXPECT_EQ(sample.metadata, read->metadata);
  EXPECT_EQ(bytes, SerializeSafetensors(*read));
  const auto metadata = ParseSafetensorsMetadata(bytes, "x");
  ASSERT_TRUE(metadata.ok());
  EXPECT_EQ(*metadata, sample.metadata);
}

TEST(SafetensorsTest, LayoutIsTheFormats) {
  Safetensors contents;
  contents.tensors["w"] = {
      .dtype = DType::kFloat32, .shape = {1}, .floats = {1}, .ints = {}};
  const std::string json =
      R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string padded = json;
  while (padded.size() % 8 != 0) padded += ' ';
  EXPECT_EQ(SerializeSafetensors(contents),
            WithHeader(padded, 0) + std::string("\0\0\x80\x3f", 4));
}

TEST(SafetensorsTest, EveryTruncationIsAnError) {
  const std::string bytes = SerializeSafetensors(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(
        ParseSafetensors(absl::string_view(bytes).substr(0, size), "x").ok())
        << size;
  }
  EXPECT_FALSE(ParseSafetensors(bytes + "x", "x").ok());
}

TEST(SafetensorsTest, HostileHeadersNameTheTensor) {
  const std::string good = R"("w":{"dtype":"F32","shape":[2],)";
  const std::pair<std::string, std::string> cases[] = {
      {"{" + good + R"("data_offsets":[0,4]}})", "tensor w"},
      {"{" + good + R"("data_offsets":[4,12]}})", "tensor w"},
      {"{" + good + R"("data_offsets":[8,0]}})", "tensor w"},
      {"{" + good + R"("data_offsets":[-8,0]}})", "tensor w"},
      {"{" + good + R"("data_offsets":[0]}})", "tensor w"},
      {"{" + good + R"("data_offsets":[0,18446744073709551615]}})", "tensor w"},
      {R"({"w":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", "F16"},
      {R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],)"
       R"("data_offsets":[0,8]}})",
       "impossible shape"},
      {R"({"w":{"dtype":"F32","shape":"2","data_offsets":[0,8]}})", "tensor w"},
      {R"({"w":7})", "tensor w"},
      {R"({"__metadata__":{"a":7}})", "__metadata__"},
      {R"({"__metadata__":[]})", "__metadata__"},
      {R"({"w":)", "JSON"},
      {"{}", "8 bytes behind"}};
  for (const auto& [header, word] : cases) {
    const auto read = ParseSafetensors(WithHeader(header, 8), "file.x");
    ASSERT_FALSE(read.ok()) << header;
    EXPECT_TRUE(absl::StrContains(read.status().message(), word))
        << header << ": " << read.status();
    EXPECT_TRUE(absl::StrContains(read.status().message(), "file.x"));
  }
  EXPECT_FALSE(LooksLikeSafetensors(WithHeader("[]", 8)));
}

TEST(SafetensorsTest, ManyTensorsTakeLinearTime) {
  std::string header = "{";
  constexpr int kTensors = 50000;
  for (int i = 0; i < kTensors; ++i) {
    absl::StrAppend(&header, i == 0 ? "" : ",", "\"t", i,
                    R"(":{"dtype":"F32","shape":[1],"data_offsets":[)", 4 * i,
                    ",", 4 * i + 4, "]}");
  }
  const absl::Time begin = absl::Now();
  const auto read =
      ParseSafetensors(WithHeader(header + "}", 4 * kTensors), "x");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->tensors.size(), kTensors);
  EXPECT_EQ(ParseSafetensors(SerializeSafetensors(*read), "x")->tensors.size(),
            kTensors);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
}

TEST(SafetensorsTest, IsReadAsACheckpointWithItsConfiguration) {
  const testing::ScratchDir dir;
  Safetensors contents = Sample();
  const std::string path = dir.Path("m.safetensors");
  ASSERT_TRUE(WriteFileAtomically(path, SerializeSafetensors(contents)).ok());
  const auto tensors = ReadCheckpoint(path);
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  ExpectEqual(contents.tensors, *tensors);
  EXPECT_TRUE(absl::IsNotFound(ReadRunConfigBeside(path).status()));

  const ModelConfig model = *FindConfig(Family::kDrums, "drum_kit");
  contents.metadata[kSafetensorsRunConfig] =
      RunConfigToJson({.model = model, .seed = 7, .version = "x"});
  ASSERT_TRUE(WriteFileAtomically(path, SerializeSafetensors(contents)).ok());
  const auto config = ReadRunConfigBeside(path);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->model.name, "drum_kit");
  EXPECT_EQ(config->model.hparams.rnn_layer_sizes,
            model.hparams.rnn_layer_sizes);
  EXPECT_EQ(config->seed, 7);

  contents.metadata[kSafetensorsRunConfig] = "{}";
  ASSERT_TRUE(WriteFileAtomically(path, SerializeSafetensors(contents)).ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadRunConfigBeside(path).status()));
}

}  // namespace
}  // namespace continuo
