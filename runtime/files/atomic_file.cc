// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/process.h"
#include "runtime/base/status.h"
#include "runtime/files/disk_space.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 16;
constexpr int kMaxTries = 100;

// Not guessable, so that no one can create it first.
uint64_t RandomBits() {
  uint64_t bits = 0;
  if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) == sizeof(bits)) {
    return bits;
  }
  // With O_EXCL even a guessed name only causes an error.
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_nsec) << 32 ^
         static_cast<uint64_t>(now.tv_sec) << 16 ^
         static_cast<uint64_t>(getpid());
}

// Hidden, so that no pattern for the finished files matches it.
std::string TemporaryPath(const std::string& target) {
  constexpr size_t kMaxBase = 200;  // names have 255 bytes
  return JoinPath(
      DirName(target),
      absl::StrFormat(".%s.%016x.tmp", BaseName(target).substr(0, kMaxBase),
                      RandomBits()));
}

}  // namespace

absl::Status AtomicFile::Error(absl::string_view what) const {
  return WriteError(
      errno, absl::StrCat(path_ == kStandardStream ? "standard output" : path_,
                          ": ", what));
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(
    const std::string& path) {
  std::unique_ptr<AtomicFile> file(new AtomicFile(path));
  CONTINUO_ASSIGN_OR_RETURN(file->target_, ResolveOutput(path));
  switch (file->target_.kind) {
    case OutputTarget::Kind::kReplaced:
      CONTINUO_RETURN_IF_ERROR(file->OpenTemporary());
      break;
    case OutputTarget::Kind::kThrough:
      file->descriptor_ =
          open(file->target_.path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
      break;
    case OutputTarget::Kind::kDescriptor:
      // A duplicate shares the position and the mode (>>) of the open one.
      file->descriptor_ = fcntl(file->target_.descriptor, F_DUPFD_CLOEXEC, 3);
      break;
  }
  if (file->descriptor_ < 0) return file->Error("cannot open");
  return file;
}

absl::Status AtomicFile::OpenTemporary() {
  mode_t mode = 0666;
  struct stat old;
  const bool replaces = stat(target_.path.c_str(), &old) == 0;
  if (replaces) {
    // A rename would replace a file that may not be written.
    if (faccessat(AT_FDCWD, target_.path.c_str(), W_OK, AT_EACCESS) != 0) {
      return Error("cannot write");
    }
    mode = old.st_mode & 0777;
  } else if (errno != ENOENT) {
    return Error("cannot create");
  }
  const absl::Status folder =
      MakeDirectories(std::string(DirName(target_.path)), &made_folders_);
  if (!folder.ok()) return Annotate(folder, path_);
  for (int i = 0; i < kMaxTries && descriptor_ < 0; ++i) {
    // Registered before it exists: a signal may arrive in between.
    temporary_ = std::make_unique<TemporaryName>(TemporaryPath(target_.path));
    descriptor_ =
        open(temporary_->path().c_str(),
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) {
    const absl::Status status = Error("cannot create");
    temporary_.reset();
    return status;
  }
  if (replaces) {
    // Only root may give files away, and others need not.
    if (old.st_uid != geteuid() || old.st_gid != getegid()) {
      (void)!fchown(descriptor_, old.st_uid, old.st_gid);
    }
    (void)fchmod(descriptor_, mode);  // the umask may have taken a bit
  }
  return absl::OkStatus();
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (temporary_ != nullptr) unlink(temporary_->path().c_str());
  if (published_ || target_.kind != OutputTarget::Kind::kReplaced) return;
  // Innermost first; one that others use is not empty and stays.
  std::reverse(made_folders_.begin(), made_folders_.end());
  for (const std::string& folder : made_folders_) rmdir(folder.c_str());
}

absl::Status AtomicFile::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
      continue;
    }
    if (count == 0) errno = EIO;
    if (errno == EPIPE && target_.descriptor == STDOUT_FILENO) {
      EndByBrokenPipe();
    }
    if (errno == EAGAIN) {
      // A pipe that another process has made non-blocking.
      pollfd writable = {.fd = descriptor_, .events = POLLOUT, .revents = 0};
      (void)poll(&writable, 1, /*timeout=*/-1);
    } else if (errno != EINTR) {
      return Error("cannot write");
    }
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Append(absl::string_view bytes) {
  size_ += static_cast<int64_t>(bytes.size());
  if (buffer_.size() + bytes.size() <= kBufferBytes) {
    buffer_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  CONTINUO_RETURN_IF_ERROR(Write(buffer_));
  buffer_.clear();
  if (bytes.size() >= kBufferBytes) return Write(bytes);
  buffer_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status AtomicFile::Finish(Durability durability) {
  CONTINUO_RETURN_IF_ERROR(Write(buffer_));
  buffer_.clear();
  // Pipes and most devices cannot be synced and need not be.
  if (durability == Durability::kSynced &&
      target_.kind == OutputTarget::Kind::kReplaced &&
      fsync(descriptor_) != 0) {
    return Error("cannot write");
  }
  // The descriptor is gone even if close fails.
  if (close(std::exchange(descriptor_, -1)) != 0) return Error("cannot close");
  return absl::OkStatus();
}

absl::Status AtomicFile::Publish() {
  if (temporary_ != nullptr) {
    if (rename(temporary_->path().c_str(), target_.path.c_str()) != 0) {
      return Error("cannot be replaced");
    }
    temporary_.reset();
  }
  published_ = true;
  return absl::OkStatus();
}

absl::Status AtomicFile::PublishUndoably() {
  if (temporary_ == nullptr) return Publish();
  struct stat now;
  if (lstat(target_.path.c_str(), &now) == 0 && S_ISDIR(now.st_mode)) {
    errno = EISDIR;  // which could be exchanged, too
    return Error("cannot be replaced");
  }
  if (renameat2(AT_FDCWD, temporary_->path().c_str(), AT_FDCWD,
                target_.path.c_str(), RENAME_EXCHANGE) == 0) {
    published_ = true;
    undo_ = Undo::kExchange;
    return absl::OkStatus();
  }
  const bool is_new = errno == ENOENT;
  const bool is_unknown =
      errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
  if (!is_new && !is_unknown) return Error("cannot be replaced");
  CONTINUO_RETURN_IF_ERROR(Publish());
  if (is_new) undo_ = Undo::kRemove;
  return absl::OkStatus();
}

void AtomicFile::UndoPublish() {
  switch (std::exchange(undo_, Undo::kNothing)) {
    case Undo::kNothing:
      return;
    case Undo::kExchange:
      (void)renameat2(AT_FDCWD, temporary_->path().c_str(), AT_FDCWD,
                      target_.path.c_str(), RENAME_EXCHANGE);
      break;
    case Undo::kRemove:
      (void)unlink(target_.path.c_str());
      break;
  }
  published_ = false;
}

void AtomicFile::SyncFolder() const {
  if (target_.kind != OutputTarget::Kind::kReplaced) return;
  const int folder = open(std::string(DirName(target_.path)).c_str(),
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  // Some file systems cannot sync a folder; the rename is still atomic.
  (void)fsync(folder);
  close(folder);
}

absl::Status AtomicFile::Commit(Durability durability) {
  CONTINUO_RETURN_IF_ERROR(Finish(durability));
  CONTINUO_RETURN_IF_ERROR(Publish());
  if (durability == Durability::kSynced) SyncFolder();
  return absl::OkStatus();
}

absl::Status AtomicFile::CommitTogether(absl::Span<AtomicFile* const> files) {
  for (AtomicFile* file : files) {
    CONTINUO_RETURN_IF_ERROR(file->Finish(Durability::kSynced));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    const absl::Status status = files[i]->PublishUndoably();
    if (status.ok()) {
      if (i == 0) files[i]->SyncFolder();
      continue;
    }
    for (size_t done = i; done-- > 0;) files[done]->UndoPublish();
    return status;
  }
  for (AtomicFile* file : files) file->SyncFolder();
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes,
                                 Durability durability) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                            AtomicFile::Create(path));
  CONTINUO_RETURN_IF_ERROR(file->Append(bytes));
  return file->Commit(durability);
}

}  // namespace continuo
