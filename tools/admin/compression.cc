#include "tools/admin/compression.h"

#include <algorithm>
#include <bzlib.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace reco::admin {
namespace {

constexpr std::size_t kPackedBytes = 262'144;  // read at a time
constexpr std::size_t kMagicBytes = 6;         // the longest that is looked at
constexpr std::size_t kOutputMax = 1U << 30;   // zlib and bzip2 count in 32 bits

Status EndsTooEarly(const char* format) {
  return Status::Corruption("the " + std::string(format) + " data end too early");
}

Status Damaged(const char* format, const std::string& how) {
  return Status::Corruption("damaged " + std::string(format) + " data: " + how);
}

// What the three have in common: packed bytes in a buffer. Confined to one thread.
class PackedSource : public ByteSource {
 public:
  explicit PackedSource(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), packed_(kPackedBytes) {}

  double Fraction() const override { return source_->Fraction(); }

  Result<std::size_t> Read(char* out, std::size_t size) override {
    size = std::min(size, kOutputMax);
    while (size > 0) {
      if (at_ == filled_ && !ended_) {
        RECO_ASSIGN_OR_RETURN(filled_, source_->Read(packed_.data(), packed_.size()));
        at_ = 0;
        ended_ = filled_ == 0;
      }
      RECO_ASSIGN_OR_RETURN(const std::size_t count, Unpack(out, size));
      if (count > 0) {
        return count;
      }
      if (at_ == filled_ && ended_) {
        RECO_RETURN_IF_ERROR(CheckEnd());
        return std::size_t{0};
      }
    }
    return std::size_t{0};
  }

 protected:
  // Unpacks from next() with left() bytes, and takes what it used. 0: it needs more, or the end.
  virtual Result<std::size_t> Unpack(char* out, std::size_t size) = 0;
  // Nothing is left: was that all?
  virtual Status CheckEnd() const = 0;

  char* next() { return packed_.data() + at_; }
  std::size_t left() const { return filled_ - at_; }
  void Take(std::size_t count) { at_ += count; }

 private:
  const std::unique_ptr<ByteSource> source_;
  std::vector<char> packed_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  bool ended_ = false;
};

class GzipSource final : public PackedSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> source) : PackedSource(std::move(source)) {
    // 16: the gzip format, whose checksum and length are compared.
    is_ready_ = inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK;
  }
  ~GzipSource() override {
    if (is_ready_) {
      inflateEnd(&stream_);
    }
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

 private:
  Result<std::size_t> Unpack(char* out, std::size_t size) override {
    if (!is_ready_) {
      return Status::ResourceExhausted("no memory to read gzip data");
    }
    if (!within_member_) {
      while (members_ > 0 && left() > 0 && *next() == '\0') {
        Take(1);
      }
      if (left() == 0) {
        return std::size_t{0};
      }
      within_member_ = true;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(next());
    stream_.avail_in = static_cast<uInt>(left());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(size);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    Take(left() - stream_.avail_in);
    if (code == Z_STREAM_END) {
      ++members_;
      within_member_ = false;
      inflateReset(&stream_);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      // In its first member it was recognised by these bytes.
      const bool strange = members_ > 0 && stream_.total_out == 0;
      return Damaged("gzip", strange                  ? "other bytes follow it"
                             : stream_.msg != nullptr ? stream_.msg
                                                      : "code " + std::to_string(code));
    }
    return size - stream_.avail_out;
  }

  Status CheckEnd() const override { return within_member_ ? EndsTooEarly("gzip") : Status::Ok(); }

  z_stream stream_{};
  bool is_ready_ = false;
  bool within_member_ = true;
  std::size_t members_ = 0;
};

class Bzip2Source final : public PackedSource {
 public:
  using PackedSource::PackedSource;
  ~Bzip2Source() override { BZ2_bzDecompressEnd(&stream_); }
  Bzip2Source(const Bzip2Source&) = delete;
  Bzip2Source& operator=(const Bzip2Source&) = delete;

 private:
  Result<std::size_t> Unpack(char* out, std::size_t size) override {
    if (!within_stream_) {
      if (left() == 0) {
        return std::size_t{0};
      }
      stream_ = {};
      if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) {
        return Status::ResourceExhausted("no memory to read bzip2 data");
      }
      within_stream_ = true;
    }
    stream_.next_in = next();
    stream_.avail_in = static_cast<unsigned>(left());
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(size);
    const int code = BZ2_bzDecompress(&stream_);
    Take(left() - stream_.avail_in);
    if (code == BZ_STREAM_END) {
      BZ2_bzDecompressEnd(&stream_);
      within_stream_ = false;
      ++streams_;
    } else if (code != BZ_OK) {
      return Damaged("bzip2", code == BZ_DATA_ERROR_MAGIC && streams_ > 0
                                  ? "other bytes follow it"
                                  : "code " + std::to_string(code));
    }
    return size - stream_.avail_out;
  }

  Status CheckEnd() const override { return within_stream_ ? EndsTooEarly("bzip2") : Status::Ok(); }

  bz_stream stream_{};
  bool within_stream_ = false;
  std::size_t streams_ = 0;
};

class ZstdSource final : public PackedSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> source)
      : PackedSource(std::move(source)), context_(ZSTD_createDCtx()) {
    if (context_ != nullptr) {
      ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
    }
  }
  ~ZstdSource() override { ZSTD_freeDCtx(context_); }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;

 private:
  Result<std::size_t> Unpack(char* out, std::size_t size) override {
    if (context_ == nullptr) {
      return Status::ResourceExhausted("no memory to read zstd data");
    }
    // A frame's last bytes may wait inside although nothing is left to feed.
    if (left() == 0 && !within_frame_) {
      return std::size_t{0};
    }
    ZSTD_inBuffer in{next(), left(), 0};
    ZSTD_outBuffer to{out, size, 0};
    const std::size_t code = ZSTD_decompressStream(context_, &to, &in);
    Take(in.pos);
    if (ZSTD_isError(code) != 0) {
      return Explain(ZSTD_getErrorCode(code), code);
    }
    within_frame_ = code != 0;
    frames_ += code == 0 ? 1 : 0;
    return to.pos;
  }

  Status Explain(ZSTD_ErrorCode error, std::size_t code) const {
    if (error == ZSTD_error_frameParameter_windowTooLarge) {
      return Status::InvalidArgument(
          "the zstd data need a window of more than 128 MiB; unpack them first: zstd -dc "
          "--long=31 FILE | reco-admin import KEY - ...");
    }
    return Damaged("zstd", error == ZSTD_error_prefix_unknown && frames_ > 0
                               ? "other bytes follow it"
                               : ZSTD_getErrorName(code));
  }

  Status CheckEnd() const override { return within_frame_ ? EndsTooEarly("zstd") : Status::Ok(); }

  ZSTD_DCtx* const context_;
  bool within_frame_ = false;
  std::size_t frames_ = 0;
};

bool IsZstd(std::string_view start) {
  // A frame, or one to be skipped, which some programs put in front.
  return start.substr(0, 4) == "\x28\xB5\x2F\xFD" ||
         (start.size() >= 4 && (static_cast<unsigned char>(start[0]) & 0xF0U) == 0x50 &&
          start.substr(1, 3) == "\x2A\x4D\x18");
}

bool IsBzip2(std::string_view start) {
  // The first bytes of a block or of the end are looked at too: "BZh1" may begin a text.
  return start.substr(0, 3) == "BZh" && start.size() >= 6 && start[3] >= '1' && start[3] <= '9' &&
         (start.substr(4, 2) == "1A" || start.substr(4, 2) == "\x17\x72");
}

}  // namespace

Result<std::unique_ptr<ByteSource>> Decompressed(std::unique_ptr<ByteSource> source) {
  RECO_ASSIGN_OR_RETURN(std::string start, ReadStart(*source, kMagicBytes));
  const bool is_gzip = start.substr(0, 2) == "\x1F\x8B";
  const bool is_zstd = IsZstd(start);
  const bool is_bzip2 = IsBzip2(start);
  source = PutBack(std::move(start), std::move(source));
  if (is_gzip) {
    source = std::make_unique<GzipSource>(std::move(source));
  } else if (is_zstd) {
    source = std::make_unique<ZstdSource>(std::move(source));
  } else if (is_bzip2) {
    source = std::make_unique<Bzip2Source>(std::move(source));
  }
  return source;
}

}  // namespace reco::admin
