#include "api/protocol/input_buffer.h"

#include <cstring>

namespace reco::api {
namespace {

constexpr std::size_t kInitialBytes = 16U << 10U;
constexpr std::size_t kFreeBytesMin = 4U << 10U;   // a read should not be smaller
constexpr std::size_t kIdleBytesMax = 64U << 10U;  // an empty buffer keeps no more

}  // namespace

std::span<char> InputBuffer::Prepare() {
  // Empty: the next read starts in front and nothing is moved. Not before, since a read may be
  // under way into the space behind.
  if (begin_ == end_) {
    begin_ = end_ = 0;
  }
  // An idle connection gives the memory of a large request back.
  if (end_ == 0 && capacity_ > kIdleBytesMax) {
    data_.reset();
    capacity_ = 0;
  }
  // Only when more is won than moved: a long pipeline is consumed in small steps.
  if (capacity_ - end_ < kFreeBytesMin && begin_ > 0 && begin_ >= end_ - begin_) {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - end_ < kFreeBytesMin) {
    const std::size_t capacity = capacity_ == 0 ? kInitialBytes : capacity_ * 2;
    // realloc moves large blocks by remapping their pages.
    char* grown = static_cast<char*>(std::realloc(data_.get(), capacity));
    if (grown == nullptr) {
      return {};
    }
    static_cast<void>(data_.release());
    data_.reset(grown);
    capacity_ = capacity;
  }
  return {data_.get() + end_, capacity_ - end_};
}

}  // namespace reco::api
