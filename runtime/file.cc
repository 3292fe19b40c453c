#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status.h"

namespace continuo {
namespace {

absl::Status SystemError(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", what));
}

// Closes a descriptor when the scope ends.
struct ScopedDescriptor {
  int fd;
  ~ScopedDescriptor() {
    if (fd >= 0) close(fd);
  }
};

absl::Status SyncDirectoryOf(const std::string& path) {
  ScopedDescriptor dir{
      open(std::string(DirName(path)).c_str(), O_RDONLY | O_DIRECTORY)};
  // Some file systems cannot sync a directory; the rename is still atomic.
  if (dir.fd >= 0) (void)fsync(dir.fd);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Open(
    const std::string& path) {
  ScopedDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return SystemError("cannot open", path);
  struct stat info;
  if (fstat(file.fd, &info) != 0) return SystemError("cannot stat", path);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is a directory, expected a file"));
  }
  absl::string_view bytes;
  if (info.st_size > 0) {
    void* data = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ,
                      MAP_PRIVATE, file.fd, 0);
    if (data == MAP_FAILED) return SystemError("cannot map", path);
    bytes = absl::string_view(static_cast<const char*>(data),
                              static_cast<size_t>(info.st_size));
  }
  return std::unique_ptr<MappedFile>(new MappedFile(path, bytes));
}

void MappedFile::Release(int64_t end) const {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t whole_pages =
      std::min(end, static_cast<int64_t>(bytes_.size())) / page * page;
  if (whole_pages <= 0) return;
  (void)madvise(const_cast<char*>(bytes_.data()),
                static_cast<size_t>(whole_pages), MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t max_bytes) {
  ScopedDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return SystemError("cannot open", path);
  struct stat info;
  if (fstat(file.fd, &info) != 0) return SystemError("cannot stat", path);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is a directory, expected a file"));
  }
  std::string bytes;
  bytes.reserve(static_cast<size_t>(info.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(file.fd, buffer, sizeof(buffer));
    if (count < 0) {
      if (errno == EINTR) continue;
      return SystemError("cannot read", path);
    }
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(count));
    if (static_cast<int64_t>(bytes.size()) > max_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          path, ": file is larger than the limit of ", max_bytes, " bytes"));
    }
  }
}

AtomicFile::AtomicFile(std::string path, std::string temporary, std::FILE* file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(file) {}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(
    const std::string& path) {
  std::string temporary = absl::StrCat(path, ".tmp.", getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return SystemError("cannot create", temporary);
  return std::unique_ptr<AtomicFile>(
      new AtomicFile(path, std::move(temporary), file));
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) {
    std::fclose(file_);
    unlink(temporary_.c_str());
  }
}

absl::Status AtomicFile::Append(absl::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    return SystemError("cannot write", temporary_);
  }
  size_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit(Durability durability) {
  const bool sync = durability == Durability::kSynced;
  if (std::fflush(file_) != 0 || (sync && fsync(fileno(file_)) != 0)) {
    return SystemError("cannot write", temporary_);
  }
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0) {
    const absl::Status status = SystemError("cannot close", temporary_);
    unlink(temporary_.c_str());
    return status;
  }
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    const absl::Status status = SystemError("cannot rename to", path_);
    unlink(temporary_.c_str());
    return status;
  }
  return sync ? SyncDirectoryOf(path_) : absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes,
                                 Durability durability) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                            AtomicFile::Create(path));
  CONTINUO_RETURN_IF_ERROR(file->Append(bytes));
  return file->Commit(durability);
}

absl::Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error && !IsDirectory(path)) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat(path, ": cannot create directory"));
  }
  return absl::OkStatus();
}

std::string ExpandHome(absl::string_view path) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || path.empty() || path[0] != '~' ||
      (path.size() > 1 && path[1] != '/')) {
    return std::string(path);
  }
  return absl::StrCat(home, path.substr(1));
}

absl::StatusOr<std::vector<std::string>> Glob(absl::string_view pattern) {
  const std::string expanded = ExpandHome(pattern);
  if (FileExists(expanded)) return std::vector<std::string>{expanded};
  glob_t found;
  std::vector<std::string> paths;
  const int code = glob(expanded.c_str(), 0, nullptr, &found);
  if (code == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      paths.emplace_back(found.gl_pathv[i]);
    }
  }
  globfree(&found);
  if (paths.empty()) {
    return absl::NotFoundError(
        absl::StrCat(pattern, ": no file matches this path or pattern"));
  }
  return paths;
}

bool FileExists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string JoinPath(absl::string_view a, absl::string_view b) {
  if (a.empty() || (!b.empty() && b[0] == '/')) return std::string(b);
  if (b.empty()) return std::string(a);
  return absl::StrCat(a, a.back() == '/' ? "" : "/", b);
}

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

absl::string_view DirName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

}  // namespace continuo
