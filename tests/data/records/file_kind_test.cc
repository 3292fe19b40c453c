// SPDX-License-Identifier: Apache-2.0

#include "data/records/file_kind.h"

#include <string>

#include "absl/strings/match.h"
#include "data/proto/event.pb.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "data/records/compact_record.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "tests/testing/examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

std::string Notes() {
  tensorflow::magenta::NoteSequence sequence;
  sequence.set_id("/id/midi/x");
  sequence.set_filename("inputs/labels.mid");
  sequence.add_notes()->set_pitch(60);
  return FrameTfRecord(sequence.SerializeAsString());
}

std::string Examples() {
  return FrameTfRecord(testing::OneHotExample({0, 1}, {1, 2}, 3));
}

std::string Compact() {
  CompactExample example;
  example.set_encoding("one_drum");
  return FrameTfRecord(SerializeCompactRecord(example));
}

std::string Bundle() {
  tensorflow::magenta::GeneratorBundle bundle;
  bundle.mutable_generator_details()->set_id("basic_rnn");
  bundle.add_checkpoint_file("weights");
  return bundle.SerializeAsString();
}

std::string Events() {
  tensorflow::Event event;
  event.set_wall_time(1);
  event.set_file_version("brain.Event:2");
  return FrameTfRecord(event.SerializeAsString());
}

TEST(FileKindTest, ContentsTellTheKind) {
  EXPECT_EQ(KindOfFile(Notes()), FileKind::kNoteSequences);
  EXPECT_EQ(KindOfFile(Examples()), FileKind::kSequenceExamples);
  EXPECT_EQ(KindOfFile(Compact()), FileKind::kCompactExamples);
  EXPECT_EQ(KindOfFile(Events()), FileKind::kEvents);
  EXPECT_EQ(KindOfFile(FrameTfRecord("\xff\xff")), FileKind::kOtherRecords);
  EXPECT_EQ(KindOfFile("MThd\0\0\0\6"), FileKind::kMidi);
  EXPECT_EQ(KindOfFile("RIFF1234RMIDdata"), FileKind::kMidi);
  EXPECT_EQ(KindOfFile("RIFF1234WAVEdata"), FileKind::kUnknown);
  EXPECT_EQ(KindOfFile("PK\x03\x04..."), FileKind::kCompressedMusicXml);
  EXPECT_EQ(KindOfFile("\xef\xbb\xbf <?xml version='1.0'?>"),
            FileKind::kMusicXml);
  EXPECT_EQ(KindOfFile("% a book\nX:1\nT:Tune\n"), FileKind::kAbc);
  EXPECT_EQ(KindOfFile("...\x57\xfb\x80\x8b\x24\x75\x47\xdb"),
            FileKind::kCheckpoint);
  EXPECT_EQ(KindOfFile(std::string("\x02\0\0\0\0\0\0\0{}", 10)),
            FileKind::kSafetensors);
  EXPECT_EQ(KindOfFile(Bundle()), FileKind::kBundle);
  EXPECT_EQ(KindOfFile(""), FileKind::kEmpty);
  EXPECT_EQ(KindOfFile("hello"), FileKind::kUnknown);
  // Cut short, a file is of the kind it began as, or unknown.
  const std::string notes = Notes();
  for (size_t size = 1; size < notes.size(); ++size) {
    EXPECT_EQ(KindOfFile(notes.substr(0, size)), FileKind::kUnknown) << size;
  }
}

// Each wrong file is named for what it is, with the command that makes the
// right one.
TEST(FileKindTest, WrongFilesComeWithTheRemedy) {
  const auto says = [](const absl::Status& status, absl::string_view what) {
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_TRUE(absl::StrContains(status.message(), what)) << status;
  };
  EXPECT_TRUE(CheckHoldsNoteSequences("n", Notes()).ok());
  EXPECT_TRUE(CheckHoldsNoteSequences("n", "").ok());
  says(CheckHoldsNoteSequences("n", Examples()),
       "n is a TFRecord of SequenceExamples, a data set that is made already");
  says(CheckHoldsNoteSequences("n", Compact()),
       "n is a TFRecord of compact examples");
  says(CheckHoldsNoteSequences("tunes/a.mid", "MThd"),
       "tunes/a.mid is a MIDI file; convert its folder first: "
       "convert_dir_to_note_sequences `input_dir`=tunes "
       "`output_file`=notes.tfrecord");
  says(CheckHoldsNoteSequences("m.mag", Bundle()), "m.mag is a bundle");
  says(CheckHoldsNoteSequences("e", Events()), "TensorBoard events");

  const std::string made_by = "melody_rnn_create_dataset";
  EXPECT_TRUE(CheckHoldsExamples("d", Examples(), made_by).ok());
  EXPECT_TRUE(CheckHoldsExamples("d", Compact(), made_by).ok());
  EXPECT_TRUE(CheckHoldsExamples("d", "", made_by).ok());
  says(CheckHoldsExamples("d", Notes(), made_by),
       "d is a TFRecord of NoteSequences; make a data set of it first: "
       "melody_rnn_create_dataset `input`=d `output_dir`=data");
  says(CheckHoldsExamples("a.abc", "X:1\n", made_by),
       "a.abc is an ABC file; convert its folder first: "
       "convert_dir_to_note_sequences `input_dir`=. "
       "`output_file`=notes.tfrecord, then melody_rnn_create_dataset");
  says(CheckHoldsExamples("m.mag", Bundle(), made_by),
       "m.mag is a bundle; give the training examples that "
       "melody_rnn_create_dataset writes");

  const testing::ScratchDir dir;
  EXPECT_TRUE(CheckIsNoFolder(dir.Path("none"), true).ok());
  says(CheckIsNoFolder(dir.Path(), true), "`recursive` `output_file`");
  says(CheckIsNoFolder(dir.Path(), false), "/*.tfrecord'");
}

}  // namespace
}  // namespace continuo
