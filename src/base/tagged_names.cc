#include "base/tagged_names.h"

#include <algorithm>
#include <cstddef>

namespace reco {
namespace {

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7f && c != ',' && c != ':' && c != '"';
}

// Takes the plain characters at the front, at least one.
std::optional<std::string> TakePlain(std::string_view* rest) {
  const auto end = std::find_if_not(rest->begin(), rest->end(), IsPlain);
  std::string plain(rest->begin(), end);
  rest->remove_prefix(plain.size());
  return plain.empty() ? std::nullopt : std::optional(std::move(plain));
}

std::optional<std::string> TakeName(std::string_view* rest) {
  if (!rest->starts_with('"')) {
    return TakePlain(rest);
  }
  std::string name;
  for (std::size_t quote = rest->find('"', 1); quote != std::string_view::npos;
       quote = rest->find('"', 1)) {
    name += rest->substr(1, quote - 1);
    rest->remove_prefix(quote);
    // A second quote stands for one; it opens the next part as the first one did.
    if (!rest->substr(1).starts_with('"')) {
      rest->remove_prefix(1);
      return name;
    }
    name += '"';
    rest->remove_prefix(1);
  }
  return std::nullopt;
}

bool Take(char c, std::string_view* rest) {
  const bool there = rest->starts_with(c);
  rest->remove_prefix(there ? 1 : 0);
  return there;
}

std::string Quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    text.append(c == '"' ? 2 : 1, c);
  }
  return text + '"';
}

}  // namespace

std::optional<TaggedNames> ParseTaggedNames(std::string_view text) {
  TaggedNames names;
  for (bool more = !text.empty(); more; more = Take(',', &text)) {
    std::optional<std::string> name = TakeName(&text);
    const bool colon = Take(':', &text);
    std::optional<std::string> word = TakePlain(&text);
    if (!name || !colon || !word) {
      return std::nullopt;
    }
    names.emplace_back(std::move(*name), std::move(*word));
  }
  return text.empty() ? std::optional(std::move(names)) : std::nullopt;
}

std::string FormatTaggedNames(const TaggedNames& names) {
  std::string text;
  for (const auto& [name, word] : names) {
    text.append(text.empty() ? "" : ",");
    text += !name.empty() && std::all_of(name.begin(), name.end(), IsPlain) ? name : Quoted(name);
    text.append(":").append(word);
  }
  return text;
}

}  // namespace reco
