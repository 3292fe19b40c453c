// SPDX-License-Identifier: Apache-2.0

// Event files, log.jsonl and console lines.

#include "train/logging/report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/proto/event.pb.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

using testing::ScratchDir;

std::vector<tensorflow::Event> ReadEvents(const std::string& path) {
  auto reader = TfRecordReader::Open(path);
  CONTINUO_CHECK(reader.ok());
  std::vector<tensorflow::Event> events;
  for (;;) {
    const auto record = (*reader)->Next();
    if (!record.ok()) {
      CONTINUO_CHECK(absl::IsOutOfRange(record.status()));
      return events;
    }
    events.emplace_back();
    CONTINUO_CHECK(events.back().ParseFromString(std::string(*record)));
  }
}

TEST(EventFileTest, BeginsWithTheVersionAndIsAlwaysWhole) {
  const ScratchDir dir;
  auto events = EventFile::Create(dir.Path());
  ASSERT_TRUE(events.ok()) << events.status();
  const auto names = testing::ListFiles(dir.Path(), "");
  ASSERT_EQ(names.size(), 1);
  EXPECT_TRUE(absl::StartsWith(names[0], "events.out.tfevents."));
  const std::string path = dir.Path(names[0]);
  ASSERT_EQ(ReadEvents(path).size(), 1);
  EXPECT_EQ(ReadEvents(path)[0].file_version(), "brain.Event:2");
  ASSERT_TRUE((*events)->WriteStart(4).ok());
  ASSERT_TRUE((*events)->WriteCheckpoint(3, "/r/model.ckpt-3").ok());
  ASSERT_TRUE((*events)->WriteScalars(4, {{"loss", 2.5}, {"x", 1}}).ok());
  const auto read = ReadEvents(path);  // while the file is open
  ASSERT_EQ(read.size(), 4);
  EXPECT_EQ(read[1].session_log().status(), tensorflow::SessionLog::START);
  EXPECT_EQ(read[1].step(), 4);
  EXPECT_EQ(read[2].session_log().checkpoint_path(), "/r/model.ckpt-3");
  EXPECT_EQ(read[3].step(), 4);
  EXPECT_GT(read[3].wall_time(), 1e9);
  ASSERT_EQ(read[3].summary().value_size(), 2);
  EXPECT_EQ(read[3].summary().value(0).tag(), "loss");
  EXPECT_EQ(read[3].summary().value(0).simple_value(), 2.5f);
}

TEST(EventFileTest, HoldsPictures) {
  const ScratchDir dir;
  auto events = EventFile::Create(dir.Path());
  ASSERT_TRUE((*events)
                  ->WriteImage(7, "continuo/samples",
                               {.width = 3, .height = 2, .png = "PNG"})
                  .ok());
  const auto read = ReadEvents(dir.Path(testing::ListFiles(dir.Path(), "")[0]));
  ASSERT_EQ(read.size(), 2);
  EXPECT_EQ(read[1].step(), 7);
  const auto& value = read[1].summary().value(0);
  EXPECT_EQ(value.tag(), "continuo/samples");
  EXPECT_EQ(value.image().width(), 3);
  EXPECT_EQ(value.image().height(), 2);
  EXPECT_EQ(value.image().encoded_image_string(), "PNG");
}

TEST(EventFileTest, TwoSessionsInOneSecondHaveTwoFiles) {
  const ScratchDir dir;
  ASSERT_TRUE(EventFile::Create(dir.Path()).ok());
  ASSERT_TRUE(EventFile::Create(dir.Path()).ok());
  ASSERT_TRUE(EventFile::Create(dir.Path()).ok());
  EXPECT_EQ(testing::ListFiles(dir.Path(), "").size(), 3);
}

TEST(EventFileTest, FailuresNameTheFile) {
  const ScratchDir dir;
  const absl::Status status = EventFile::Create(dir.Path("missing")).status();
  EXPECT_TRUE(absl::StrContains(status.message(), dir.Path("missing")))
      << status;
}

TEST(JsonLogTest, NumbersThatAreNoneBecomeNull) {
  const ScratchDir dir;
  const std::string path = dir.Path("log.jsonl");
  auto log = JsonLog::Open(path, 0);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)
                  ->Write(7, {{"a", 0.5},
                              {"b", std::numeric_limits<double>::quiet_NaN()}})
                  .ok());
  EXPECT_EQ(testing::MustRead(path), "{\"step\":7,\"a\":0.5,\"b\":null}\n");
}

TEST(JsonLogTest, LinesAfterTheLastStepAreWrittenAnew) {
  const ScratchDir dir;
  const std::string path = dir.Path("log.jsonl");
  // The last line was cut short by a crash.
  ASSERT_TRUE(WriteFileAtomically(path,
                                  "{\"step\":1}\n{\"step\":5}\n{\"step\":9}\n"
                                  "{\"step\":1")
                  .ok());
  auto log = JsonLog::Open(path, 5);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->Write(6, {}).ok());
  EXPECT_EQ(testing::MustRead(path),
            "{\"step\":1}\n{\"step\":5}\n{\"step\":6}\n");
}

TEST(JsonLogTest, WhatAPowerCutLeavesOfALineIsCut) {
  const std::string whole = "{\"step\":1}\n{\"step\":2}\n";
  for (const std::string& rest :
       {std::string("{\"step\":3"), std::string("{\"step\":3,\"loss\":1.5"),
        std::string(40, '\0'), "{\"step\":3,\"l" + std::string(9, '\0') + "\n",
        std::string("\n\n"), std::string("7\n")}) {
    const ScratchDir dir;
    const std::string path = dir.Path("log.jsonl");
    ASSERT_TRUE(WriteFileAtomically(path, whole + rest).ok());
    auto log = JsonLog::Open(path, 9);
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE((*log)->Write(10, {}).ok());
    ASSERT_TRUE((*log)->Sync().ok());
    EXPECT_EQ(testing::MustRead(path), whole + "{\"step\":10}\n") << rest;
  }
}

// The tags of the events that `report` writes.
template <typename Report>
std::vector<std::string> WrittenTags(const Report& report,
                                     const ReporterOptions& options) {
  const ScratchDir dir;
  auto reporter = Reporter::Open(dir.Path(), 0, options);
  CONTINUO_CHECK(reporter.ok());
  CONTINUO_CHECK(reporter->Write(report).ok());
  CONTINUO_CHECK(reporter->Sync().ok());
  std::vector<std::string> tags;
  for (const std::string& name : testing::ListFiles(dir.Path(), "")) {
    if (!absl::StartsWith(name, "events.")) continue;
    for (const auto& event : ReadEvents(dir.Path(name))) {
      for (const auto& value : event.summary().value()) {
        tags.push_back(value.tag());
      }
    }
  }
  return tags;
}

int Count(const std::vector<std::string>& tags, const std::string& tag) {
  return static_cast<int>(std::count(tags.begin(), tags.end(), tag));
}

TEST(ReportTest, BothKindsOfEventsHaveBits) {
  for (const auto& tags :
       {WrittenTags(StepReport{}, {}), WrittenTags(EvalReport{}, {})}) {
    EXPECT_EQ(Count(tags, "continuo/bits_per_event"), 1);
    EXPECT_EQ(Count(tags, "continuo/unigram_bits_per_event"), 1);
    EXPECT_EQ(Count(tags, "loss"), 1);
  }
}

TEST(ReportTest, QueueGaugesComeOnlyWhereTheyAreAskedFor) {
  for (const bool asked : {false, true}) {
    const auto tags = WrittenTags(StepReport{}, {.tf1_tags = asked});
    EXPECT_EQ(Count(tags, "input_producer/fraction_of_32_full"), asked);
    EXPECT_EQ(Count(tags, "batch/fraction_of_500_full"), asked);
  }
}

TEST(ReportTest, NumbersOfAnySizeStayShort) {
  EXPECT_EQ(ShortNumber(2.5, 3), "2.500");
  EXPECT_EQ(ShortNumber(-999999.25, 1), "-999999.2");
  EXPECT_EQ(ShortNumber(2.7e20, 4), "2.7e+20");
  EXPECT_EQ(ShortNumber(std::numeric_limits<double>::infinity(), 4), "inf");
  StepReport report;
  report.metrics.loss = 271828182845904523536.0;
  report.metrics.perplexity = std::exp(report.metrics.loss);
  EXPECT_TRUE(absl::StrContains(ToLine(report),
                                "loss 2.718e+20 (3.922e+20 "
                                "bits/event, unigram 0.000), "
                                "perplexity inf"))
      << ToLine(report);
}

TEST(ReportTest, LinesCarryTheNumbers) {
  StepReport report;
  report.step = 20;
  report.metrics.loss = std::log(8.0);
  report.metrics.perplexity = 8;
  report.metrics.accuracy = 0.25;
  report.unigram_nats = std::log(16.0);
  report.gradient_norm = 1.5;
  report.learning_rate = 0.001;
  report.events_per_second = 1234;
  EXPECT_EQ(ToLine(report),
            "step 20: loss 2.0794 (3.000 bits/event, unigram 4.000), "
            "perplexity 8.000, accuracy 0.250, gradient norm 1.5, learning "
            "rate 0.001, 1234 events/s");
  report.time_left = absl::Seconds(3725);
  EXPECT_TRUE(absl::EndsWith(ToLine(report), ", 1:02:05 left"));
}

}  // namespace
}  // namespace continuo
