// InputBuffer: the bytes a connection has received and not yet consumed, in one piece.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace reco::api {

// Confined to the connection's io thread. Grows by doubling with what has arrived, never with what
// a client announces.
class InputBuffer {
 public:
  std::string_view pending() const { return {data_.get() + begin_, end_ - begin_}; }
  std::size_t free_bytes() const { return capacity_ - end_; }

  // Returns free space behind the pending bytes; empty only when there is no memory for it. May
  // move them, so views into pending() end.
  std::span<char> Prepare();
  // Takes the first `bytes` of the space that was prepared last, which have been filled, into
  // pending(); what was consumed in between does not matter.
  void Append(std::size_t bytes) { end_ += bytes; }
  // Drops the first `bytes` of pending(); the others stay where they are.
  void Consume(std::size_t bytes) { begin_ += bytes; }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };

  std::unique_ptr<char, Free> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace reco::api
