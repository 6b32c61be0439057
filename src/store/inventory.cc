#include "store/inventory.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include <rocksdb/env.h>

#include "base/crc32c.h"
#include "store/rocksdb_status.h"

namespace reco::store {
namespace {

constexpr std::string_view kTitle = "reco-inventory ";
constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kManifest = "manifest";
constexpr std::string_view kLog = "log";
constexpr std::string_view kChecksum = "crc32c ";
constexpr std::size_t kChecksumLine = kChecksum.size() + 8 + 1;  // hex, line end
constexpr std::string_view kTemporaryEnding = ".tmp";

std::string ChecksumLine(std::string_view text) {
  std::array<char, kChecksumLine + 1> line{};
  std::snprintf(line.data(), line.size(), "crc32c %08x\n", Crc32c(text));
  return line.data();
}

// Takes what is in front of `end` off `text`; nullopt when there is no `end`.
std::optional<std::string_view> TakeUntil(char end, std::string_view* text) {
  const std::size_t at = text->find(end);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view taken = text->substr(0, at);
  text->remove_prefix(at + 1);
  return taken;
}

std::optional<std::uint64_t> NumberOf(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && stop == end && !digits.empty() ? std::optional(number)
                                                                : std::nullopt;
}

}  // namespace

std::string EncodeInventory(const Inventory& inventory) {
  std::string text(kTitle);
  text.append(std::to_string(kVersion)).append("\n");
  const auto line = [&text](std::string_view what, std::uint64_t number, std::uint64_t bytes) {
    text.append(what).append(" ").append(std::to_string(number));
    text.append(" ").append(std::to_string(bytes)).append("\n");
  };
  line(kManifest, inventory.manifest, inventory.manifest_bytes);
  for (const auto& [number, bytes] : inventory.log_bytes) {
    line(kLog, number, bytes);
  }
  return text + ChecksumLine(text);
}

Result<Inventory> DecodeInventory(std::string_view text) {
  const Status damaged = Status::Corruption("the inventory is damaged");
  if (text.size() < kChecksumLine ||
      text.substr(text.size() - kChecksumLine) !=
          ChecksumLine(text.substr(0, text.size() - kChecksumLine))) {
    return damaged;
  }
  text.remove_suffix(kChecksumLine);
  const std::optional<std::string_view> title = TakeUntil('\n', &text);
  if (!title || !title->starts_with(kTitle)) {
    return damaged;
  }
  if (title->substr(kTitle.size()) != std::to_string(kVersion)) {
    return Status::FailedPrecondition("written by a newer version");
  }
  Inventory inventory;
  while (std::optional<std::string_view> line = TakeUntil('\n', &text)) {
    const std::string_view what = TakeUntil(' ', &*line).value_or("");
    const std::optional<std::uint64_t> number = NumberOf(TakeUntil(' ', &*line).value_or(""));
    const std::optional<std::uint64_t> bytes = NumberOf(*line);
    if (!number || !bytes || (what != kManifest && what != kLog)) {
      return damaged;
    }
    if (what == kManifest) {
      inventory.manifest = *number;
      inventory.manifest_bytes = *bytes;
    } else {
      inventory.log_bytes[*number] = *bytes;
    }
  }
  return inventory;
}

Result<Inventory> ReadInventory(rocksdb::Env& env, const std::string& path) {
  const std::string file = std::string(path).append("/").append(kInventoryName);
  if (env.FileExists(file).IsNotFound()) {
    return Status::NotFound(file);
  }
  std::string text;
  RECO_RETURN_IF_ERROR(ToStatus(rocksdb::ReadFileToString(&env, file, &text), "read " + file));
  Result<Inventory> inventory = DecodeInventory(text);
  if (!inventory.ok()) {
    return Status(inventory.status().code(),
                  file + ": " + std::string(inventory.status().message()));
  }
  return inventory;
}

Status WriteInventory(rocksdb::Env& env, const std::string& path, const Inventory& inventory) {
  const std::string file = std::string(path).append("/").append(kInventoryName);
  const std::string temporary = file + std::string(kTemporaryEnding);
  const std::string text = EncodeInventory(inventory);
  RECO_RETURN_IF_ERROR(ToStatus(
      rocksdb::WriteStringToFile(&env, text, temporary, /*should_sync=*/true), "write " + file));
  RECO_RETURN_IF_ERROR(ToStatus(env.RenameFile(temporary, file), "write " + file));
  std::unique_ptr<rocksdb::Directory> folder;
  RECO_RETURN_IF_ERROR(ToStatus(env.NewDirectory(path, &folder), "sync " + path));
  return ToStatus(folder->Fsync(), "sync " + path);
}

}  // namespace reco::store
