#include "tools/admin/rejects_file.h"

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "tools/admin/record_reader.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

constexpr std::string_view kEnding = ".rejects";
constexpr int kNumberMax = 10'000;

std::string LastError() {
  return std::error_code(errno, std::generic_category()).message();
}

std::string TimeName() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

}  // namespace

std::string_view WithoutRejectsEnding(std::string_view path) {
  while (true) {
    const std::size_t at = path.rfind(kEnding);
    const std::string_view behind =
        at == std::string_view::npos ? "-" : path.substr(at + kEnding.size());
    const bool is_ours =
        behind.empty() || (behind[0] == '.' && behind.size() > 1 &&
                           behind.find_first_not_of("0123456789", 1) == std::string_view::npos);
    if (!is_ours) {
      return path;
    }
    path = path.substr(0, at);
  }
}

Status RejectsFile::Create() {
  const bool is_stream = input_path_ == "-";
  const std::string first =
      is_stream ? "reco-rejects-" + TimeName() : input_path_ + std::string(kEnding);
  const std::string ending = is_stream ? ending_ : "";
  for (int number = 1; number <= kNumberMax && file_ == nullptr; ++number) {
    path_ = first;
    if (number > 1) {
      path_.append(is_stream ? "-" : ".").append(std::to_string(number));
    }
    path_ += ending;
    file_.reset(std::fopen(path_.c_str(), "wxe"));
    if (file_ == nullptr && errno != EEXIST) {
      break;
    }
  }
  if (file_ == nullptr) {
    Status failure =
        Status::IoError("cannot write the lost lines to " + path_ + ": " + LastError());
    path_.clear();
    return failure;
  }
  return header_.empty() ? Status::Ok() : Write(header_ + '\n');
}

Status RejectsFile::Write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) {
    return Status::IoError("cannot write the lost lines to " + path_ + ": " + LastError());
  }
  return Status::Ok();
}

Status RejectsFile::Add(std::uint64_t line, std::string_view reason, std::string_view raw) {
  if (failure_.ok() && file_ == nullptr) {
    failure_ = Create();
  }
  if (failure_.ok()) {
    failure_ = Write(std::string(kCommentPrefix) + "line " + std::to_string(line) + ": " +
                     terminal::Printable(std::string(reason)) + '\n');
  }
  if (failure_.ok()) {
    failure_ = Write(std::string(raw) + '\n');
  }
  return failure_;
}

Status RejectsFile::Flush() {
  if (failure_.ok() && file_ != nullptr && std::fflush(file_.get()) != 0) {
    failure_ = Status::IoError("cannot write the lost lines to " + path_ + ": " + LastError());
  }
  return failure_;
}

}  // namespace reco::admin
