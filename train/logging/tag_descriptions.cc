// SPDX-License-Identifier: Apache-2.0

#include "train/logging/tag_descriptions.h"

#include "absl/strings/match.h"
#include "train/logging/event_tags.h"

namespace continuo {
namespace {

struct Row {
  absl::string_view tag;
  absl::string_view description;
};

constexpr Row kRows[] = {
    {"loss", "Mean cross-entropy of a label, in nats."},
    {"metrics/perplexity", "exp(loss)."},
    {"metrics/accuracy", "Share of the labels that were the likeliest."},
    {"metrics/event_accuracy",
     "The accuracy over all labels but the default one (no event)."},
    {"metrics/no_event_accuracy",
     "The accuracy over the labels that are the default one (no event)."},
    {"metrics/per_class_accuracy",
     "Mean of the accuracies of all classes; a class without labels counts "
     "as 0."},
    {"metrics/loss_per_step",
     "Summed cross-entropy per time step of music, in nats."},
    {"metrics/perplexity_per_step", "exp(loss_per_step)."},
    {"global_step/sec", "Training steps per second since the last report."},
    {"input_producer/fraction_of_32_full",
     "Share of the queue of batches read ahead that is filled."},
    {"batch/fraction_of_500_full",
     "Share of the queue of batches read ahead that is filled."},
    {kBitsTag,
     "The loss in bits per event: what one event costs under the network. "
     "Below `unigram_bits_per_event` it has learned something; one less is "
     "half as surprised."},
    {kUnigramBitsTag,
     "Bits per event of the best guess without context, which knows only how "
     "frequent each event is in the data."},
    {kEvalBitsTag,
     "`bits_per_event` of the evaluations in this training, as under eval/."},
    {kBestEvalBitsTag, "The lowest of the evaluations so far."},
    {"continuo/gradient_norm",
     "Norm of the whole gradient before it is clipped."},
    {"continuo/learning_rate", "Learning rate of the step."},
    {"continuo/events_per_second",
     "Events trained on per second since the last report; evaluations and "
     "samples do not count."},
    {kSettingsTag, "Configuration and hyperparameters of this run."},
    {kDataTag, "What is trained on, or evaluated."},
    {kCommandLineTag, "How the program was called."},
    {kVersionTag, "The program, where it ran and on what."},
};

}  // namespace

absl::string_view TagDescription(absl::string_view tag) {
  for (const Row& row : kRows) {
    if (row.tag == tag) return row.description;
  }
  if (absl::StartsWith(tag, kSampleTagPrefix)) {
    return "What the network writes by now, always with the same random "
           "numbers: what differs between two steps comes from its weights.";
  }
  return "";
}

}  // namespace continuo
