// SPDX-License-Identifier: Apache-2.0

// Tags of TensorBoard events that are not Magenta's.

#ifndef CONTINUO_TRAIN_LOGGING_EVENT_TAGS_H_
#define CONTINUO_TRAIN_LOGGING_EVENT_TAGS_H_

namespace continuo {

inline constexpr char kBitsTag[] = "continuo/bits_per_event";
inline constexpr char kUnigramBitsTag[] = "continuo/unigram_bits_per_event";
// Results of evaluations during training, beside its own curves: the
// HParams tab looks for a run's metrics in one folder.
inline constexpr char kEvalBitsTag[] = "continuo/eval_bits_per_event";
inline constexpr char kBestEvalBitsTag[] = "continuo/best_eval_bits_per_event";
inline constexpr char kSettingsTag[] = "continuo/settings";
inline constexpr char kDataTag[] = "continuo/data";
inline constexpr char kCommandLineTag[] = "continuo/command_line";
inline constexpr char kVersionTag[] = "continuo/version";
inline constexpr char kSampleTagPrefix[] = "continuo/sample_";

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_EVENT_TAGS_H_
