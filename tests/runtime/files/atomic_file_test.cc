// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/atomic_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/process.h"
#include "runtime/files/file.h"
#include "tests/testing/child.h"
#include "tests/testing/fifo.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;
using ::continuo::testing::ChildResult;
using ::continuo::testing::FifoReader;
using ::continuo::testing::MakeFifo;
using ::continuo::testing::RunChild;
using ::continuo::testing::ScratchDir;

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return info.st_mode;
}

std::vector<std::string> Names(const std::string& dir) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST(AtomicFileTest, AppearsWholeOnCommitAndNotBefore) {
  const ScratchDir dir;
  const std::string path = dir.Path("file");
  auto file = AtomicFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string large(200000, 'x');
  EXPECT_TRUE((*file)->Append("a").ok());
  EXPECT_TRUE((*file)->Append(large).ok());
  EXPECT_TRUE((*file)->Append("b").ok());
  EXPECT_FALSE(FileExists(path));
  EXPECT_EQ((*file)->size(), 200002);
  EXPECT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(*ReadFile(path), "a" + large + "b");
  EXPECT_EQ(Names(dir.Path()).size(), 1);
}

TEST(AtomicFileTest, WithoutCommitNothingIsLeftNorMade) {
  const ScratchDir dir;
  {
    auto file = AtomicFile::Create(dir.Path("a/b/c"));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->Append("x").ok());
    EXPECT_TRUE(IsDirectory(dir.Path("a/b")));
  }
  EXPECT_TRUE(Names(dir.Path()).empty());
}

TEST(AtomicFileTest, MakesTheFoldersOnTheWay) {
  const ScratchDir dir;
  EXPECT_TRUE(WriteFileAtomically(dir.Path("a/b/c"), "x").ok());
  EXPECT_EQ(*ReadFile(dir.Path("a/b/c")), "x");
}

TEST(AtomicFileTest, FollowsLinksAndWritesBesideTheTarget) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("disk/target"), "old").ok());
  ASSERT_EQ(symlink("disk/target", dir.Path("one").c_str()), 0);
  ASSERT_EQ(symlink(dir.Path("one").c_str(), dir.Path("two").c_str()), 0);
  auto file = AtomicFile::Create(dir.Path("two"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->Append("new").ok());
  EXPECT_EQ(Names(dir.Path("disk")).size(), 2);  // the temporary file
  EXPECT_TRUE((*file)->Commit().ok());
  EXPECT_TRUE(S_ISLNK(ModeOf(dir.Path("one"))));
  EXPECT_TRUE(S_ISLNK(ModeOf(dir.Path("two"))));
  EXPECT_EQ(*ReadFile(dir.Path("disk/target")), "new");
  EXPECT_EQ(Names(dir.Path("disk")).size(), 1);
}

TEST(AtomicFileTest, ADeadLinkCreatesItsTarget) {
  const ScratchDir dir;
  ASSERT_EQ(symlink("new/target", dir.Path("link").c_str()), 0);
  EXPECT_TRUE(WriteFileAtomically(dir.Path("link"), "x").ok());
  EXPECT_TRUE(S_ISLNK(ModeOf(dir.Path("link"))));
  EXPECT_EQ(*ReadFile(dir.Path("new/target")), "x");
}

TEST(AtomicFileTest, LinksInACircleAreAnErrorNamedByTheGivenPath) {
  const ScratchDir dir;
  ASSERT_EQ(symlink("b", dir.Path("a").c_str()), 0);
  ASSERT_EQ(symlink("a", dir.Path("b").c_str()), 0);
  const absl::Status status = WriteFileAtomically(dir.Path("a"), "x");
  EXPECT_TRUE(
      absl::StartsWith(status.message(), dir.Path("a") + ": cannot write"))
      << status;
}

TEST(AtomicFileTest, ALinkThatSomebodyElsePlantedIsNotFollowed) {
  if (geteuid() != 0) GTEST_SKIP() << "giving a link away needs root";
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("victim"), "old").ok());
  fs::create_directories(dir.Path("shared"));
  ASSERT_EQ(chmod(dir.Path("shared").c_str(), 01777), 0);
  const std::string link = dir.Path("shared/link");
  ASSERT_EQ(symlink(dir.Path("victim").c_str(), link.c_str()), 0);
  // Our own link is ours to use.
  EXPECT_TRUE(WriteFileAtomically(link, "new").ok());
  ASSERT_EQ(lchown(link.c_str(), 12345, 12345), 0);
  const absl::Status status = WriteFileAtomically(link, "stolen");
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_EQ(*ReadFile(dir.Path("victim")), "new");
}

TEST(AtomicFileTest, ANamedPipeIsWrittenThrough) {
  const ScratchDir dir;
  MakeFifo(dir.Path("pipe"));
  FifoReader reader(dir.Path("pipe"));
  EXPECT_TRUE(WriteFileAtomically(dir.Path("pipe"), "through").ok());
  EXPECT_EQ(reader.Bytes(), "through");
  EXPECT_TRUE(S_ISFIFO(ModeOf(dir.Path("pipe"))));
}

TEST(AtomicFileTest, ALinkToAPipeIsWrittenThrough) {
  const ScratchDir dir;
  MakeFifo(dir.Path("pipe"));
  ASSERT_EQ(symlink("pipe", dir.Path("link").c_str()), 0);
  FifoReader reader(dir.Path("pipe"));
  EXPECT_TRUE(WriteFileAtomically(dir.Path("link"), "through").ok());
  EXPECT_EQ(reader.Bytes(), "through");
}

TEST(AtomicFileTest, ADeviceIsWrittenThrough) {
  const ScratchDir dir;
  // A device of our own: never write to one of the machine's.
  if (mknod(dir.Path("null").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) {
    GTEST_SKIP() << "making a device needs root";
  }
  const int probe = open(dir.Path("null").c_str(), O_WRONLY);
  if (probe < 0) GTEST_SKIP() << "devices do not work on this file system";
  close(probe);
  EXPECT_TRUE(WriteFileAtomically(dir.Path("null"), "away").ok());
  EXPECT_TRUE(S_ISCHR(ModeOf(dir.Path("null"))));
}

TEST(AtomicFileTest, AnOpenDescriptorIsWrittenThroughWhereItStands) {
  const ScratchDir dir;
  for (const bool dev : {true, false}) {
    const std::string log = dir.Path(dev ? "dev" : "proc");
    const int descriptor =
        open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ASSERT_EQ(write(descriptor, "before ", 7), 7);
    EXPECT_TRUE(
        WriteFileAtomically(
            absl::StrCat(dev ? "/dev/fd/" : "/proc/self/fd/", descriptor),
            "through ")
            .ok());
    ASSERT_EQ(write(descriptor, "after", 5), 5);
    close(descriptor);
    EXPECT_EQ(*ReadFile(log), "before through after");
  }
}

TEST(AtomicFileTest, ADashIsStandardOutput) {
  const ScratchDir dir;
  const ChildResult result = RunChild([&] {
    if (chdir(dir.Path().c_str()) != 0) return 1;
    const int descriptor = open("out", O_WRONLY | O_CREAT, 0644);
    dup2(descriptor, STDOUT_FILENO);
    return WriteFileAtomically("-", "one ").ok() &&
                   WriteFileAtomically("/dev/stdout", "two").ok()
               ? 0
               : 2;
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(*ReadFile(dir.Path("out")), "one two");
  EXPECT_EQ(Names(dir.Path()).size(), 1);
}

TEST(AtomicFileTest, StandardOutputWithoutAReaderEndsTheProgramQuietly) {
  const ChildResult result = RunChild([] {
    PrepareProcess();
    int ends[2];
    if (pipe(ends) != 0) return 1;
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    return WriteFileAtomically("-", "x").ok() ? 2 : 3;
  });
  EXPECT_EQ(result.code, 128 + SIGPIPE);
  EXPECT_EQ(result.err, "");
}

TEST(AtomicFileTest, APipeWithoutAReaderIsAnError) {
  const ScratchDir dir;
  MakeFifo(dir.Path("pipe"));
  const ChildResult result = RunChild([&] {
    PrepareProcess();
    const int reader = open(dir.Path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
    auto file = AtomicFile::Create(dir.Path("pipe"));
    if (!file.ok()) return 1;
    close(reader);
    if (!(*file)->Append("x").ok()) return 2;
    const absl::Status status = (*file)->Commit();
    return absl::StrContains(status.message(), "pipe: cannot write: Broken")
               ? 0
               : 3;
  });
  EXPECT_EQ(result.code, 0);
}

TEST(AtomicFileTest, AFileThatIsTooLargeIsSaidSoAndLeavesNothing) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "old").ok());
  const ChildResult result = RunChild([&] {
    PrepareProcess();
    const rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const absl::Status status =
        WriteFileAtomically(dir.Path("file"), std::string(2000, 'x'));
    return absl::StrContains(status.message(),
                             "file: cannot write: File too large")
               ? 0
               : 1;
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(*ReadFile(dir.Path("file")), "old");
  EXPECT_EQ(Names(dir.Path()).size(), 1);
}

TEST(AtomicFileTest, TheModeFollowsTheUmaskOrTheFileReplaced) {
  const ScratchDir dir;
  EXPECT_EQ(RunChild([&] {
              umask(027);
              return WriteFileAtomically(dir.Path("new"), "x").ok() ? 0 : 1;
            }).code,
            0);
  EXPECT_EQ(ModeOf(dir.Path("new")) & 0777, mode_t{0640});
  for (const mode_t mode : {0600, 0666}) {
    ASSERT_EQ(chmod(dir.Path("new").c_str(), mode), 0);
    EXPECT_TRUE(WriteFileAtomically(dir.Path("new"), "y").ok());
    EXPECT_EQ(ModeOf(dir.Path("new")) & 0777, mode);
  }
}

TEST(AtomicFileTest, TemporaryNamesAreHiddenAndDifferEachTime) {
  const ScratchDir dir;
  auto one = AtomicFile::Create(dir.Path("f"));
  auto two = AtomicFile::Create(dir.Path("f"));
  ASSERT_TRUE(one.ok() && two.ok());
  const std::vector<std::string> names = Names(dir.Path());
  ASSERT_EQ(names.size(), 2);
  for (const std::string& name : names) {
    EXPECT_TRUE(absl::StartsWith(name, ".f.")) << name;
    EXPECT_FALSE(absl::StrContains(name, absl::StrCat(getpid()))) << name;
  }
  EXPECT_FALSE(Glob(dir.Path("f*")).ok());
}

TEST(AtomicFileTest, ErrorsNameThePathThatWasGiven) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "x").ok());
  const auto message = [&](const std::string& path) {
    const absl::Status status = WriteFileAtomically(path, "x");
    EXPECT_FALSE(absl::StrContains(status.message(), ".tmp")) << status;
    return std::string(status.message());
  };
  EXPECT_TRUE(absl::StrContains(message(dir.Path()), "is a folder"));
  EXPECT_TRUE(absl::StrContains(message(dir.Path("new/")), "is a folder"));
  EXPECT_TRUE(absl::StrContains(message(""), "is empty"));
  EXPECT_TRUE(absl::StrContains(message(dir.Path("file/x")), "file/x: "));
  EXPECT_TRUE(absl::StrContains(message("/proc/x"), "/proc/x: cannot create"));
}

TEST(AtomicFileTest, AProtectedFileIsNotReplaced) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everything";
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("file"), "old").ok());
  ASSERT_EQ(chmod(dir.Path("file").c_str(), 0400), 0);
  EXPECT_FALSE(WriteFileAtomically(dir.Path("file"), "new").ok());
  EXPECT_EQ(*ReadFile(dir.Path("file")), "old");
}

class CommitTogetherTest : public ::testing::Test {
 protected:
  // Begins files of these names with "new" in them.
  void Begin(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      auto file = AtomicFile::Create(dir_.Path(name));
      ASSERT_TRUE(file.ok()) << file.status();
      ASSERT_TRUE((*file)->Append("new").ok());
      files_.push_back(*std::move(file));
    }
  }
  absl::Status Commit() {
    std::vector<AtomicFile*> files;
    for (const auto& file : files_) files.push_back(file.get());
    const absl::Status status = AtomicFile::CommitTogether(files);
    files_.clear();
    return status;
  }

  const ScratchDir dir_;
  std::vector<std::unique_ptr<AtomicFile>> files_;
};

TEST_F(CommitTogetherTest, ReplacesOldFilesAndMakesNewOnes) {
  ASSERT_TRUE(WriteFileAtomically(dir_.Path("b"), "old").ok());
  Begin({"a", "b"});
  EXPECT_TRUE(Commit().ok());
  EXPECT_EQ(*ReadFile(dir_.Path("a")), "new");
  EXPECT_EQ(*ReadFile(dir_.Path("b")), "new");
  EXPECT_EQ(Names(dir_.Path()).size(), 2);
}

TEST_F(CommitTogetherTest, OneThatCannotAppearLeavesAllAsTheyWere) {
  ASSERT_TRUE(WriteFileAtomically(dir_.Path("a"), "old").ok());
  Begin({"a", "b", "c"});
  fs::create_directories(dir_.Path("c/in the way"));
  const absl::Status status = Commit();
  EXPECT_TRUE(absl::StrContains(status.message(), "c: cannot be replaced"))
      << status;
  EXPECT_EQ(*ReadFile(dir_.Path("a")), "old");
  EXPECT_FALSE(FileExists(dir_.Path("b")));
  EXPECT_EQ(Names(dir_.Path()).size(), 2);
}

TEST_F(CommitTogetherTest, OneThatCannotBeCompletedLeavesAllAsTheyWere) {
  ASSERT_TRUE(WriteFileAtomically(dir_.Path("a"), "old").ok());
  ASSERT_TRUE(WriteFileAtomically(dir_.Path("b"), "old").ok());
  EXPECT_EQ(RunChild([&] {
              PrepareProcess();
              Begin({"a", "b"});
              const rlimit limit = {100, 100};
              setrlimit(RLIMIT_FSIZE, &limit);
              if (!files_[1]->Append(std::string(200, 'x')).ok()) return 1;
              return Commit().ok() ? 2 : 0;
            }).code,
            0);
  EXPECT_EQ(*ReadFile(dir_.Path("a")), "old");
  EXPECT_EQ(*ReadFile(dir_.Path("b")), "old");
  EXPECT_EQ(Names(dir_.Path()).size(), 2);
}

}  // namespace
}  // namespace continuo
