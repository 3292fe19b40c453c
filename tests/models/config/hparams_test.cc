// SPDX-License-Identifier: Apache-2.0

#include "models/config/hparams.h"

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

Hparams MustParse(absl::string_view text) {
  Hparams hparams;
  const absl::Status status = ParseHparams(text, &hparams);
  EXPECT_TRUE(status.ok()) << text << ": " << status;
  return hparams;
}

// The message of the refusal of `text`; the hyperparameters stay as they were.
std::string MustFail(absl::string_view text) {
  Hparams hparams;
  const std::string before = HparamsToString(hparams);
  const absl::Status status = ParseHparams(text, &hparams);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_EQ(HparamsToString(hparams), before) << text;
  return std::string(status.message());
}

TEST(HparamsTest, EmptyTextKeepsTheBaseValues) {
  EXPECT_EQ(HparamsToString(MustParse("")),
            "batch_size=64,rnn_layer_sizes=[128,128],dropout_keep_prob=1,"
            "attn_length=0,clip_norm=3,learning_rate=0.001,"
            "residual_connections=false,use_cudnn=false");
}

TEST(HparamsTest, ReadsEveryType) {
  const Hparams hparams = MustParse(
      "batch_size=8,rnn_layer_sizes=[64,32 16],dropout_keep_prob=0.5,"
      "attn_length=40,clip_norm=5,learning_rate=1e-4,"
      "residual_connections=True,use_cudnn=0");
  EXPECT_EQ(hparams.batch_size, 8);
  EXPECT_EQ(hparams.rnn_layer_sizes, (std::vector<int>{64, 32, 16}));
  EXPECT_EQ(hparams.dropout_keep_prob, 0.5);
  EXPECT_EQ(hparams.attn_length, 40);
  EXPECT_EQ(hparams.clip_norm, 5);
  EXPECT_EQ(hparams.learning_rate, 1e-4);
  EXPECT_TRUE(hparams.residual_connections);
  EXPECT_FALSE(hparams.use_cudnn);
}

TEST(HparamsTest, BlanksAndCommasWhereTheGrammarAllowsThem) {
  EXPECT_EQ(MustParse("batch_size = 2 ").batch_size, 2);
  EXPECT_EQ(MustParse("batch_size=2,").batch_size, 2);
  EXPECT_EQ(MustParse("attn_length=1,  batch_size=+3").batch_size, 3);
  EXPECT_EQ(MustParse("rnn_layer_sizes=[,5,,6 ]").rnn_layer_sizes,
            (std::vector<int>{5, 6}));
  MustFail(" batch_size=2");
  MustFail(",batch_size=2");
  MustFail("batch_size=2,,attn_length=1");
}

TEST(HparamsTest, NumbersAreThoseOfPython) {
  EXPECT_EQ(MustParse("batch_size=1_000").batch_size, 1000);
  EXPECT_EQ(MustParse("learning_rate=1").learning_rate, 1);
  EXPECT_EQ(MustParse("learning_rate=.5").learning_rate, 0.5);
  EXPECT_EQ(MustParse("clip_norm=inf").clip_norm,
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(MustParse("residual_connections=-3").residual_connections, true);
  for (const char* text :
       {"batch_size=2.0", "batch_size=1e3", "batch_size=", "batch_size=1__0",
        "batch_size=_1", "batch_size=99999999999", "batch_size=3 lr=2",
        "learning_rate=fast", "learning_rate=0x10", "learning_rate=nan(1)",
        "residual_connections=TRUE", "residual_connections=",
        "rnn_layer_sizes=[a]", "rnn_layer_sizes=[1.5]"}) {
    EXPECT_TRUE(absl::StrContains(MustFail(text), text)) << text;
  }
}

TEST(HparamsTest, FractionalClipNormIsAccepted) {
  EXPECT_EQ(MustParse("clip_norm=2.5").clip_norm, 2.5);
}

TEST(HparamsTest, MalformedTextIsShown) {
  for (const char* text :
       {"batch_size", "=3", "3=4", "batch_size:3", "rnn_layer_sizes=[64",
        "batch_size=3[4", "rnn_layer_sizes=[64]x", "batch_size[]=2"}) {
    EXPECT_TRUE(absl::StrContains(MustFail(text), "malformed")) << text;
  }
}

TEST(HparamsTest, UnknownNameSuggestsTheNearest) {
  const std::string message = MustFail("batchsize=3");
  EXPECT_TRUE(absl::StrContains(message, "batchsize")) << message;
  EXPECT_TRUE(absl::StrContains(message, "did you mean batch_size?"))
      << message;
  EXPECT_TRUE(
      absl::StrContains(MustFail("layer_sizes=[3]"), "rnn_layer_sizes"));
}

TEST(HparamsTest, DuplicatesAndWrongShapesAreRefused) {
  EXPECT_TRUE(absl::StrContains(MustFail("batch_size=1,batch_size=1"),
                                "more than once"));
  EXPECT_TRUE(absl::StrContains(
      MustFail("rnn_layer_sizes=[1],rnn_layer_sizes[0]=2"), "more than once"));
  EXPECT_TRUE(absl::StrContains(MustFail("batch_size=[1]"), "not a list"));
  EXPECT_TRUE(absl::StrContains(MustFail("rnn_layer_sizes=64"),
                                "rnn_layer_sizes=[64]"));
  EXPECT_TRUE(
      absl::StrContains(MustFail("rnn_layer_sizes[ 0 ]=64"), "whole list"));
}

TEST(HparamsTest, ValuesOutOfRangeAreRefused) {
  for (const char* text :
       {"batch_size=0", "rnn_layer_sizes=[]", "rnn_layer_sizes=[64,0]",
        "dropout_keep_prob=0", "dropout_keep_prob=1.5", "dropout_keep_prob=nan",
        "attn_length=-1", "clip_norm=nan", "learning_rate=inf",
        "learning_rate=-0.1"}) {
    EXPECT_TRUE(absl::StrContains(MustFail(text), "out of range")) << text;
  }
}

TEST(HparamsTest, PrintedTextReadsBack) {
  const Hparams hparams = MustParse(
      "batch_size=7,rnn_layer_sizes=[3],learning_rate=0.1,clip_norm=-1");
  EXPECT_EQ(HparamsToString(MustParse(HparamsToString(hparams))),
            HparamsToString(hparams));
  EXPECT_EQ(HparamValue(hparams, "learning_rate"), "0.1");
  EXPECT_EQ(HparamValue(hparams, "rnn_layer_sizes"), "[3]");
}

TEST(HparamsTest, AttentionAroundTheStackNeedsAttentionAlone) {
  const Hparams hparams =
      MustParse("attention_around_stack=true,attn_length=40");
  EXPECT_TRUE(hparams.attention_around_stack);
  const std::string text = HparamsToString(hparams);
  EXPECT_TRUE(absl::StrContains(text, ",attention_around_stack=true")) << text;
  EXPECT_EQ(HparamsToString(MustParse(text)), text);
  for (const char* wrong : {"attention_around_stack=true",
                            "attention_around_stack=true,"
                            "attn_length=4,residual_connections=true"}) {
    EXPECT_TRUE(absl::StrContains(MustFail(wrong), "attn_length=0")) << wrong;
  }
}

TEST(HparamsTest, CellIsOneOfTheKnownAndWithoutAttention) {
  const Hparams hparams = MustParse("cell=gru");
  EXPECT_EQ(hparams.cell, Cell::kGru);
  const std::string text = HparamsToString(hparams);
  EXPECT_TRUE(absl::StrContains(text, ",cell=gru")) << text;
  EXPECT_EQ(HparamsToString(MustParse(text)), text);
  EXPECT_EQ(HparamsToString(MustParse("cell=lstm")),
            HparamsToString(Hparams()));
  EXPECT_TRUE(absl::StrContains(MustFail("cell=tree"), "lstm or gru"));
  EXPECT_TRUE(absl::StrContains(MustFail("cell=[gru]"), "one value"));
  for (const char* wrong :
       {"cell=gru,attn_length=4",
        "cell=gru,attn_length=4,attention_around_stack=true"}) {
    EXPECT_TRUE(absl::StrContains(MustFail(wrong), "give attn_length=0"));
  }
}

TEST(HparamsTest, NamesInOrder) {
  EXPECT_EQ(*HparamNames("learning_rate=1,batch_size=2"),
            (std::vector<std::string>{"learning_rate", "batch_size"}));
}

}  // namespace
}  // namespace continuo
