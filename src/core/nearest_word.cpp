#include "protean/core/nearest_word.h"

#include <algorithm>
#include <cstddef>

namespace protean {
namespace {

// Levenshtein's distance, one row of its table at a time.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min(
          {above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_word(const std::string& word,
                         const std::vector<std::string>& known) {
  std::string nearest;
  size_t best = word.size() / 2 + 2;
  for (const auto& k : known)
    if (const size_t d = edit_distance(word, k); d < best) {
      best = d;
      nearest = k;
    }
  return nearest;
}

}  // namespace protean
