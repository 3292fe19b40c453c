// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/python_literal.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

std::vector<int64_t> Integers(const PythonLiteral& list) {
  std::vector<int64_t> values;
  for (const PythonLiteral& item : list.items) values.push_back(item.integer);
  return values;
}

TEST(PythonLiteralTest, ReadsListsOfIntegers) {
  const std::vector<std::pair<std::string, std::vector<int64_t>>> cases = {
      {"[60, -2, 60, -2, 67, -2, 67, -2]", {60, -2, 60, -2, 67, -2, 67, -2}},
      {" [ 60 ,\t+1,\n- 2, ] ", {60, 1, -2}},
      {"[]", {}},
      {"(60, 62)", {60, 62}},
      {"(60,)", {60}},
      {"[1_000, 0, 00]", {1000, 0, 0}},
      {"[-9223372036854775808]", {INT64_MIN}}};
  for (const auto& [text, want] : cases) {
    const auto literal = ParsePythonLiteral(text);
    ASSERT_TRUE(literal.ok()) << text << ": " << literal.status();
    EXPECT_TRUE(literal->is_sequence()) << text;
    EXPECT_EQ(Integers(*literal), want) << text;
  }
}

TEST(PythonLiteralTest, ReadsNestedTuplesNumbersAndBooleans) {
  const auto drums = ParsePythonLiteral("[(36, 42), (), (42,), (7)]");
  ASSERT_TRUE(drums.ok());
  ASSERT_EQ(drums->items.size(), 4);
  EXPECT_EQ(Integers(drums->items[0]), (std::vector<int64_t>{36, 42}));
  EXPECT_EQ(drums->items[1].kind, PythonLiteral::Kind::kTuple);
  EXPECT_TRUE(drums->items[1].items.empty());
  EXPECT_EQ(drums->items[2].kind, PythonLiteral::Kind::kTuple);
  EXPECT_EQ(drums->items[3].kind, PythonLiteral::Kind::kInt);

  const auto real =
      ParsePythonLiteral("[1.5, -.25, 2., 1e2, 3e-1, True, False]");
  ASSERT_TRUE(real.ok());
  const std::vector<double> want = {1.5, -0.25, 2, 100, 0.3, 1, 0};
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(real->items[i].number, want[i]) << i;
  }
  EXPECT_EQ(real->items[4].kind, PythonLiteral::Kind::kFloat);
  EXPECT_EQ(real->items[5].kind, PythonLiteral::Kind::kBool);
}

TEST(PythonLiteralTest, PointsAtTheMistake) {
  const std::vector<std::pair<std::string, size_t>> cases = {
      {"", 0},         {"   ", 3},
      {"[60", 3},      {"[60,,62]", 4},
      {"[60 62]", 4},  {"[60]]", 4},
      {"[a]", 1},      {"[60)", 3},
      {"[007]", 1},    {"[1__0]", 2},
      {"[\"60\"]", 1}, {"[--2]", 2},
      {"[0x3C]", 2},   {"[1e]", 3},
      {"[.]", 1},      {"[Truer]", 1},
      {"[1_]", 2},     {"[1e999]", 1},
      {"60, 62", 2},   {"[9223372036854775808]", 1}};
  for (const auto& [text, position] : cases) {
    const auto literal = ParsePythonLiteral(text);
    ASSERT_FALSE(literal.ok()) << text;
    const std::string message(literal.status().message());
    EXPECT_EQ(message.size() - 1 - message.rfind('\n'), 2 + position + 1)
        << message;
  }
}

TEST(PythonLiteralTest, TypographicQuotesAreExplained) {
  const auto literal = ParsePythonLiteral("[60, “62”]");
  ASSERT_FALSE(literal.ok());
  EXPECT_EQ(literal.status().message(),
            "unexpected “ where a number was expected; only plain ASCII is "
            "understood (quotes, dashes and blanks of copied text often are "
            "not)\n"
            "  [60, “62”]\n"
            "       ^");
}

TEST(PythonLiteralTest, CaretCountsCharactersNotBytes) {
  EXPECT_EQ(PointAt("m", "äö]", 4), "m\n  äö]\n    ^");
  const std::string longer = std::string(50, 'x') + "?" + std::string(50, 'y');
  EXPECT_EQ(PointAt("m", longer, 50), "m\n  ..." + std::string(30, 'x') + "?" +
                                          std::string(29, 'y') + "...\n  " +
                                          std::string(33, ' ') + "^");
}

TEST(PythonLiteralTest, NestingIsLimited) {
  EXPECT_TRUE(
      ParsePythonLiteral(std::string(16, '[') + std::string(16, ']')).ok());
  EXPECT_FALSE(ParsePythonLiteral(std::string(100000, '[')).ok());
}

}  // namespace
}  // namespace continuo
