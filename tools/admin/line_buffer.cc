#include "tools/admin/line_buffer.h"

#include <cstring>

namespace reco::admin {
namespace {

constexpr std::size_t kReadBytes = 262'144;
constexpr std::size_t kStartBytes = 65'536;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Status LineBuffer::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, size_ - begin_);
    size_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < size_ + kReadBytes) {
    buffer_.resize(size_ + kReadBytes);
  }
  RECO_ASSIGN_OR_RETURN(const std::size_t count, source_.Read(buffer_.data() + size_, kReadBytes));
  size_ += count;
  source_ended_ = count == 0;
  return Status::Ok();
}

Status LineBuffer::ChooseLineEnd() {
  started_ = true;
  while (size_ < kStartBytes && !source_ended_) {
    RECO_RETURN_IF_ERROR(Fill());
  }
  if (size_ > 0 && std::memchr(buffer_.data(), '\n', size_) == nullptr &&
      std::memchr(buffer_.data(), '\r', size_) != nullptr) {
    line_end_ = '\r';
  }
  return Status::Ok();
}

Status LineBuffer::SkipRestOfLine() {
  is_skipping_ = false;
  while (true) {
    if (begin_ < size_) {
      const void* found = std::memchr(buffer_.data() + begin_, line_end_, size_ - begin_);
      if (found != nullptr) {
        begin_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
        return Status::Ok();
      }
      // Nothing of a line that is thrown away has to be kept.
      begin_ = size_;
    }
    if (source_ended_) {
      return Status::Ok();
    }
    RECO_RETURN_IF_ERROR(Fill());
  }
}

// Finds the end of the line that begins `from` behind begin_, or gives up where the text gets too
// long.
Status LineBuffer::FindLineEnd(std::size_t from) {
  const std::size_t first = from;
  while (true) {
    const char* text = buffer_.data() + begin_;
    const std::size_t size = size_ - begin_;
    const void* found = size > from ? std::memchr(text + from, line_end_, size - from) : nullptr;
    terminated_ = found != nullptr;
    stop_ = terminated_ ? static_cast<std::size_t>(static_cast<const char*>(found) - text) : size;
    // One more is room for the CR of a CRLF.
    if (terminated_ || source_ended_ || size > bytes_max_ + 1) {
      break;
    }
    from = size;
    RECO_RETURN_IF_ERROR(Fill());
  }
  end_ = stop_;
  // CR belongs to the line end only there; inside a line it is text.
  if (line_end_ == '\n' && end_ > first && buffer_[begin_ + end_ - 1] == '\r') {
    --end_;
  }
  return Status::Ok();
}

void LineBuffer::DropByteOrderMark() {
  const std::size_t size = kByteOrderMark.size();
  if (end_ > 0 && buffer_[begin_] == kByteOrderMark[0] && text().starts_with(kByteOrderMark)) {
    begin_ += size;
    end_ -= size;
    stop_ -= size;
  }
}

Result<bool> LineBuffer::Next() {
  if (!started_) {
    RECO_RETURN_IF_ERROR(ChooseLineEnd());
  }
  begin_ += next_;
  line_ += lines_;
  next_ = 0;
  lines_ = 0;
  end_ = 0;
  if (is_skipping_) {
    RECO_RETURN_IF_ERROR(SkipRestOfLine());
  }
  while (begin_ == size_) {
    if (source_ended_) {
      return false;
    }
    RECO_RETURN_IF_ERROR(Fill());
  }
  RECO_RETURN_IF_ERROR(FindLineEnd(0));
  DropByteOrderMark();
  next_ = stop_ + (terminated_ ? 1 : 0);
  is_cut_ = end_ > bytes_max_;
  if (is_cut_) {
    is_skipping_ = !terminated_;
    end_ = bytes_max_;
  }
  first_end_ = end_;
  first_stop_ = stop_;
  lines_ = 1;
  return true;
}

Result<LineBuffer::Extension> LineBuffer::Extend() {
  if (!terminated_ || is_cut_) {
    return is_cut_ ? Extension::kTooLong : Extension::kEndOfInput;
  }
  const std::size_t end = end_;
  const std::size_t stop = stop_;
  RECO_RETURN_IF_ERROR(FindLineEnd(stop + 1));
  const bool is_end = !terminated_ && source_ended_ && stop_ == stop + 1;
  if (is_end || end_ > bytes_max_) {
    end_ = end;
    stop_ = stop;
    terminated_ = true;
    return is_end ? Extension::kEndOfInput : Extension::kTooLong;
  }
  next_ = stop_ + (terminated_ ? 1 : 0);
  ++lines_;
  return Extension::kDone;
}

void LineBuffer::KeepFirstLine() {
  if (lines_ > 1) {
    end_ = first_end_;
    stop_ = first_stop_;
    next_ = stop_ + 1;
    terminated_ = true;
    lines_ = 1;
  }
}

}  // namespace reco::admin
