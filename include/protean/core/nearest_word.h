// What a misspelt word was meant to be.
#pragma once

#include <string>
#include <vector>

namespace protean {

// The known word with the fewest letters to change, add or leave out; "" when
// all differ from it in more than half its letters.
std::string nearest_word(const std::string& word,
                         const std::vector<std::string>& known);

}  // namespace protean
