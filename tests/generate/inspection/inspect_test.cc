// SPDX-License-Identifier: Apache-2.0

#include "generate/inspection/inspect.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/midi/midi_writer.h"
#include "data/proto/event.pb.h"
#include "data/proto/music.pb.h"
#include "data/records/compact_record.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/safetensors.h"
#include "models/config/run_config.h"
#include "runtime/files/file.h"
#include "tests/testing/examples.h"
#include "tests/testing/golden.h"
#include "tests/testing/midi_bytes.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using testing::Bytes;
using testing::MidiFile;
using testing::ScratchDir;

std::string Write(const ScratchDir& dir, const std::string& name,
                  const std::string& bytes) {
  const std::string path = dir.Path(name);
  CONTINUO_CHECK(WriteFileAtomically(path, bytes, Durability::kUnsynced).ok());
  return path;
}

Facts MustInspect(const std::string& path) {
  const auto facts = Inspect(path);
  CONTINUO_CHECK(facts.ok());
  EXPECT_EQ((*facts)["file"], path);
  return *facts;
}

TensorMap Tensors() {
  TensorMap tensors;
  tensors["w"] = {.dtype = DType::kFloat32,
                  .shape = {2, 2},
                  .floats = {1, -2, 3, std::nanf("")},
                  .ints = {}};
  tensors["w/Adam"] = {.dtype = DType::kFloat32,
                       .shape = {2, 2},
                       .floats = {0, 0, 0, 0},
                       .ints = {}};
  tensors["global_step"] = {
      .dtype = DType::kInt64, .shape = {}, .floats = {}, .ints = {42}};
  return tensors;
}

NoteSequence Tune() {
  NoteSequence sequence;
  sequence.set_id("an id");
  sequence.set_filename("tune.mid");
  auto* note = sequence.add_notes();
  note->set_pitch(60);
  note->set_velocity(80);
  note->set_end_time(1.5);
  sequence.set_total_time(1.5);
  sequence.add_tempos()->set_qpm(90);
  return sequence;
}

TEST(InspectTest, CheckpointByAnyOfItsNames) {
  const ScratchDir dir;
  const std::string prefix = dir.Path("model.ckpt-42");
  ASSERT_TRUE(WriteCheckpointV2(prefix, Tensors()).ok());
  for (const std::string end : {"", ".index", ".data-00000-of-00001"}) {
    const auto facts = Inspect(prefix + end);
    ASSERT_TRUE(facts.ok()) << facts.status();
    EXPECT_EQ((*facts)["kind"], "checkpoint, version 2");
    EXPECT_EQ((*facts)["global_step"], 42);
    EXPECT_EQ((*facts)["weights"], 4);
    EXPECT_EQ((*facts)["optimizer_state"], true);
    EXPECT_EQ((*facts)["tensors"][1]["name"], "w");
    EXPECT_EQ((*facts)["tensors"][1]["shape"], "[2, 2]");
    EXPECT_EQ((*facts)["tensors"][1]["not_finite"], 1);
  }
}

TEST(InspectTest, RunFolderShowsItsNewestCheckpoint) {
  const ScratchDir dir;
  const std::string train = dir.Path("run/train");
  ASSERT_TRUE(MakeDirectories(train).ok());
  const std::string prefix = JoinPath(train, "model.ckpt-42");
  ASSERT_TRUE(WriteCheckpointV2(prefix, Tensors()).ok());
  ASSERT_TRUE(
      WriteCheckpointState(
          train, {.latest = prefix, .all = {dir.Path("model.ckpt-1"), prefix}})
          .ok());
  RunConfig config;
  config.model = *FindConfig(Family::kMelody, "mono_rnn");
  ASSERT_TRUE(WriteRunConfig(train, config).ok());
  const Facts facts = MustInspect(dir.Path("run"));
  EXPECT_EQ(facts["kind"], "run folder");
  EXPECT_EQ(facts["newest"], prefix);
  EXPECT_EQ(facts["config"], "mono_rnn");
  ASSERT_EQ(facts["checkpoints"].size(), 2);
  EXPECT_EQ(facts["checkpoints"][0]["exists"], false);
  EXPECT_EQ(facts["checkpoints"][1]["exists"], true);
  EXPECT_EQ(MustInspect(train)["kind"], "folder of checkpoints");
  EXPECT_FALSE(Inspect(dir.Path()).ok());
}

TEST(InspectTest, BundleAndSafetensors) {
  const std::string bundle = absl::StrCat(
      CONTINUO_SOURCE_DIR, "/tests/golden/bundles/attention_rnn.mag");
  const Facts facts = MustInspect(bundle);
  EXPECT_EQ(facts["kind"], "bundle");
  EXPECT_EQ(facts["generator_id"], "attention_rnn");
  EXPECT_EQ(facts["rnn_layer_sizes"], (std::vector<int>{16, 12}));
  EXPECT_EQ(facts["attn_length"], 6);

  const ScratchDir dir;
  const std::string path =
      Write(dir, "x",
            SerializeSafetensors(
                {.tensors = Tensors(), .metadata = {{"config", "c"}}}));
  EXPECT_EQ(MustInspect(path)["kind"], "safetensors");
  EXPECT_EQ(MustInspect(path)["metadata"]["config"], "c");
}

TEST(InspectTest, NoteSequences) {
  const ScratchDir dir;
  const std::string record = FrameTfRecord(Tune().SerializeAsString());
  const Facts facts = MustInspect(Write(dir, "x", record + record));
  EXPECT_EQ(facts["kind"], "TFRecord of NoteSequences");
  EXPECT_EQ(facts["records"], 2);
  EXPECT_EQ(facts["seconds"]["sum"], 3);
  EXPECT_EQ(facts["first_records"][1]["filename"], "tune.mid");
  EXPECT_EQ(facts["first_records"][0]["qpm"], 90);
}

TEST(InspectTest, SequenceExamples) {
  const ScratchDir dir;
  std::string bytes;
  for (const std::vector<std::vector<int64_t>>& labels :
       {std::vector<std::vector<int64_t>>{{3}, {4}},
        std::vector<std::vector<int64_t>>{{3}}}) {
    bytes += FrameTfRecord(
        testing::MakeExample(
            std::vector<std::vector<float>>(labels.size(), {0, 1, 0}), labels)
            .SerializeAsString());
  }
  const Facts facts = MustInspect(Write(dir, "x", bytes));
  EXPECT_EQ(facts["kind"], "TFRecord of SequenceExamples");
  EXPECT_EQ(facts["input_width"], 3);
  EXPECT_EQ(facts["labels_per_step"], 1);
  EXPECT_EQ(facts["steps"]["largest"], 2);
  ASSERT_EQ(facts["labels"].size(), 2);
  EXPECT_EQ(facts["labels"][0]["class"], 3);
  EXPECT_EQ(facts["labels"][0]["count"], 2);
}

TEST(InspectTest, CompactExamples) {
  const ScratchDir dir;
  CompactExample example;
  example.set_encoding("one_drum");
  for (uint32_t label : {0, 1, 1}) example.add_labels(label);
  const std::string record = FrameTfRecord(SerializeCompactRecord(example));
  const Facts facts = MustInspect(Write(dir, "x", record + record));
  EXPECT_EQ(facts["kind"], "TFRecord of compact examples");
  EXPECT_EQ(facts["encoding"], "one_drum");
  EXPECT_EQ(facts["input_width"], 2);
  EXPECT_EQ(facts["steps"]["sum"], 4);
  EXPECT_EQ(facts["first_records"][0]["first_labels"], (Facts{1, 1}));
  ASSERT_EQ(facts["labels"].size(), 1);
  EXPECT_EQ(facts["labels"][0]["count"], 4);
}

TEST(InspectTest, Events) {
  const ScratchDir dir;
  tensorflow::Event version;
  version.set_file_version("brain.Event:2");
  std::string bytes = FrameTfRecord(version.SerializeAsString());
  for (int step : {1, 11, 21}) {
    tensorflow::Event event;
    event.set_step(step);
    auto* value = event.mutable_summary()->add_value();
    value->set_tag("loss");
    value->set_simple_value(static_cast<float>(step));
    bytes += FrameTfRecord(event.SerializeAsString());
  }
  const Facts facts = MustInspect(Write(dir, "x", bytes));
  EXPECT_EQ(facts["kind"], "TensorBoard events");
  EXPECT_EQ(facts["records"], 4);
  ASSERT_EQ(facts["tags"].size(), 1);
  EXPECT_EQ(facts["tags"][0]["values"], 3);
  EXPECT_EQ(facts["tags"][0]["first_step"], 1);
  EXPECT_EQ(facts["tags"][0]["last_step"], 21);
  EXPECT_EQ(facts["tags"][0]["last_value"], 21);
}

// A tempo in the second track only.
TEST(InspectTest, WarningsOfMidiFiles) {
  const ScratchDir dir;
  const std::string path = Write(
      dir, "tempo.mid",
      MidiFile({"", Bytes({0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0, 0x90, 60, 80,
                           0x83, 0x60, 60, 0, 0, 0x90, 61, 80})}));
  const auto standard = Inspect(path, {.reading = Reading::kStandard});
  ASSERT_TRUE(standard.ok()) << standard.status();
  EXPECT_EQ((*standard)["qpm"], "60");
  EXPECT_EQ((*standard)["warnings"], "1 x a note without an end, left out");
  const auto magenta = Inspect(path, {.reading = Reading::kMagenta});
  ASSERT_TRUE(magenta.ok()) << magenta.status();
  EXPECT_EQ((*magenta)["qpm"], "120");
  EXPECT_TRUE(absl::StrContains(
      (*magenta)["warnings"].get<std::string>(),
      "1 x a tempo outside the first track, ignored as Magenta does"));
}

TEST(InspectTest, Music) {
  const ScratchDir dir;
  const Facts midi = MustInspect(Write(dir, "no_ending", *WriteMidi(Tune())));
  EXPECT_EQ(midi["kind"], "MIDI file");
  EXPECT_EQ(midi["notes"], 1);
  EXPECT_EQ(midi["instruments"][0]["lowest_pitch"], 60);
  const Facts abc = MustInspect(
      absl::StrCat(CONTINUO_SOURCE_DIR, "/scripts/tunes/reels.abc"));
  EXPECT_EQ(abc["kind"], "ABC file");
  EXPECT_GT(abc["tunes"].size(), 5);
  EXPECT_GT(abc["tunes"][0]["notes"], 20);
}

// Each byte of a file with checksums matters.
TEST(InspectTest, DamageIsNamed) {
  const ScratchDir dir;
  const std::string record = FrameTfRecord(Tune().SerializeAsString());
  const std::string file = record + record;
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] ^= 0x20;
    const std::string path = Write(dir, "notes.tfrecord", damaged);
    const auto facts = Inspect(path);
    ASSERT_FALSE(facts.ok()) << i;
    EXPECT_TRUE(absl::StrContains(facts.status().message(), path)) << i;
    EXPECT_TRUE(absl::StrContains(facts.status().message(), " at byte "))
        << facts.status();
  }
  const std::string prefix = dir.Path("model.ckpt-1");
  ASSERT_TRUE(WriteCheckpointV2(prefix, Tensors()).ok());
  std::string data = testing::MustRead(prefix + ".data-00000-of-00001");
  data.back() ^= 1;
  Write(dir, "model.ckpt-1.data-00000-of-00001", data);
  const auto checkpoint = Inspect(prefix);
  ASSERT_FALSE(checkpoint.ok());
  EXPECT_TRUE(absl::StrContains(checkpoint.status().message(), "tensor w"))
      << checkpoint.status();
  for (const std::string bytes : {"", "hello", "MThd", "<x"}) {
    EXPECT_FALSE(Inspect(Write(dir, "y", bytes)).ok()) << bytes;
  }
  EXPECT_FALSE(Inspect(dir.Path("none")).ok());
}

TEST(InspectTest, TextHasTablesAndSaysWhatItCuts) {
  Facts facts;
  facts["file"] = "a";
  facts["number"] = 0.5;
  facts["range"] = {{"low", 1}, {"high", nullptr}};
  facts["rows"] = Facts::array();
  for (int i = 0; i < 100; ++i) {
    facts["rows"].push_back({{"name", i == 0 ? "\xff\n" : "n"}, {"value", i}});
  }
  facts["rows"][3]["late"] = true;
  const std::string text = FactsToText(facts);
  EXPECT_TRUE(absl::StrContains(text, "number                        0.5\n"));
  EXPECT_TRUE(absl::StrContains(text, "range, high                   -\n"));
  EXPECT_TRUE(absl::StrContains(text, "and 36 more"));
  EXPECT_TRUE(absl::StrContains(text, "late"));
  // Two scalars, two of the object, a heading, names, 64 rows, what is cut.
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + 2 + 1 + 1 + 64 + 1);
}

}  // namespace
}  // namespace continuo
