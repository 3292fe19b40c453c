// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/json.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(JsonTest, WhatIsNoJsonIsNull) {
  for (const char* text : {"", "{", "[1,", "{\"a\":}", "nan", "{} {}"}) {
    EXPECT_TRUE(ParseJson(text).is_null()) << text;
  }
  EXPECT_EQ(
      ParseJson(R"({"b": [1, "x"], "a": null})")["b"][1].get<std::string>(),
      "x");
}

// Neither recursion nor a search through all fields for each one.
TEST(JsonTest, HostileTextTakesNeitherStackNorTime) {
  const std::string deep(200000, '[');
  EXPECT_TRUE(ParseJson(deep).is_null());
  EXPECT_TRUE(ParseJson(deep + std::string(200000, ']')).is_array());
  std::string wide = "{";
  for (int i = 0; i < 50000; ++i) {
    wide += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
  }
  EXPECT_EQ(ParseJson(wide + "}").size(), 50000u);
}

TEST(JsonTest, TextKeepsTheOrderAndReplacesWhatIsNoUtf8) {
  OrderedJson json;
  json["b"] = 1;
  json["a"] = "x\xff";
  EXPECT_EQ(JsonText(json), "{\"b\":1,\"a\":\"x\xef\xbf\xbd\"}");
  EXPECT_EQ(JsonText(OrderedJson{{"b", {1}}}, 2),
            "{\n  \"b\": [\n    1\n  ]\n}");
  EXPECT_EQ(JsonText(Json{{"b", 1}, {"a", 2}}), "{\"a\":2,\"b\":1}");
}

}  // namespace
}  // namespace continuo
