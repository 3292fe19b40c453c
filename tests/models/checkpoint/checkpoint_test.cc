// SPDX-License-Identifier: Apache-2.0

#include "models/checkpoint/checkpoint.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/proto/checkpoint.pb.h"
#include "gtest/gtest.h"
#include "models/checkpoint/sstable.h"
#include "runtime/files/atomic_file.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::ScratchDir;

TensorMap SmallCheckpoint() {
  TensorMap tensors;
  tensors["a/kernel"] = {.dtype = DType::kFloat32,
                         .shape = {2, 3},
                         .floats = {1, -2, 3.5f, 0, 1e-30f, 6},
                         .ints = {}};
  tensors["a/bias"] = {
      .dtype = DType::kFloat32, .shape = {1}, .floats = {0.25f}, .ints = {}};
  tensors["empty"] = {
      .dtype = DType::kFloat32, .shape = {0, 4}, .floats = {}, .ints = {}};
  tensors["global_step"] = {.dtype = DType::kInt64,
                            .shape = {},
                            .floats = {},
                            .ints = {int64_t{1} << 40}};
  return tensors;
}

void ExpectSame(const TensorMap& a, const TensorMap& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    ASSERT_EQ(b.count(name), 1) << name;
    const HostTensor& other = b.at(name);
    EXPECT_EQ(tensor.dtype, other.dtype) << name;
    EXPECT_EQ(tensor.shape, other.shape) << name;
    EXPECT_EQ(tensor.floats, other.floats) << name;
    EXPECT_EQ(tensor.ints, other.ints) << name;
  }
}

TEST(CheckpointTest, RoundTrip) {
  const ScratchDir dir;
  const std::string prefix = dir.Path("model.ckpt-7");
  ASSERT_TRUE(WriteCheckpointV2(prefix, SmallCheckpoint()).ok());
  for (const std::string& path : {prefix, prefix + ".index"}) {
    const auto tensors = ReadCheckpoint(path);
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    ExpectSame(SmallCheckpoint(), *tensors);
  }
}

TEST(CheckpointTest, EveryFlippedByteIsAnErrorNamingTheFile) {
  const ScratchDir dir;
  const std::string prefix = dir.Path("m");
  ASSERT_TRUE(WriteCheckpointV2(prefix, SmallCheckpoint()).ok());
  for (const char* suffix : {".index", ".data-00000-of-00001"}) {
    const std::string path = prefix + suffix;
    const std::string intact = *ReadFile(path);
    for (size_t i = 0; i < intact.size(); ++i) {
      std::string damaged = intact;
      damaged[i] ^= 0x41;
      ASSERT_TRUE(WriteFileAtomically(path, damaged).ok());
      const auto tensors = ReadCheckpoint(prefix);
      ASSERT_FALSE(tensors.ok()) << suffix << " byte " << i;
      EXPECT_TRUE(absl::StrContains(tensors.status().message(), prefix))
          << tensors.status();
    }
    ASSERT_TRUE(WriteFileAtomically(path, intact).ok());
  }
}

TEST(CheckpointTest, TruncationAtEveryByteIsAnError) {
  const ScratchDir dir;
  const std::string prefix = dir.Path("m");
  ASSERT_TRUE(WriteCheckpointV2(prefix, SmallCheckpoint()).ok());
  for (const char* suffix : {".index", ".data-00000-of-00001"}) {
    const std::string path = prefix + suffix;
    const std::string intact = *ReadFile(path);
    for (size_t size = 0; size < intact.size(); ++size) {
      ASSERT_TRUE(WriteFileAtomically(path, intact.substr(0, size)).ok());
      EXPECT_FALSE(ReadCheckpoint(prefix).ok()) << suffix << " size " << size;
    }
    ASSERT_TRUE(WriteFileAtomically(path, intact).ok());
  }
}

TEST(CheckpointTest, DamagedDataNamesTheTensor) {
  const ScratchDir dir;
  const std::string prefix = dir.Path("m");
  ASSERT_TRUE(WriteCheckpointV2(prefix, SmallCheckpoint()).ok());
  const std::string path = prefix + ".data-00000-of-00001";
  std::string data = *ReadFile(path);
  data[4] ^= 1;  // "a/bias" comes first and has four bytes
  ASSERT_TRUE(WriteFileAtomically(path, data).ok());
  const absl::Status status = ReadCheckpoint(prefix).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(status.message(), "a/kernel")) << status;
}

// The entry of one float32 tensor, as a hand-made index needs it.
tensorflow::BundleEntryProto FloatEntry(const std::vector<int64_t>& shape,
                                        int64_t offset,
                                        absl::string_view bytes) {
  tensorflow::BundleEntryProto entry;
  entry.set_dtype(1);
  for (int64_t size : shape) entry.mutable_shape()->add_dim()->set_size(size);
  entry.set_offset(offset);
  entry.set_size(static_cast<int64_t>(bytes.size()));
  entry.set_crc32c(MaskedCrc32c(bytes));
  return entry;
}

std::string Header(int num_shards) {
  tensorflow::BundleHeaderProto header;
  header.set_num_shards(num_shards);
  return header.SerializeAsString();
}

TEST(CheckpointTest, SeveralDataFilesAreRead) {
  const ScratchDir dir;
  const std::string one("\0\0\x80\x3f", 4);  // 1.0f
  const std::string two("\0\0\0\x40", 4);    // 2.0f
  ASSERT_TRUE(WriteFileAtomically(dir.Path("m.data-00000-of-00002"), one).ok());
  ASSERT_TRUE(
      WriteFileAtomically(dir.Path("m.data-00001-of-00002"), one + two).ok());
  tensorflow::BundleEntryProto second = FloatEntry({1}, 4, two);
  second.set_shard_id(1);
  ASSERT_TRUE(
      WriteFileAtomically(
          dir.Path("m.index"),
          BuildSstable({{"", Header(2)},
                        {"a", FloatEntry({}, 0, one).SerializeAsString()},
                        {"b", second.SerializeAsString()}}))
          .ok());
  const auto tensors = ReadCheckpoint(dir.Path("m"));
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  EXPECT_EQ(tensors->at("a").floats, std::vector<float>{1});
  EXPECT_EQ(tensors->at("b").floats, std::vector<float>{2});
}

TEST(CheckpointTest, HostileEntriesAreErrorsNamingTheTensor) {
  const ScratchDir dir;
  const std::string one("\0\0\x80\x3f", 4);
  ASSERT_TRUE(WriteFileAtomically(dir.Path("m.data-00000-of-00001"), one).ok());
  const int64_t huge = int64_t{1} << 62;
  std::vector<tensorflow::BundleEntryProto> entries = {
      FloatEntry({2}, 0, one),           // more elements than bytes
      FloatEntry({huge, huge}, 0, one),  // overflows
      FloatEntry({-1}, 0, one),
      FloatEntry({1}, 1, one),  // beyond the end of the file
      FloatEntry({1}, -4, one),
      FloatEntry({1}, huge, one),
  };
  entries.push_back(FloatEntry({1}, 0, one));
  entries.back().set_shard_id(7);
  entries.push_back(FloatEntry({1}, 0, one));
  entries.back().set_dtype(7);  // strings
  entries.push_back(FloatEntry({1}, 0, one));
  entries.back().add_slices();
  for (const auto& entry : entries) {
    ASSERT_TRUE(
        WriteFileAtomically(
            dir.Path("m.index"),
            BuildSstable({{"", Header(1)}, {"bad", entry.SerializeAsString()}}))
            .ok());
    const absl::Status status = ReadCheckpoint(dir.Path("m")).status();
    EXPECT_FALSE(status.ok()) << entry.ShortDebugString();
    EXPECT_TRUE(absl::StrContains(status.message(), "tensor bad")) << status;
  }
  for (const std::string& header :
       {Header(0), Header(1 << 30), std::string("\xff\xff")}) {
    ASSERT_TRUE(
        WriteFileAtomically(dir.Path("m.index"), BuildSstable({{"", header}}))
            .ok());
    EXPECT_EQ(ReadCheckpoint(dir.Path("m")).status().code(),
              absl::StatusCode::kDataLoss);
  }
}

TEST(CheckpointTest, MissingFilesSayWhatIsMissing) {
  const ScratchDir dir;
  const absl::Status none = ReadCheckpoint(dir.Path("no/such")).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(none.message(), "no/such.index")) << none;
  const absl::Status empty = ReadCheckpoint(dir.Path()).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(empty.message(), dir.Path())) << empty;
}

TEST(CheckpointTest, WriteErrorLeavesNothingBehind) {
  const ScratchDir dir;
  // A file where a folder should be.
  ASSERT_TRUE(WriteFileAtomically(dir.Path("nowhere"), "").ok());
  const std::string prefix = dir.Path("nowhere/model.ckpt-1");
  const absl::Status status = WriteCheckpointV2(prefix, SmallCheckpoint());
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "nowhere")) << status;
  EXPECT_FALSE(FileExists(prefix + ".index"));
}

TEST(CheckpointTest, FileInTheWayOfTheIndexIsReported) {
  const ScratchDir dir;
  const std::string prefix = dir.Path("m");
  ASSERT_TRUE(MakeDirectories(prefix + ".index/x").ok());
  EXPECT_FALSE(WriteCheckpointV2(prefix, SmallCheckpoint()).ok());
}

TEST(CheckpointStateTest, RoundTripAndRelativePaths) {
  const ScratchDir dir;
  ASSERT_TRUE(
      WriteCheckpointV2(dir.Path("model.ckpt-3"), SmallCheckpoint()).ok());
  const CheckpointState state = {"model.ckpt-3",
                                 {"with \"quotes\"", "model.ckpt-3"}};
  ASSERT_TRUE(WriteCheckpointState(dir.Path(), state).ok());
  const auto read = ReadCheckpointState(dir.Path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->latest, state.latest);
  EXPECT_EQ(read->all, state.all);
  EXPECT_EQ(*LatestCheckpoint(dir.Path()), dir.Path("model.ckpt-3"));
  ExpectSame(*ReadCheckpoint(dir.Path()), SmallCheckpoint());
}

TEST(CheckpointStateTest, MovedFolderWithAbsolutePaths) {
  const ScratchDir dir;
  ASSERT_TRUE(
      WriteCheckpointV2(dir.Path("model.ckpt-3"), SmallCheckpoint()).ok());
  ASSERT_TRUE(WriteCheckpointState(
                  dir.Path(), {"/gone/model.ckpt-3", {"/gone/model.ckpt-3"}})
                  .ok());
  EXPECT_EQ(*LatestCheckpoint(dir.Path()), dir.Path("model.ckpt-3"));
}

TEST(CheckpointStateTest, ACopiedFolderHasItsOwnCheckpoints) {
  const ScratchDir original;
  const ScratchDir copy;
  const std::string written = original.Path("model.ckpt-3");
  TensorMap other = SmallCheckpoint();
  other.begin()->second.floats.assign(other.begin()->second.floats.size(), 7);
  other.begin()->second.ints.assign(other.begin()->second.ints.size(), 7);
  ASSERT_TRUE(WriteCheckpointV2(written, other).ok());
  ASSERT_TRUE(
      WriteCheckpointV2(copy.Path("model.ckpt-3"), SmallCheckpoint()).ok());
  ASSERT_TRUE(WriteCheckpointState(copy.Path(), {written, {written}}).ok());
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(*LatestCheckpoint(copy.Path()), copy.Path("model.ckpt-3"));
  EXPECT_EQ(*ListCheckpoints(copy.Path()),
            std::vector<std::string>{copy.Path("model.ckpt-3")});
  ExpectSame(*ReadCheckpoint(copy.Path()), SmallCheckpoint());
  const std::string log = ::testing::internal::GetCapturedStderr();
  // Once, however often it is looked up.
  const size_t warning = log.find(absl::StrCat("names ", written));
  EXPECT_NE(warning, std::string::npos) << log;
  EXPECT_EQ(log.find("names", warning + 1), std::string::npos) << log;
}

TEST(CheckpointStateTest, AnIdenticalCopyIsNoReasonToWarn) {
  const ScratchDir original;
  const ScratchDir copy;
  const std::string written = original.Path("model.ckpt-3");
  ASSERT_TRUE(WriteCheckpointV2(written, SmallCheckpoint()).ok());
  ASSERT_TRUE(
      WriteCheckpointV2(copy.Path("model.ckpt-3"), SmallCheckpoint()).ok());
  ASSERT_TRUE(WriteCheckpointState(copy.Path(), {written, {written}}).ok());
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(*LatestCheckpoint(copy.Path()), copy.Path("model.ckpt-3"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(CheckpointStateTest, LinesOfOtherKindsAreIgnoredAndBadOnesAreNot) {
  const ScratchDir dir;
  const std::string path = dir.Path("checkpoint");
  ASSERT_TRUE(WriteFileAtomically(path,
                                  "model_checkpoint_path: \"m-1\"\n"
                                  "all_model_checkpoint_timestamps: 1.5\n"
                                  "all_model_checkpoint_paths: \"m-1\"\n")
                  .ok());
  EXPECT_EQ(ReadCheckpointState(dir.Path())->all.size(), 1);
  for (const char* text :
       {"", "model_checkpoint_path: m-1\n", "model_checkpoint_path: \"m-1\n",
        "model_checkpoint_path\n", "\xff\x00\n"}) {
    ASSERT_TRUE(WriteFileAtomically(path, text).ok());
    const absl::Status status = ReadCheckpointState(dir.Path()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
  }
}

TEST(SstableTest, ManyEntriesInManyBlocks) {
  SstableEntries entries;
  entries.emplace_back("", "header");
  for (int i = 0; i < 2000; ++i) {
    entries.emplace_back(absl::StrCat("key/", 10000 + i),
                         std::string(static_cast<size_t>(i % 37), 'x'));
  }
  const std::string bytes = BuildSstable(entries);
  const auto read = ReadSstable(bytes, "table");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, entries);
}

TEST(SstableTest, RandomBytesAreRefused) {
  for (size_t size : {0u, 1u, 47u, 48u, 200u}) {
    EXPECT_FALSE(ReadSstable(std::string(size, '\x7f'), "junk").ok()) << size;
  }
}

}  // namespace
}  // namespace continuo
