// Arguments: reads the words of one command in order and remembers the first thing that is wrong
// with them, so that a handler reads everything, tests once, and then calls the engine.
//
//   Arguments words(context.args);
//   const KeyRef key = context.Key(words.Word());
//   const std::string_view user = words.Id("user");
//   while (words.left() > 0) {
//     if (words.Option("COUNT")) {
//       count = words.Integer("COUNT", 1, 100);
//     } else {
//       words.FailSyntax();
//     }
//   }
//   if (words.Reject(context.reply)) {
//     return;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/protocol/reply.h"
#include "api/protocol/words.h"

namespace reco::api {

using ParameterList = std::vector<std::pair<std::string, std::string>>;

// Confined to one handler. After the first failure every call is harmless: reads answer empty
// values and left() is 0. The words are borrowed, and so is what the reads return.
class Arguments {
 public:
  // Reads from behind the first `skip` words: the command's name and its subcommand's.
  explicit Arguments(std::span<const std::string_view> words, std::size_t skip = 1)
      : words_(words), next_(skip) {}

  bool failed() const { return failed_; }
  // Returns the number of words not read yet.
  std::size_t left() const { return failed_ ? 0 : words_.size() - next_; }
  // Returns the next word without reading it; empty at the end.
  std::string_view Peek() const { return left() > 0 ? words_[next_] : std::string_view(); }

  // The reads below take one word; at the end of the words they fail with a syntax error. `name`
  // is what the error calls the value.

  std::string_view Word();
  // Reads an id of 1 to kIdBytesMax bytes.
  std::string_view Id(std::string_view name);
  // Reads 1 to `bytes_max` bytes.
  std::string_view Text(std::string_view name, std::size_t bytes_max);
  std::int64_t Integer(std::string_view name, std::int64_t low, std::int64_t high);
  double Double(std::string_view name, double low, double high);
  std::uint64_t Cursor();

  // Takes the next word when it is `keyword` in any case.
  bool Keyword(std::string_view keyword);
  // Takes an option that may stand only once: a second one is a syntax error.
  bool Option(std::string_view keyword);

  // The names that errors use for the ids of a list, and how many there may be.
  struct IdList {
    std::string_view count;  // their number
    std::string_view id;
    std::size_t ids_max;
  };
  // Reads "n id ...": n ids, 1 to ids_max.
  std::vector<std::string_view> CountedIds(const IdList& list);
  // Reads "n id ..." of items, 1 to kBasketItemsMax; errors call the number `name`.
  std::vector<std::string_view> CountedIds(std::string_view name);
  // Reads all words left, each an id.
  std::vector<std::string_view> RemainingIds(std::string_view name);
  // Reads all words left, each an id, at most ids_max of them.
  std::vector<std::string_view> RemainingIds(const IdList& list);
  // Reads "name value" and appends it with the name in lower case up to its first '.', because what
  // follows is a name of the user's ("type.Purchase"). A repeated name is a syntax error.
  void Parameter(ParameterList* parameters);
  // Reads the value of the parameter `name`.
  void Parameter(std::string name, ParameterList* parameters);

  // Records an error, "ERR " + `message`, unless there is one already.
  void Fail(std::string_view message);
  void FailSyntax() { Fail("syntax error"); }
  // Answers the recorded error. Returns false when there is none.
  bool Reject(Reply& reply) const;

 private:
  std::span<const std::string_view> words_;
  std::size_t next_;
  std::vector<std::string_view> options_seen_;
  bool failed_ = false;
  std::string error_;
};

}  // namespace reco::api
