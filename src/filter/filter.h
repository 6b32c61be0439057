// Filter: an expression over the attributes of one record, compiled. The language is in
// doc/filters.md; AttributeColumns (attribute_columns.h) evaluates.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reco/result.h"

#include "filter/program.h"

namespace reco::filter {

inline constexpr std::size_t kFilterBytesMax = 4096;
inline constexpr std::size_t kFilterTokensMax = 1024;  // each bracket, comma and operator is one
inline constexpr std::size_t kFilterNestingMax = 64;  // of parentheses, `not` and the right of `**`
inline constexpr std::size_t kFilterFieldsMax = 64;   // distinct

// Immutable.
class Filter {
 public:
  // Compiles `text`. kInvalidArgument when it is no expression or passes a bound: one line of
  // printable ASCII that says what was expected, at which byte (counted from 1), and shows the text
  // about there with a ^ before that byte:
  //   filter: expected a value at byte 18: .year > 1990 and ^)
  static Result<std::shared_ptr<const Filter>> Compile(std::string_view text);

  const std::string& text() const { return text_; }
  // The distinct names of the fields it reads. A record without one of them does not match.
  std::span<const std::string> fields() const { return program_.fields; }
  const Program& program() const { return program_; }

 private:
  Filter(std::string_view text, Program program) : text_(text), program_(std::move(program)) {}

  std::string text_;
  Program program_;
};

}  // namespace reco::filter
