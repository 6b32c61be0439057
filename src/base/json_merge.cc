#include "base/json_merge.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/hash_index.h"

namespace reco {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct Member;

// A value as it stands in its text. Only objects are taken apart: what is in an array is kept or
// replaced with it.
struct Value {
  std::string_view text;
  bool is_object = false;
  std::vector<Member> members;
};

struct Member {
  std::string_view name;       // unescaped
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

// Takes a well-formed text apart, in one pass. What it returns borrows from the text and from it.
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

  void SkipSpace() {
    while (IsSpace(Front())) {
      ++at_;
    }
  }

  void ReadMembers(std::vector<Member>* members) {
    ++at_;
    SkipSpace();
    while (Front() == '"') {
      Member& member = members->emplace_back();
      const std::size_t begin = at_;
      SkipString();
      member.name_text = text_.substr(begin, at_ - begin);
      member.name = NameOf(member.name_text.substr(1, member.name_text.size() - 2));
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

  // Most names hold no escape and are their own text.
  std::string_view NameOf(std::string_view inside) {
    return inside.find('\\') == std::string_view::npos ? inside
                                                       : unescaped_.emplace_back(Unescaped(inside));
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

  void SkipWord() {
    while (at_ < text_.size() && !IsSpace(Front()) && Front() != ',' && Front() != '}') {
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::deque<std::string> unescaped_;  // they stay where they are
};

// What target and patch have under one name; null: nothing.
struct Slot {
  const Member* old = nullptr;
  const Member* patch = nullptr;
};

// Returns the members of both by name, the target's first. Sorted by a hash of the names rather
// than looked up by it: names that were chosen to collide cost no more than a sort by name.
std::vector<Slot> Match(const std::vector<Member>& target, const std::vector<Member>& patch) {
  struct Entry {
    std::uint32_t tag;
    std::uint32_t place;  // in target, then in patch
  };
  const auto member_at = [&](std::uint32_t place) -> const Member& {
    return place < target.size() ? target[place] : patch[place - target.size()];
  };
  std::vector<Entry> entries(target.size() + patch.size());
  for (std::uint32_t place = 0; place < entries.size(); ++place) {
    entries[place] = {HashTag(member_at(place).name, kHashSeed), place};
  }
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    if (a.tag != b.tag) {
      return a.tag < b.tag;
    }
    const int order = member_at(a.place).name.compare(member_at(b.place).name);
    return order != 0 ? order < 0 : a.place < b.place;
  });
  // A slot at the place of the first member of each name.
  std::vector<Slot> slots(entries.size());
  Slot* slot = nullptr;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Member& member = member_at(entries[i].place);
    if (i == 0 || entries[i].tag != entries[i - 1].tag ||
        member.name != member_at(entries[i - 1].place).name) {
      slot = &slots[entries[i].place];
    }
    (entries[i].place < target.size() ? slot->old : slot->patch) = &member;
  }
  std::erase_if(slots, [](const Slot& one) { return one.old == nullptr && one.patch == nullptr; });
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
  Reader target_reader(target);
  Reader patch_reader(patch);
  const Value old = target_reader.Read();
  const Value change = patch_reader.Read();
  std::string merged;
  merged.reserve(target.size() + patch.size());
  AppendMerged(&old, change, &merged);
  return merged;
}

}  // namespace reco
