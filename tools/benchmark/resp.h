// The two halves of the Redis protocol that a load generator needs: writing commands, and finding
// the ends of replies without decoding them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace reco::benchmark {

// Appends one command as an array of bulk strings.
void AppendCommand(std::string* out, std::span<const std::string_view> arguments);
void AppendCommand(std::string* out, std::initializer_list<std::string_view> arguments);

// Counts whole replies in a stream of bytes that may be cut anywhere. Confined.
class ReplyScanner {
 public:
  struct Counts {
    std::uint64_t replies = 0;
    std::uint64_t errors = 0;  // replies that are an error
    std::uint64_t empty = 0;   // replies that are nil or an empty array
    bool malformed = false;    // no Redis server: give up on this connection
  };

  // Looks at the next bytes and answers what ended within them.
  Counts Feed(std::string_view bytes);
  // Returns the first error reply's text.
  const std::string& first_error() const { return first_error_; }

 private:
  void HandleHeader(Counts* counts);
  void EndElement(Counts* counts);

  std::string header_;         // the line that is being read, without CR LF
  std::uint64_t skip_ = 0;     // bytes of a bulk string, and its CR LF, still to come
  std::uint64_t missing_ = 1;  // elements that the current reply still needs
  bool at_start_ = true;       // no element of the current reply has been read
  bool is_error_ = false;      // of the current reply
  bool is_empty_ = false;
  std::string first_error_;
};

}  // namespace reco::benchmark
