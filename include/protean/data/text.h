// Text as tasks: one author, language or user per file (or folder of files).
//
// Every text is cut into pieces of data.length characters, end to end; the
// label of a character is the one that follows it. Characters are Unicode code
// points of UTF-8 text. The vocabulary is the most frequent ones of the
// training texts, ties to the lower code point; number 0 stands for every other
// one.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "protean/data/labelled.h"
#include "protean/data/options.h"

namespace protean {

class TextDataset : public LabelledDataset {
 public:
  // data.path: a folder with a .txt file, or a folder of .txt files, per task;
  // below folders train, validation and test, which then are the stored split,
  // or not. Throws DataError naming the file that is missing, too short or not
  // UTF-8, ConfigError naming the key.
  explicit TextDataset(const DataOptions& options);

  // Takes the vocabulary from these tasks, from all where there are none; that
  // of a stored run stays. Once, before anything is read.
  void count(const std::vector<uint32_t>& tasks);

  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(tasks_.size());
  }
  // Pieces.
  uint32_t size(uint32_t task) const override;
  std::string class_name(uint32_t task) const override {
    return tasks_.at(task).name;
  }
  std::string group(uint32_t) const override { return ""; }
  std::string split(uint32_t task) const override {
    return tasks_.at(task).split;
  }
  // Numbers of data.length characters.
  void read(uint32_t task, uint32_t piece, float* out) const override;
  std::string checksum() const override { return checksum_; }

  TargetKind target() const override { return TargetKind::classes; }
  int64_t target_size() const override { return length_; }
  uint32_t labels() const override {
    return static_cast<uint32_t>(characters_.size());
  }
  // The character after each of read()'s.
  void read_target(uint32_t task, uint32_t piece, int64_t* label,
                   float* value) const override;
  // The vocabulary.
  nlohmann::json fitted() const override;

  int64_t length() const { return length_; }
  // Throws DataError naming `origin` unless the text is UTF-8.
  std::vector<uint32_t> encode(const std::string& text,
                               const std::string& origin) const;
  // Numbers to UTF-8; other characters become U+FFFD.
  std::string decode(const std::vector<uint32_t>& numbers) const;

 private:
  struct Task {
    std::string name, split;
    std::u32string text;            // until count()
    std::vector<uint32_t> numbers;  // from then on
  };
  void number_characters();
  std::vector<Task> tasks_;           // by name
  std::vector<char32_t> characters_;  // by number
  std::unordered_map<char32_t, uint32_t> number_;
  int64_t length_ = 0;
  uint32_t most_ = 0;  // characters, number 0 among them
  std::vector<int64_t> shape_;
  std::string checksum_;
};

}  // namespace protean
