// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/mapping_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::ScratchDir;

// A mapped file of so many pages, each byte of which is 'x'.
struct Mapping {
  Mapping(const ScratchDir& dir, int pages, const char* name = "file")
      : path(dir.Path(name)),
        page(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        size(page * static_cast<size_t>(pages)) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    CONTINUO_CHECK(fd >= 0);
    const std::string bytes(size, 'x');
    CONTINUO_CHECK(write(fd, bytes.data(), size) == static_cast<ssize_t>(size));
    void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    CONTINUO_CHECK(memory != MAP_FAILED);
    data = static_cast<const volatile char*>(memory);
    close(fd);
  }
  ~Mapping() { munmap(const_cast<char*>(data), size); }

  std::string path;
  size_t page;
  size_t size;
  const volatile char* data;
};

TEST(MappingGuardTest, WhatWasCutOffReadsAsZerosAndIsTold) {
  const ScratchDir dir;
  const Mapping mapping(dir, 4);
  const MappingGuard guard(const_cast<char*>(mapping.data), mapping.size);
  ASSERT_EQ(truncate(mapping.path.c_str(), static_cast<off_t>(mapping.page)),
            0);
  EXPECT_EQ(mapping.data[mapping.page - 1], 'x');
  EXPECT_FALSE(guard.faulted());
  EXPECT_EQ(mapping.data[2 * mapping.page + 5], 0);
  EXPECT_TRUE(guard.faulted());
  EXPECT_EQ(mapping.data[mapping.size - 1], 0);
  EXPECT_EQ(mapping.data[mapping.page], 0);
  EXPECT_EQ(mapping.data[0], 'x');
}

TEST(MappingGuardTest, ManyThreadsMayFaultAtOnce) {
  const ScratchDir dir;
  const Mapping mapping(dir, 64);
  const MappingGuard guard(const_cast<char*>(mapping.data), mapping.size);
  ASSERT_EQ(truncate(mapping.path.c_str(), 0), 0);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (size_t page = i; page < 64; page += 4) {
        EXPECT_EQ(mapping.data[page * mapping.page], 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(guard.faulted());
}

TEST(MappingGuardTest, EachMappingHasItsOwn) {
  const ScratchDir dir;
  const Mapping a(dir, 2, "a");
  const Mapping b(dir, 2, "b");
  const MappingGuard guard_a(const_cast<char*>(a.data), a.size);
  auto guard_b =
      std::make_unique<MappingGuard>(const_cast<char*>(b.data), b.size);
  ASSERT_EQ(truncate(b.path.c_str(), 0), 0);
  EXPECT_EQ(b.data[0], 0);
  EXPECT_FALSE(guard_a.faulted());
  EXPECT_TRUE(guard_b->faulted());
  // A place that is used again begins anew.
  guard_b.reset();
  const Mapping c(dir, 2, "c");
  const MappingGuard guard_c(const_cast<char*>(c.data), c.size);
  EXPECT_FALSE(guard_c.faulted());
}

TEST(MappingGuardTest, OtherFaultsEndTheProcessAsEver) {
  const ScratchDir dir;
  const Mapping guarded(dir, 1, "guarded");
  const Mapping bare(dir, 1, "bare");
  const MappingGuard guard(const_cast<char*>(guarded.data), guarded.size);
  ASSERT_EQ(truncate(bare.path.c_str(), 0), 0);
  for (const bool sent : {false, true}) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      if (sent) {
        raise(SIGBUS);
      } else {
        (void)bare.data[0];
      }
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
#if defined(__SANITIZE_ADDRESS__)
    // The sanitizer's own handler, which is called for them, reports and exits.
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_NE(WEXITSTATUS(status), 0);
#else
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGBUS);
#endif
  }
}

}  // namespace
}  // namespace continuo
