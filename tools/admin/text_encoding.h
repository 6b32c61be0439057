// Encodings of inputs: UTF-16 becomes UTF-8, and files that are no text are refused by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "reco/result.h"

#include "tools/admin/byte_source.h"

namespace reco::admin {

// Returns a source of UTF-8 for a source that begins with a byte order mark of UTF-16; any other is
// handed through as it is, its own mark included. Half of a surrogate pair becomes U+FFFD, so that
// a title which was cut within a character costs no more than that character.
//
// kInvalidArgument: the source is no text, see WhatItIs. Read answers kCorruption for UTF-16 of an
// odd number of bytes.
Result<std::unique_ptr<ByteSource>> DecodedText(std::unique_ptr<ByteSource> source);

// Returns what a file that begins with `start` is and what to do about it, or "" for one that may
// be text: Parquet, Avro, xlsx, xls, zip, tar, xz, 7z, SQLite, UTF-32.
std::string WhatItIs(std::string_view start);

}  // namespace reco::admin
