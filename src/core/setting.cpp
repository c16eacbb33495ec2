#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/settings.h"

namespace protean {
namespace {

template <typename... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

template <typename T>
std::string number_text(T value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

template <typename T>
void read_number(const std::string& text, T& field, const char* expected) {
  T value{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument(expected);
  field = value;
}

constexpr const char* kAnyNumber = "a number";
constexpr const char* kWhole = "a whole number";
constexpr const char* kNatural = "a whole number, 0 or above";
constexpr const char* kTruth = "true or false";

void read_truth(const std::string& text, bool& field) {
  if (text == "true" || text == "on" || text == "yes" || text == "1")
    field = true;
  else if (text == "false" || text == "off" || text == "no" || text == "0")
    field = false;
  else
    throw std::invalid_argument(kTruth);
}

}  // namespace

Setting::Setting(std::string key, Field field)
    : key_(std::move(key)), field_(field) {
  standard_ = value();
}

Setting& Setting::says(std::string text) {
  help_ = std::move(text);
  return *this;
}
Setting& Setting::when(std::string text) {
  advice_ = std::move(text);
  return *this;
}
Setting& Setting::at_least(double least) {
  least_ = least;
  return *this;
}
Setting& Setting::above(double least) {
  open_least_ = true;
  return at_least(least);
}
Setting& Setting::within(double least, double most) {
  most_ = most;
  return at_least(least);
}
Setting& Setting::below(double most) {
  most_ = most;
  open_most_ = true;
  return *this;
}
Setting& Setting::one_of(std::vector<std::string> names) {
  choices_ = std::move(names);
  return *this;
}
Setting& Setting::also_called(std::vector<std::string> names) {
  aliases_ = std::move(names);
  return *this;
}
Setting& Setting::resumes(Resume policy) {
  resume_ = policy;
  return *this;
}
Setting& Setting::only_with(std::string key, std::vector<std::string> values) {
  conditions_.push_back({std::move(key), std::move(values), "", {}, false});
  return *this;
}
Setting& Setting::only_if(std::string key, std::string text, Holds holds) {
  conditions_.push_back(
      {std::move(key), {}, std::move(text), std::move(holds), false});
  return *this;
}

std::string Setting::section() const { return key_.substr(0, key_.find('.')); }
std::string Setting::word() const { return key_.substr(key_.find('.') + 1); }

std::string Setting::kind() const {
  return std::visit(
      Match{[](const std::string*) { return "text"; },
            [](const bool*) { return kTruth; },
            [](const double*) { return kAnyNumber; },
            [](const auto* number) {
              return std::is_unsigned_v<std::decay_t<decltype(*number)>>
                         ? kNatural
                         : kWhole;
            }},
      field_);
}

std::string Setting::range() const {
  if (!choices_.empty()) return "one of: " + joined(choices_);
  const bool low = std::isfinite(least_), high = std::isfinite(most_);
  const auto number = [](double v) { return number_text(v); };
  if (low && high) {
    if (!open_least_ && !open_most_)
      return number(least_) + " to " + number(most_);
    return concat("a value in ", open_least_ ? "(" : "[", number(least_), ", ",
                  number(most_), open_most_ ? ")" : "]");
  }
  if (low)
    return (open_least_ ? "a value above " : "at least ") + number(least_);
  if (high) return (open_most_ ? "below " : "at most ") + number(most_);
  return "";
}

std::string Setting::value() const {
  return std::visit(
      Match{[](const std::string* s) { return *s; },
            [](const bool* b) { return std::string(*b ? "true" : "false"); },
            [](const auto* number) { return number_text(*number); }},
      field_);
}

std::string Setting::shown() const {
  const bool text = std::holds_alternative<std::string*>(field_);
  return text ? '"' + value() + '"' : value();
}

void Setting::set(const std::string& text) const {
  std::visit(Match{[&](std::string* s) { *s = text; },
                   [&](bool* b) { read_truth(text, *b); },
                   [&](double* d) { read_number(text, *d, kAnyNumber); },
                   [&](auto* number) {
                     using T = std::decay_t<decltype(*number)>;
                     read_number(text, *number,
                                 std::is_unsigned_v<T> ? kNatural : kWhole);
                   }},
             field_);
}

void Setting::check() const {
  bool good = true;
  if (!choices_.empty())
    good =
        std::find(choices_.begin(), choices_.end(), value()) != choices_.end();
  else
    std::visit(Match{[](const std::string*) {}, [](const bool*) {},
                     [&](const auto* number) {
                       const auto v = static_cast<double>(*number);
                       // Written so that NaN is never good.
                       const bool low = open_least_ ? v > least_ : v >= least_;
                       const bool high = open_most_ ? v < most_ : v <= most_;
                       good = low && high && std::isfinite(v);
                     }},
               field_);
  if (!good)
    throw ConfigError(concat(key_, " = ", shown(), "; expected ",
                             range().empty() ? kind() : range()));
}

}  // namespace protean
