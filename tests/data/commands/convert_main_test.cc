// SPDX-License-Identifier: Apache-2.0

// The convert_dir_to_note_sequences command as a user runs it: exit statuses,
// messages, signals.

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/midi_bytes.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;
using ::continuo::testing::Bytes;
using ::continuo::testing::MidiFile;

class ConvertCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = absl::StrCat(
        ::testing::TempDir(), "/convert_main_test.", getpid(), ".",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_ + "/tunes/sub");
    WriteTune("tunes/a.mid");
    WriteTune("tunes/sub/b.mid");
  }
  void TearDown() override { fs::remove_all(root_); }

  void WriteTune(const std::string& name) {
    std::ofstream(absl::StrCat(root_, "/", name), std::ios::binary)
        << MidiFile({Bytes({0, 0x90, 60, 80, 0x60, 60, 0})});
  }

  // Runs the command in root_ with HOME=root_; its exit status. What it says
  // goes to stderr_.
  int Run(const std::string& arguments) {
    const std::string line =
        absl::StrCat("cd '", root_, "' && HOME='", root_, "' ",
                     testing::ShellCommand("convert_dir_to_note_sequences"),
                     " ", arguments, " 2>stderr.txt >stdout.txt");
    const int status = system(line.c_str());
    stderr_ = testing::MustRead(root_ + "/stderr.txt");
    stdout_ = testing::MustRead(root_ + "/stdout.txt");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string root_;
  std::string stderr_;
  std::string stdout_;
};

TEST_F(ConvertCommandTest, ConvertsWithoutAWordOnStdout) {
  EXPECT_EQ(Run("--input_dir=tunes --output_file=out/notes.tfrecord"), 0);
  EXPECT_TRUE(fs::exists(root_ + "/out/notes.tfrecord"));
  EXPECT_EQ(stdout_, "");
  EXPECT_TRUE(absl::StrContains(stderr_, "INFO: Converted MIDI file a.mid\n"));
  EXPECT_TRUE(absl::StrContains(stderr_, "WARN: Skipped sub: a folder"));
  EXPECT_TRUE(absl::StrContains(stderr_, "1 sequences from 2 files"));
}

TEST_F(ConvertCommandTest, ExpandsTheHomeFolder) {
  EXPECT_EQ(Run("-input_dir '~/tunes' --recursive --output_file=~/n.tfrecord "
                "--report=~/r.jsonl --log=ERROR"),
            0);
  EXPECT_TRUE(fs::exists(root_ + "/n.tfrecord"));
  EXPECT_TRUE(fs::exists(root_ + "/r.jsonl"));
  EXPECT_EQ(stderr_, "");
}

TEST_F(ConvertCommandTest, WrongFlagsWriteNothingAndExitWith1) {
  const struct {
    std::string arguments;
    std::string message;
  } cases[] = {
      {"", "--input_dir=FOLDER and --output_file=FILE are required"},
      {"--input_dir=tunes", "--output_file is required"},
      {"--output_file=x", "--input_dir is required"},
      {"--input_dir=nowhere --output_file=x", "--input_dir=nowhere does not"},
      {"--input_dir=tunes --output_file=x --num_shards=0", "--num_shards=0"},
      {"--input_dir=tunes --output_file=x --threads=-1", "--threads=-1"},
      {"--input_dir=tunes --output_file=x --threads=two",
       "--threads=two: expected a whole number"},
      {"--input_dir=tunes --output_file=x --log=LOUD", "--log=LOUD"},
      {"--input_dir=tunes --output_file=x --recursiv", "--recursive"},
      {"tunes --output_file=x", "unexpected argument \"tunes\""},
      {"--input_dir=stderr.txt --output_file=x", "is a file"},
      {"--input_dir=tunes --output_file=/dev/null/x", "/dev/null"},
  };
  for (const auto& [arguments, message] : cases) {
    SCOPED_TRACE(arguments);
    EXPECT_EQ(Run(arguments), 1);
    EXPECT_TRUE(absl::StrContains(stderr_, message)) << stderr_;
    EXPECT_FALSE(fs::exists(root_ + "/x"));
  }
}

TEST_F(ConvertCommandTest, WarnsAboutShardsOfAnotherRun) {
  const std::string flags =
      "--input_dir=tunes --recursive --output_file=n.tfrecord --log=WARN ";
  EXPECT_EQ(Run(flags + "--num_shards=2"), 0);
  EXPECT_EQ(stderr_, "");
  EXPECT_EQ(Run(flags + "--num_shards=3"), 0);
  EXPECT_TRUE(absl::StrContains(
      stderr_, "n.tfrecord-00000-of-00002 was left by another run"))
      << stderr_;
}

TEST_F(ConvertCommandTest, HelpTeaches) {
  EXPECT_EQ(Run("--help=all"), 0);
  for (const char* part :
       {"--input_dir=", "melody_rnn_create_dataset", "Exit status",
        "--num_shards", "Default: 1", "MIDI (.mid, .midi, .kar, .rmi)"}) {
    EXPECT_TRUE(absl::StrContains(stdout_, part)) << part;
  }
}

TEST_F(ConvertCommandTest, CtrlCLeavesTheOldOutput) {
  std::ofstream(root_ + "/notes.tfrecord") << "old";
  for (int i = 0; i < 3000; ++i) WriteTune(absl::StrCat("tunes/", i, ".mid"));
  // Interrupted as soon as its temporary file is there.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (chdir(root_.c_str()) != 0) _exit(99);
    execl(CONTINUO_BIN_DIR "/convert_dir_to_note_sequences", "convert",
          "--input_dir=tunes", "--output_file=notes.tfrecord", "--threads=1",
          "--log=ERROR", nullptr);
    _exit(98);
  }
  const auto temporary_exists = [&] {
    return Glob(root_ + "/.notes.tfrecord.*").ok();
  };
  int status = 0;
  bool ended = false;
  while (!ended && !temporary_exists()) {
    ended = waitpid(child, &status, WNOHANG) == child;
    usleep(100);
  }
  if (!ended) {
    kill(child, SIGINT);
    waitpid(child, &status, 0);
  }
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_FALSE(temporary_exists());
  EXPECT_EQ(testing::MustRead(root_ + "/notes.tfrecord"), "old");
}

}  // namespace
}  // namespace continuo
