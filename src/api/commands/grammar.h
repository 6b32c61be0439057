// Options of commands as rows of a table (D33). A row says how an option is written, what may stand
// behind it, where its value goes, what it means and which commands have it; the reader of a
// request, COMMAND DOCS, doc/commands.md and the choice of a worker all come from the row.
//
//   using Row = OptionsOf<Request>;
//   inline constexpr std::array kOptions = {
//       Row::Integer<&Request::count>({"COUNT", "count", "entries of the page"}, 1, kCountMax),
//       Row::Flag<&Request::with_scores>({"WITHSCORES", "withscores", "the score of each"}),
//   };
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "reco/types.h"

#include "api/commands/arguments.h"
#include "api/commands/command.h"

namespace reco::api {

// The texts of a row: its keyword, the name of its value, and the meaning.
struct OptionText {
  std::string_view token;
  std::string_view name;
  std::string_view doc;
};

template <typename Request>
struct Option {
  ArgumentSpec argument;
  std::string_view doc;
  // Takes what stands behind the keyword.
  void (*read)(const Option& option, Arguments& words, Request* request);
  double min = 0;  // of a number, inclusive, as is `max`
  double max = 0;
  std::uint32_t commands = ~0U;  // bits of those that have it, where several share a table
  // Returns true iff a request that has the option, read into it, belongs on a worker. Null: it
  // does not.
  bool (*slow)(const Request& request) = nullptr;

  constexpr Option For(std::uint32_t bits) const {
    Option option = *this;
    option.commands = bits;
    return option;
  }
  constexpr Option Required() const {
    Option option = *this;
    option.argument.optional = false;
    return option;
  }
  constexpr Option SlowWhen(bool (*predicate)(const Request& request)) const {
    Option option = *this;
    option.slow = predicate;
    return option;
  }
};

// The type of a value that a field takes.
template <typename Field>
struct ValueOf {
  using Type = Field;
};
template <typename Value>
struct ValueOf<std::optional<Value>> {
  using Type = Value;
};

// Makes rows. kField is a pointer to the member of Request, or of a base, that the value goes to.
template <typename Request>
struct OptionsOf {
  using Row = Option<Request>;
  using Read = void (*)(const Row& option, Arguments& words, Request* request);

  // Makes a row of any words behind the keyword, as `argument` shows them.
  static constexpr Row Custom(ArgumentSpec argument, std::string_view doc, Read read) {
    argument.optional = true;
    return {.argument = argument, .doc = doc, .read = read};
  }

  template <auto kField>
  static constexpr Row Flag(const OptionText& text) {
    return Custom({.name = text.name, .type = "pure-token", .token = text.token}, text.doc,
                  [](const Row&, Arguments&, Request* request) { request->*kField = true; });
  }

  template <auto kField>
  static constexpr Row Integer(const OptionText& text, std::int64_t min, std::int64_t max,
                               std::string_view type = "integer") {
    return WithRange(Custom({.name = text.name, .type = type, .token = text.token}, text.doc,
                            [](const Row& option, Arguments& words, Request* request) {
                              Store<kField>(request,
                                            words.Integer(option.argument.token,
                                                          static_cast<std::int64_t>(option.min),
                                                          static_cast<std::int64_t>(option.max)));
                            }),
                     static_cast<double>(min), static_cast<double>(max));
  }

  // Makes a row of a time in milliseconds since the Unix epoch.
  template <auto kField>
  static constexpr Row Time(const OptionText& text) {
    return Integer<kField>(text, 0, kTimeMsMax, "unix-time");
  }

  template <auto kField>
  static constexpr Row Double(const OptionText& text, double min, double max) {
    return WithRange(Custom({.name = text.name, .type = "double", .token = text.token}, text.doc,
                            [](const Row& option, Arguments& words, Request* request) {
                              Store<kField>(request, words.Double(option.argument.token, option.min,
                                                                  option.max));
                            }),
                     min, max);
  }

  // Makes a row of a text of 1 to bytes_max bytes.
  template <auto kField>
  static constexpr Row Text(const OptionText& text, std::size_t bytes_max) {
    return WithRange(Custom({.name = text.name, .type = "string", .token = text.token}, text.doc,
                            [](const Row& option, Arguments& words, Request* request) {
                              Store<kField>(request,
                                            words.Text(option.argument.token,
                                                       static_cast<std::size_t>(option.max)));
                            }),
                     1, static_cast<double>(bytes_max));
  }

  // Makes a row of one of the keywords in `choices`; the field is an enumeration with their
  // numbers.
  template <auto kField, const auto& kChoices>
  static constexpr Row OneOf(const OptionText& text) {
    return Custom({.name = text.name, .type = "oneof", .token = text.token, .arguments = kChoices},
                  text.doc, [](const Row& option, Arguments& words, Request* request) {
                    std::size_t chosen = 0;
                    while (chosen < option.argument.arguments.size() &&
                           !words.Keyword(option.argument.arguments[chosen].token)) {
                      ++chosen;
                    }
                    if (chosen == option.argument.arguments.size()) {
                      words.FailSyntax();
                    } else {
                      Store<kField>(request, chosen);
                    }
                  });
  }

 private:
  static constexpr Row WithRange(Row row, double min, double max) {
    row.min = min;
    row.max = max;
    return row;
  }

  template <auto kField, typename Value>
  static void Store(Request* request, Value value) {
    auto& field = request->*kField;
    field = static_cast<typename ValueOf<std::remove_reference_t<decltype(field)>>::Type>(value);
  }
};

// Reads the options of `command` (a bit of Option::commands) up to the end of the words. Fails at a
// word that is none of them and at an option that comes twice.
template <typename Request>
void ReadOptions(std::span<const Option<Request>> options, std::uint32_t command, Arguments& words,
                 Request* request) {
  while (words.left() > 0) {
    const auto row = std::ranges::find_if(options, [&](const Option<Request>& option) {
      return (option.commands & command) != 0 &&
             EqualsIgnoreCase(option.argument.token, words.Peek());
    });
    if (row == options.end()) {
      words.FailSyntax();
    } else if (words.Option(row->argument.token)) {
      row->read(*row, words, request);
    }
  }
}

inline constexpr std::array<ArgumentSpec, 0> kNoArguments = {};

// Returns the arguments of `kCommand`: what stands in front, then its options, in the order of the
// table.
template <std::uint32_t kCommand, const auto& kFront, const auto& kOptions>
constexpr auto ArgumentsOf() {
  constexpr auto kHas = [](const auto& option) { return (option.commands & kCommand) != 0; };
  constexpr auto kSize = std::size(kFront) + static_cast<std::size_t>(std::count_if(
                                                 kOptions.begin(), kOptions.end(), kHas));
  std::array<ArgumentSpec, kSize> all{};
  auto end = std::copy(std::begin(kFront), std::end(kFront), all.begin());
  for (const auto& option : kOptions) {
    if (kHas(option)) {
      *end++ = option.argument;
    }
  }
  return all;
}

}  // namespace reco::api
