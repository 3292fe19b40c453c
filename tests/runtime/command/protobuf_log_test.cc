// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/protobuf_log.h"

#include <string>

#include "data/proto/music.pb.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"

namespace continuo {
namespace {

using ::continuo::testing::RunChild;

// A string that is no UTF-8, which the library complains of when it writes.
bool WritesDamagedText() {
  tensorflow::magenta::NoteSequence sequence;
  sequence.set_id("\xff");
  return !sequence.SerializeAsString().empty();
}

TEST(ProtobufLogTest, TheLibrarySaysNothing) {
  const auto loud = RunChild([] { return WritesDamagedText() ? 0 : 1; });
  const auto silent = RunChild([] {
    SilenceProtobuf();
    return WritesDamagedText() ? 0 : 1;
  });
  EXPECT_EQ(loud.code, 0);
  EXPECT_NE(loud.err, "");
  EXPECT_EQ(silent.code, 0);
  EXPECT_EQ(silent.err, "");
}

}  // namespace
}  // namespace continuo
