// How far a run over a known number of files is: on a terminal one line that
// is redrawn, elsewhere a log line now and then.

#ifndef CONTINUO_DATA_NOTES_CONVERT_CONVERT_PROGRESS_H_
#define CONTINUO_DATA_NOTES_CONVERT_CONVERT_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace continuo {

class Progress {
 public:
  Progress(int64_t total, bool redraw);
  // Removes the line.
  ~Progress() { Hide(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the state if the last time is long enough ago.
  void Update(int64_t done);
  // Makes room for other lines on stderr until the next Update.
  void Hide();
  double ElapsedSeconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  const int64_t total_;
  const bool redraw_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
  bool visible_ = false;
};

// "1200 of 5000 files (24 %), 860 files/s, 4 s left".
std::string ProgressText(int64_t done, int64_t total, double seconds);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_CONVERT_CONVERT_PROGRESS_H_
