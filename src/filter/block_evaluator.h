// Evaluates a bound filter over all records, a block of rows and an instruction at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "filter/bitmap.h"
#include "filter/bound_program.h"

namespace reco::filter {

// Makes the bitmap of the ordinals for which program->Matches is true, in steps between which
// records may change. Thread-compatible; Step reads what `program` points to.
class BitmapBuild {
 public:
  explicit BitmapBuild(std::shared_ptr<const BoundProgram> program);
  ~BitmapBuild();
  BitmapBuild(const BitmapBuild&) = delete;
  BitmapBuild& operator=(const BitmapBuild&) = delete;

  const std::shared_ptr<const BoundProgram>& program() const { return program_; }
  // Evaluates about 0.3 ms worth of rows. Returns true when there are no more: the bitmap is that
  // of the records as they are.
  bool Step();
  // Takes in a change of a record; to be called for each, after it was made.
  void Change(std::uint32_t ordinal);
  // Returns the bitmap; after the Step that returned true.
  Bitmap Take() && { return std::move(matches_); }
  std::size_t memory_bytes() const { return matches_.memory_bytes(); }

 private:
  class Evaluator;

  const std::shared_ptr<const BoundProgram> program_;
  std::unique_ptr<Evaluator> evaluator_;  // null: to be made anew, because columns have changed
  std::size_t next_row_ = 0;              // all below are evaluated
  Bitmap matches_;
};

}  // namespace reco::filter
