#include "base/json_merge.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace reco {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

struct Member;

// A value as it stands in its text. Only objects are taken apart: what is in an array is kept or
// replaced with it.
struct Value {
  std::string_view text;
  bool is_object = false;
  std::vector<Member> members;
};

struct Member {
  std::string name;            // unescaped
  std::string_view name_text;  // in its quotes
  std::string_view text;       // from the name to the end of the value
  Value value;
};

std::uint32_t HexOf(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    value = value * 16 + digit;
  }
  return value;
}

void AppendUtf8(std::uint32_t code, std::string* out) {
  const auto add = [out](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6U);
    add(0x80 | (code & 0x3fU));
  } else if (code < 0x10000) {
    add(0xe0 | code >> 12U);
    add(0x80 | (code >> 6U & 0x3fU));
    add(0x80 | (code & 0x3fU));
  } else {
    add(0xf0 | code >> 18U);
    add(0x80 | (code >> 12U & 0x3fU));
    add(0x80 | (code >> 6U & 0x3fU));
    add(0x80 | (code & 0x3fU));
  }
}

// Takes the four digits behind "\u", and a second escape where both are one character.
std::uint32_t TakeCode(std::string_view* rest) {
  constexpr std::size_t kDigits = 4;
  constexpr std::size_t kPairBytes = 10;  // XXXX\uXXXX
  const std::uint32_t first = HexOf(rest->substr(0, kDigits));
  if (first >= 0xd800 && first < 0xdc00 && rest->size() >= kPairBytes &&
      rest->substr(kDigits, 2) == "\\u") {
    const std::uint32_t second = HexOf(rest->substr(kDigits + 2, kDigits));
    if (second >= 0xdc00 && second < 0xe000) {
      rest->remove_prefix(kPairBytes);
      return 0x10000 + ((first - 0xd800) << 10U) + (second - 0xdc00);
    }
  }
  rest->remove_prefix(kDigits);
  return first;  // half a pair keeps its number, so that it equals itself alone
}

// Returns the characters that stand between the quotes.
std::string Unescaped(std::string_view inside) {
  constexpr std::string_view kLetters = "bfnrt";
  constexpr std::string_view kControls = "\b\f\n\r\t";
  std::string out;
  while (!inside.empty()) {
    const std::size_t plain = inside.find('\\');
    out += inside.substr(0, plain);
    if (plain == std::string_view::npos) {
      break;
    }
    const char escape = inside[plain + 1];
    inside.remove_prefix(plain + 2);
    if (escape == 'u') {
      AppendUtf8(TakeCode(&inside), &out);
    } else {
      const std::size_t letter = kLetters.find(escape);
      out += letter == std::string_view::npos ? escape : kControls[letter];
    }
  }
  return out;
}

// Takes a well-formed text apart, in one pass.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Value Read() {
    SkipSpace();
    const std::size_t begin = at_;
    Value value;
    switch (Front()) {
      case '{':
        value.is_object = true;
        ReadMembers(&value.members);
        break;
      case '[':
        SkipArray();
        break;
      case '"':
        SkipString();
        break;
      default:
        SkipWord();
    }
    value.text = text_.substr(begin, at_ - begin);
    return value;
  }

 private:
  char Front() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() { at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size()); }

  void ReadMembers(std::vector<Member>* members) {
    ++at_;
    SkipSpace();
    while (Front() == '"') {
      Member& member = members->emplace_back();
      const std::size_t begin = at_;
      SkipString();
      member.name_text = text_.substr(begin, at_ - begin);
      member.name = Unescaped(member.name_text.substr(1, member.name_text.size() - 2));
      SkipSpace();
      ++at_;  // the colon
      member.value = Read();
      member.text = text_.substr(begin, at_ - begin);
      SkipSpace();
      if (Front() == ',') {
        ++at_;
        SkipSpace();
      }
    }
    ++at_;
  }

  void SkipArray() {
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        SkipString();
        continue;
      }
      ++at_;
      if (c == '[') {
        ++depth;
      } else if (c == ']') {
        --depth;
      }
    } while (depth > 0);
  }

  void SkipString() {
    ++at_;
    while (text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    ++at_;
  }

  void SkipWord() { at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size()); }

  std::string_view text_;
  std::size_t at_ = 0;
};

// What target and patch have under one name; null: nothing.
struct Slot {
  const Member* old = nullptr;
  const Member* patch = nullptr;
};

// Returns the members of both by name, the target's first.
std::vector<Slot> Match(const std::vector<Member>& target, const std::vector<Member>& patch) {
  std::vector<Slot> slots;
  // Ordered: a hash could be made to collide by who chooses the names.
  std::map<std::string_view, std::size_t> places;
  const auto slot_of = [&](const Member& member) -> Slot& {
    const auto [at, added] = places.try_emplace(member.name, slots.size());
    if (added) {
      slots.emplace_back();
    }
    return slots[at->second];
  };
  for (const Member& member : target) {
    slot_of(member).old = &member;
  }
  for (const Member& member : patch) {
    slot_of(member).patch = &member;
  }
  return slots;
}

// Appends what the patch makes of `target`; null: of nothing.
void AppendMerged(const Value* target, const Value& patch, std::string* out) {
  if (!patch.is_object) {
    out->append(patch.text);
    return;
  }
  static const std::vector<Member> kNone;
  // What is no object is replaced by one.
  const std::vector<Member>& members =
      target != nullptr && target->is_object ? target->members : kNone;
  out->push_back('{');
  const std::size_t begin = out->size();
  for (const Slot& slot : Match(members, patch.members)) {
    if (slot.patch != nullptr && slot.patch->value.text == "null") {
      continue;
    }
    if (out->size() > begin) {
      out->push_back(',');
    }
    if (slot.patch == nullptr) {
      out->append(slot.old->text);
      continue;
    }
    out->append((slot.old != nullptr ? slot.old : slot.patch)->name_text).push_back(':');
    AppendMerged(slot.old != nullptr ? &slot.old->value : nullptr, slot.patch->value, out);
  }
  out->push_back('}');
}

}  // namespace

std::string MergeJson(std::string_view target, std::string_view patch) {
  const Value old = Reader(target).Read();
  std::string merged;
  merged.reserve(target.size() + patch.size());
  AppendMerged(&old, Reader(patch).Read(), &merged);
  return merged;
}

}  // namespace reco
