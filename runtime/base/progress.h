// SPDX-License-Identifier: Apache-2.0

// How far a long run is: on a terminal one line that is redrawn, elsewhere a
// log line now and then.

#ifndef CONTINUO_RUNTIME_BASE_PROGRESS_H_
#define CONTINUO_RUNTIME_BASE_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace continuo {

class Progress {
 public:
  struct Style {
    absl::string_view verb = "";  // in front of each line: "Generated "
    absl::string_view unit = "";  // what is counted, as in "files"
    absl::Duration interval = absl::Seconds(10);  // between log lines
    bool redraw = false;  // one line on stderr instead of log lines
  };

  // A total of 0: not known (UpdateFraction).
  Progress(int64_t total, const Style& style);
  // Removes the line.
  ~Progress() { Hide(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the state if the last time is long enough ago.
  void Update(int64_t done);
  // The same where not the total is known, but which fraction is done;
  // `also` is what else to show, as in "40 examples".
  void UpdateFraction(int64_t done, double fraction, absl::string_view also);
  // Makes room for other lines on stderr until the next Update.
  void Hide();
  double Seconds() const;  // since it was made

 private:
  bool IsTime();
  void Show(absl::string_view text);

  const int64_t total_;
  const Style style_;
  const absl::Duration start_;
  absl::Duration shown_;
  bool visible_ = false;
};

// "1200 of 5000 files (24 %), 860 files/s, 4 s left".
std::string ProgressText(int64_t done, int64_t total, absl::string_view unit,
                         double seconds);
// "1200 sequences (24 %), 40 examples, 860 sequences/s, 4 s left".
std::string FractionText(int64_t done, double fraction, absl::string_view unit,
                         absl::string_view also, double seconds);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_PROGRESS_H_
