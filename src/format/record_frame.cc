#include "format/record_frame.h"

namespace reco::format {
namespace {

// Above this a thread gives its builder's memory back, so that one large model does not stay.
constexpr std::size_t kBuilderBytesKept = 1U << 20U;

}  // namespace

flatbuffers::FlatBufferBuilder& RecordBuilder() {
  thread_local flatbuffers::FlatBufferBuilder builder(1024);
  if (builder.GetSize() > kBuilderBytesKept) {
    builder.Reset();
  } else {
    builder.Clear();
  }
  return builder;
}

bool AllFinite(std::span<const double> values) {
  for (const double value : values) {
    if (!std::isfinite(value)) {
      return false;
    }
  }
  return true;
}

Status Damaged(std::string_view what, std::string_view why) {
  std::string message(what);
  message.append(": ").append(why);
  return Status::Corruption(std::move(message));
}

Status Newer(std::string_view what, std::string_view which) {
  std::string message(what);
  message.append(": ").append(which).append(" was written by a newer version; use a newer program");
  return Status::FailedPrecondition(std::move(message));
}

Status CheckFormatByte(std::string_view bytes, std::string_view what) {
  if (bytes.empty()) {
    return Damaged(what, "the value is empty");
  }
  if (bytes.front() != kFormatV1) {
    return Damaged(what, "format " + std::to_string(static_cast<std::uint8_t>(bytes.front())) +
                             " is not known");
  }
  return {};
}

Status RecordReader::CopyAligned(std::string_view bytes, std::string_view what) {
  RECO_RETURN_IF_ERROR(CheckFormatByte(bytes, what));
  original_ = bytes.substr(1);
  size_ = original_.size();
  // The verifier expects a length it can read, and a size below its own limit.
  if (size_ < sizeof(flatbuffers::uoffset_t) || size_ >= FLATBUFFERS_MAX_BUFFER_SIZE) {
    return Damaged(what, std::to_string(bytes.size()) + " bytes cannot be a record");
  }
  if (size_ > kInlineBytes) {
    heap_.resize((size_ + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    copy_ = reinterpret_cast<std::uint8_t*>(heap_.data());
  }
  std::memcpy(copy_, original_.data(), size_);
  return {};
}

}  // namespace reco::format
