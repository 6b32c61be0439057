#include "tools/admin/text_encoding.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace reco::admin {
namespace {

constexpr std::size_t kLookedAtBytes = 2'048;  // enough for a zip's first names
constexpr std::size_t kTarMagicAt = 257;
constexpr std::size_t kUnitsBytes = 131'072;  // of UTF-16 read at a time
constexpr std::uint32_t kReplacement = 0xFFFD;

constexpr const char* kPandas = "; write it as CSV: python3 -c 'import pandas as pd; pd.";

struct Signature {
  std::string_view bytes;
  const char* what;
};

// Those with a NUL inside need their length.
template <std::size_t kSize>
constexpr std::string_view Bytes(const char (&text)[kSize]) {
  return {text, kSize - 1};
}

constexpr Signature kSignatures[] = {
    {Bytes("Obj\x01"), "an Avro file; write it as JSON lines: avro-tools tojson x.avro > x.jsonl"},
    {Bytes("\xD0\xCF\x11\xE0"), "an old Excel file (xls); save it as CSV"},
    {Bytes("\xFD"
           "7zXZ"),
     "xz data; unpack it first: xz -dc FILE | reco-admin import KEY - ..."},
    {Bytes("7z\xBC\xAF\x27\x1C"), "a 7z archive; unpack it first: 7z x FILE"},
    {Bytes("SQLite format 3\0"),
     "a SQLite database; write a table as CSV: sqlite3 -header -csv FILE 'select * from t'"},
    {Bytes("\xFF\xFE\0\0"), "UTF-32; convert it: iconv -f UTF-32 -t UTF-8 FILE"},
    {Bytes("\0\0\xFE\xFF"), "UTF-32; convert it: iconv -f UTF-32 -t UTF-8 FILE"},
};

void AppendUtf8(std::uint32_t point, std::string* out) {
  const auto add = [out](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0U | (point >> 6U));
    add(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  } else {
    add(0xF0U | (point >> 18U));
    add(0x80U | ((point >> 12U) & 0x3FU));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  }
}

// UTF-16 behind its mark, as UTF-8. Confined to one thread.
class Utf16Source final : public ByteSource {
 public:
  Utf16Source(std::unique_ptr<ByteSource> source, bool is_big_endian)
      : source_(std::move(source)), is_big_endian_(is_big_endian), units_(kUnitsBytes) {}

  double Fraction() const override { return source_->Fraction(); }

  Result<std::size_t> Read(char* out, std::size_t size) override {
    while (at_ == text_.size() && !ended_) {
      RECO_RETURN_IF_ERROR(Decode());
    }
    const std::size_t count = std::min(size, text_.size() - at_);
    std::memcpy(out, text_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  Status Decode() {
    text_.clear();
    at_ = 0;
    RECO_ASSIGN_OR_RETURN(const std::size_t count,
                          source_->Read(units_.data() + kept_, units_.size() - kept_));
    if (count == 0) {
      ended_ = true;
      if (kept_ > 0) {
        return Status::Corruption("the UTF-16 text ends within a character");
      }
      FlushHigh();
      return Status::Ok();
    }
    const std::size_t bytes = kept_ + count;
    for (std::size_t i = 0; i + 1 < bytes; i += 2) {
      AppendUnit(UnitAt(i));
    }
    kept_ = bytes % 2;
    units_[0] = units_[bytes - 1];
    return Status::Ok();
  }

  std::uint32_t UnitAt(std::size_t i) const {
    const std::uint32_t first = static_cast<unsigned char>(units_[i]);
    const std::uint32_t second = static_cast<unsigned char>(units_[i + 1]);
    return is_big_endian_ ? (first << 8U) | second : (second << 8U) | first;
  }

  void AppendUnit(std::uint32_t unit) {
    const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (high_ != 0 && is_low) {
      AppendUtf8(0x10000 + ((high_ - 0xD800) << 10U) + (unit - 0xDC00), &text_);
      high_ = 0;
      return;
    }
    FlushHigh();
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      high_ = unit;
    } else {
      AppendUtf8(is_low ? kReplacement : unit, &text_);
    }
  }

  // The first half of a pair whose second never came.
  void FlushHigh() {
    if (high_ != 0) {
      AppendUtf8(kReplacement, &text_);
      high_ = 0;
    }
  }

  const std::unique_ptr<ByteSource> source_;
  const bool is_big_endian_;
  std::vector<char> units_;
  std::size_t kept_ = 0;    // an odd byte at the front of units_
  std::uint32_t high_ = 0;  // the first half of a pair, 0: none
  std::string text_;        // decoded
  std::size_t at_ = 0;      // in text_
  bool ended_ = false;
};

std::string WhatZipItIs(std::string_view start) {
  const auto has = [start](std::string_view name) {
    return start.find(name) != std::string_view::npos;
  };
  if (has("opendocument.spreadsheet")) {
    return "a spreadsheet (ods); save it as CSV";
  }
  if (has("[Content_Types].xml") || has("xl/")) {
    return std::string("an Excel file (xlsx)") + kPandas +
           "read_excel(\"x.xlsx\").to_csv(\"x.csv\", index=False)'";
  }
  return "a zip archive; unpack it first: unzip -p FILE | reco-admin import KEY - ...";
}

}  // namespace

std::string WhatItIs(std::string_view start) {
  if (start.substr(0, 4) == "PAR1") {
    return std::string("a Parquet file") + kPandas +
           "read_parquet(\"x.parquet\").to_csv(\"x.csv\", index=False)'";
  }
  if (start.substr(0, 4) == "PK\x03\x04" || start.substr(0, 4) == "PK\x05\x06") {
    return WhatZipItIs(start);
  }
  if (start.size() > kTarMagicAt && start.substr(kTarMagicAt, 5) == "ustar") {
    return "a tar archive; unpack it first: tar -xOf FILE NAME | reco-admin import KEY - ...";
  }
  for (const Signature& signature : kSignatures) {
    if (start.substr(0, signature.bytes.size()) == signature.bytes) {
      return signature.what;
    }
  }
  return {};
}

Result<std::unique_ptr<ByteSource>> DecodedText(std::unique_ptr<ByteSource> source) {
  RECO_ASSIGN_OR_RETURN(std::string start, ReadStart(*source, kLookedAtBytes));
  if (const std::string what = WhatItIs(start); !what.empty()) {
    return Status::InvalidArgument("this is " + what);
  }
  const bool is_little = start.substr(0, 2) == "\xFF\xFE";
  const bool is_big = start.substr(0, 2) == "\xFE\xFF";
  if (!is_little && !is_big) {
    return PutBack(std::move(start), std::move(source));
  }
  source = PutBack(start.substr(2), std::move(source));
  return std::unique_ptr<ByteSource>(std::make_unique<Utf16Source>(std::move(source), is_big));
}

}  // namespace reco::admin
