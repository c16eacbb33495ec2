#include "protean/data/text.h"

#include "protean/core/error.h"
#include "protean/data/splits.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;

namespace {

DataOptions of(const TempDir& dir, int64_t length) {
  DataOptions options;
  options.source = "text";
  options.path = dir.path().string();
  options.length = length;
  return options;
}

std::string message_of(const DataOptions& options) {
  try {
    TextDataset{options};
  } catch (const Error& e) {
    return e.what();
  }
  return "no Error";
}

}  // namespace

TEST_CASE("a text is cut into pieces, each character's label is the next",
          "[data]") {
  TempDir dir;
  write_file(dir.path() / "a.txt",
             "aaab\xC3\xA9"
             "ba\r\naaa");  // aaabéba\naaa
  write_file(dir.path() / "b/2.txt", "bb");
  write_file(dir.path() / "b/1.txt", "aaaa");
  TextDataset text(of(dir, 3));
  text.count({});
  REQUIRE(text.classes() == 2);
  CHECK(text.class_name(1) == "b");
  // 0 other, then by frequency: a, b, and \n before é.
  CHECK(text.labels() == 5);
  CHECK(text.encode("ab\n\xC3\xA9?", "x") ==
        std::vector<uint32_t>{1, 2, 3, 4, 0});
  CHECK(text.decode({1, 4, 0}) == "a\xC3\xA9\xEF\xBF\xBD");
  CHECK(text.size(0) == 3);  // 11 characters, the last only as a label
  float x[3];
  int64_t y[3];
  text.read(0, 1, x);
  text.read_target(0, 1, y, nullptr);
  CHECK(std::vector<float>(x, x + 3) == std::vector<float>{2, 4, 2});
  CHECK(std::vector<int64_t>(y, y + 3) == std::vector<int64_t>{4, 2, 1});
  text.read(1, 0, x);  // "aaaa" + "bb"
  text.read_target(1, 0, y, nullptr);
  CHECK(y[2] == 1);
  CHECK(text.size(1) == 1);
}

TEST_CASE("rare characters share a number", "[data]") {
  TempDir dir;
  write_file(dir.path() / "a.txt", "aaaabbbccd");
  DataOptions options = of(dir, 2);
  options.vocabulary = 3;
  TextDataset text(options);
  text.count({0});
  CHECK(text.labels() == 3);
  CHECK(text.encode("abcd", "x") == std::vector<uint32_t>{1, 2, 0, 0});
}

TEST_CASE("folders train, validation and test are the stored split", "[data]") {
  TempDir dir;
  write_file(dir.path() / "train/a.txt", "abcabc");
  write_file(dir.path() / "val/b.txt", "abcabc");
  write_file(dir.path() / "test/c/1.txt", "abcabc");
  DataOptions options = of(dir, 2);
  options.split = "stored";
  const TextDataset text(options);
  const Splits splits = make_splits(text, options);
  CHECK(splits.train == std::vector<uint32_t>{0});
  CHECK(splits.validation == std::vector<uint32_t>{1});
  CHECK(splits.test == std::vector<uint32_t>{2});
}

TEST_CASE("what is wrong with a text is named", "[data]") {
  TempDir dir;
  CHECK(message_of(of(dir, 2)).find(": holds no text; expected a .txt file") !=
        std::string::npos);
  write_file(dir.path() / "a.txt", "ab");
  CHECK(message_of(of(dir, 2))
            .find("a has 2 characters; expected more than data.length = 2") !=
        std::string::npos);
  CHECK(message_of(of(dir, 0)).find("data.length = 0; expected") == 0);
  for (const char* bad : {"abc\xFF", "abc\xC3",
                          "ab\xC0\xAF"
                          "cc",
                          "\xED"}) {
    write_file(dir.path() / "a.txt", bad);
    CHECK(message_of(of(dir, 2)).find(" is not UTF-8 text") !=
          std::string::npos);
  }
}
