// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/files/input_file.h"
#include "runtime/files/output_path.h"

namespace continuo {
namespace {

constexpr size_t kFirstStreamBytes = size_t{1} << 20;

int64_t MaxStreamBytes() {
  return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE) / 2;
}

}  // namespace

// Pages that are unmapped when no longer used.
class MappedFile::Memory {
 public:
  Memory() = default;
  ~Memory() {
    if (data_ != nullptr) munmap(data_, mapped_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  absl::Status MapFile(int descriptor, size_t size, const std::string& path) {
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) return SystemError("cannot map", path);
    data_ = static_cast<char*>(data);
    mapped_ = size;
    size_ = size;
    is_file_ = true;
    return absl::OkStatus();
  }

  // Makes room for `capacity` bytes of a stream.
  absl::Status Reserve(size_t capacity, const std::string& path) {
    void* data = data_ == nullptr
                     ? mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                     : mremap(data_, mapped_, capacity, MREMAP_MAYMOVE);
    if (data == MAP_FAILED)
      return SystemError("cannot be held in memory", path);
    data_ = static_cast<char*>(data);
    mapped_ = capacity;
    return absl::OkStatus();
  }

  absl::string_view bytes() const { return {data_, size_}; }
  size_t capacity() const { return mapped_; }
  char* end() { return data_ + size_; }
  void Grow(size_t size) { size_ += size; }
  bool is_file() const { return is_file_; }

 private:
  char* data_ = nullptr;
  size_t mapped_ = 0;
  size_t size_ = 0;
  bool is_file_ = false;
};

// What has been read from streams. Lasts as long as the process.
class MappedFile::Streams {
 public:
  static Streams& Get() {
    static auto* const streams = new Streams;
    return *streams;
  }

  // The stream of this name, read at the first call.
  absl::StatusOr<std::shared_ptr<const Memory>> Read(const std::string& path,
                                                     int64_t max_bytes) {
    // Before it is opened: a named pipe without a writer would
    // never open. Another pipe of the same name has another number.
    struct stat info = {};
    if (path != kStandardStream) (void)stat(path.c_str(), &info);
    const std::string key =
        absl::StrCat(info.st_dev, " ", info.st_ino, " ", path);
    // Held while reading: two readers would each get a part.
    const std::lock_guard<std::mutex> lock(mutex_);
    // A file of /proc can be read again, and may have changed.
    std::shared_ptr<const Memory> once;
    std::shared_ptr<const Memory>& memory =
        S_ISREG(info.st_mode) ? once : read_[key];
    if (memory == nullptr) {
      CONTINUO_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
      CONTINUO_ASSIGN_OR_RETURN(
          memory, ReadStream(file.descriptor(), file.name(), max_bytes));
    }
    return memory;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Memory>> read_;
};

MappedFile::MappedFile(std::string path, std::shared_ptr<const Memory> memory)
    : path_(std::move(path)), memory_(std::move(memory)) {}
MappedFile::~MappedFile() = default;

absl::string_view MappedFile::bytes() const { return memory_->bytes(); }

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Open(
    const std::string& path) {
  return Open(path, MaxStreamBytes());
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Open(
    const std::string& path, int64_t max_stream_bytes) {
  if (!IsStream(path)) {
    CONTINUO_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
    auto memory = std::make_shared<Memory>();
    if (file.size() > 0) {
      CONTINUO_RETURN_IF_ERROR(memory->MapFile(
          file.descriptor(), static_cast<size_t>(file.size()), file.name()));
    }
    return std::unique_ptr<MappedFile>(new MappedFile(path, std::move(memory)));
  }
  CONTINUO_ASSIGN_OR_RETURN(std::shared_ptr<const Memory> memory,
                            Streams::Get().Read(path, max_stream_bytes));
  return std::unique_ptr<MappedFile>(
      new MappedFile(StreamName(path), std::move(memory)));
}

absl::StatusOr<std::shared_ptr<const MappedFile::Memory>>
MappedFile::ReadStream(int descriptor, const std::string& path,
                       int64_t max_bytes) {
  auto memory = std::make_shared<Memory>();
  for (;;) {
    const size_t size = memory->bytes().size();
    if (static_cast<int64_t>(size) > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": is larger than the limit of ", max_bytes,
                       " bytes for what is no regular file"));
    }
    if (size == memory->capacity()) {
      CONTINUO_RETURN_IF_ERROR(
          memory->Reserve(std::min(std::max(kFirstStreamBytes, 2 * size),
                                   static_cast<size_t>(max_bytes) + 1),
                          path));
    }
    const ssize_t count =
        read(descriptor, memory->end(), memory->capacity() - size);
    if (count == 0) break;
    if (count > 0) {
      memory->Grow(static_cast<size_t>(count));
    } else if (errno != EINTR) {
      return SystemError("cannot read", path);
    }
  }
  return memory;
}

void MappedFile::Release(int64_t end) const {
  if (!memory_->is_file()) return;
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t whole_pages =
      std::min(end, static_cast<int64_t>(bytes().size())) / page * page;
  if (whole_pages <= 0) return;
  (void)madvise(const_cast<char*>(bytes().data()),
                static_cast<size_t>(whole_pages), MADV_DONTNEED);
}

void MappedFile::WillNeed(int64_t begin, int64_t size) const {
  if (!memory_->is_file()) return;
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t first = begin / page * page;
  const int64_t end =
      std::min(begin + size, static_cast<int64_t>(bytes().size()));
  if (first >= end) return;
  (void)madvise(const_cast<char*>(bytes().data()) + first,
                static_cast<size_t>(end - first), MADV_WILLNEED);
}

}  // namespace continuo
