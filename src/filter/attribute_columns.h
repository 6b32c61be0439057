// AttributeColumns: the attributes of the users or of the items of one collection as typed columns,
// and the filters bound to them. This is the header the engine includes.
//
//   auto filter = filter::Filter::Compile(text);                    // no lock needed
//   filter::FilterUse use{filter};
//   // under the collection's shared lock, which may be given back between the calls:
//   while (!columns.Prepare(&use, records)) ...
//   // under the lock, for one ranking:
//   filter::BoundFilter bound = columns.BindPrepared(filter, records);
//   if (bound.match_count() is known and small) bound.ForEachMatch(rank one);
//   else scan, asking bound.Matches(ordinal) of each candidate;
//   // under its exclusive lock, with each change of a record:
//   columns.Set(ordinal, json);  columns.Erase(ordinal);
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/mutex.h"
#include "filter/attribute_reader.h"
#include "filter/bitmap.h"
#include "filter/block_evaluator.h"
#include "filter/bound_program.h"
#include "filter/column_pass.h"
#include "filter/filter.h"

namespace reco::filter {

// A filter ready to be asked about the records of one AttributeColumns. Good until the next Set,
// Erase or Clear there, that is while the shared lock under which it was bound is held. Copies are
// cheap. Thread-compatible.
class BoundFilter {
 public:
  // Returns true iff the record matches. Any ordinal; no allocation.
  bool Matches(std::uint32_t ordinal) const {
    return matches_ != nullptr ? matches_->Test(ordinal) : program_->Matches(ordinal);
  }

  // Returns the fields that the expression names and the record lacks. Any ordinal.
  std::vector<std::string> MissingFields(std::uint32_t ordinal) const {
    return program_->MissingFields(ordinal);
  }

  // Returns how many records match; none while the filter has no bitmap yet.
  std::optional<std::size_t> match_count() const {
    return matches_ != nullptr ? std::optional(matches_->count()) : std::nullopt;
  }

  // Returns the bitmap behind match_count, bit i of word j for ordinal 64 j + i; empty without one.
  std::span<const std::uint64_t> words() const {
    return matches_ != nullptr ? matches_->words() : std::span<const std::uint64_t>();
  }

  // Calls `visit` with each matching ordinal, ascending, until it returns false. Nothing is visited
  // while match_count is not known.
  void ForEachMatch(FunctionRef<bool(std::uint32_t ordinal)> visit) const;

 private:
  friend class AttributeColumns;
  BoundFilter(std::shared_ptr<const BoundProgram> program, std::shared_ptr<const Bitmap> matches)
      : program_(std::move(program)), matches_(std::move(matches)) {}

  std::shared_ptr<const BoundProgram> program_;
  std::shared_ptr<const Bitmap> matches_;
};

struct AttributeColumnsOptions {
  // Bounds of what is kept from one Bind to the next; the least recently used goes first. More
  // filters than a collection has rules, whose filters every list asks.
  std::size_t filters_max = 128;
  std::size_t bitmap_bytes_max = std::size_t{64} << 20;
  // At least kFilterFieldsMax. A column takes 9 bytes a record in each run of 256 of which one has
  // the field, its distinct strings and 16 bytes an element of an array.
  std::size_t columns_max = 128;
  // With at most so many ordinals a filter has its bitmap from its first use on, else from its
  // second.
  std::size_t first_use_rows_max = std::size_t{1} << 16;
};

// One use of a filter, for Prepare.
struct FilterUse {
  std::shared_ptr<const Filter> filter;
  bool repeated = false;  // more uses will follow: it has its bitmap from the first one on

  // Written by Prepare.
  bool begun = false;
  bool known = false;       // was used before
  bool evaluating = false;  // its bitmap has been begun
};

// Prepare, Bind, BindPrepared and memory_bytes are thread-safe; Set, Erase and Clear need that
// nothing else runs, and that no BoundFilter is used afterwards. A column is made when a filter
// first names its field, and kept current from then on; before the first Prepare nothing is stored
// and Set costs nothing.
class AttributeColumns {
 public:
  explicit AttributeColumns(AttributeColumnsOptions options = {});
  AttributeColumns(const AttributeColumns&) = delete;
  AttributeColumns& operator=(const AttributeColumns&) = delete;

  // Takes one step, of about 0.3 ms and at most a few times as much, towards what this use of the
  // filter needs: columns, which take a pass over all records, and its bitmap when its time has
  // come. Returns true when nothing is missing. Between the steps records may change, and other
  // threads that need the same carry it on; a thread waits for another's step, not for more.
  // `records` must show what Set and Erase were told; it is called with a mutex of ours held and
  // must not call back here.
  bool Prepare(FilterUse* use, const RecordSource& records) EXCLUDES(build_mutex_, mutex_);

  // Returns true iff a use of the filter with this text finds its bitmap.
  bool HasBitmap(std::string_view text) const EXCLUDES(mutex_);

  // Binds with what there is. Columns that are missing although the filter was prepared, because
  // others have taken their place since, are made at once.
  BoundFilter BindPrepared(const std::shared_ptr<const Filter>& filter, const RecordSource& records)
      EXCLUDES(build_mutex_, mutex_);

  // Prepares and binds at once: a use of the filter.
  BoundFilter Bind(const std::shared_ptr<const Filter>& filter, const RecordSource& records)
      EXCLUDES(build_mutex_, mutex_);

  // Takes in that the record has these attributes now. Cost: a pass over `json`, and one evaluation
  // of each kept filter. No JSON object: as Erase.
  void Set(std::uint32_t ordinal, std::string_view json) EXCLUDES(build_mutex_, mutex_);
  // Takes in that the record has no attributes, or is gone.
  void Erase(std::uint32_t ordinal) EXCLUDES(build_mutex_, mutex_);
  // Forgets everything, as after a change of many records or of ordinals.
  void Clear() EXCLUDES(build_mutex_, mutex_);

  // The bytes of columns and bitmaps, also of those being made.
  std::size_t memory_bytes() const EXCLUDES(mutex_);
  std::size_t column_count() const EXCLUDES(mutex_);  // that are made
  std::size_t filter_count() const EXCLUDES(mutex_);  // kept, with or without a bitmap

 private:
  struct Kept {
    std::shared_ptr<const BoundProgram> program;
    std::shared_ptr<Bitmap> matches;  // null before there is one
  };
  using KeptList = std::list<Kept>;  // the most recently used first

  bool WantsBitmap(const FilterUse& use) const REQUIRES(mutex_);
  const Kept* Touch(const Filter& filter) REQUIRES(mutex_);
  std::shared_ptr<Column> FindColumn(std::string_view name) const REQUIRES(mutex_);
  std::vector<NamedColumn> Missing(const Filter& filter) const REQUIRES(mutex_);
  ColumnPass* PassFor(const Filter& filter) REQUIRES(build_mutex_) EXCLUDES(mutex_);
  void Publish(ColumnPass* pass) REQUIRES(build_mutex_) EXCLUDES(mutex_);
  std::shared_ptr<const BoundProgram> StepProgram(const std::shared_ptr<const Filter>& filter,
                                                  const RecordSource& records)
      REQUIRES(build_mutex_) EXCLUDES(mutex_);
  std::shared_ptr<const BoundProgram> ProgramFor(const std::shared_ptr<const Filter>& filter)
      EXCLUDES(mutex_);
  bool StepBitmap(FilterUse* use, const std::shared_ptr<const BoundProgram>& program)
      REQUIRES(build_mutex_) EXCLUDES(mutex_);
  void DropOrphans() REQUIRES(build_mutex_, mutex_);
  void CountBuilding() REQUIRES(build_mutex_) EXCLUDES(mutex_);
  void Keep(Kept kept) REQUIRES(mutex_);
  void DropKept() REQUIRES(mutex_);
  void MakeRoom(const Filter& filter, std::size_t columns) REQUIRES(mutex_);
  bool DropFreeColumn(const Filter& filter) REQUIRES(mutex_);
  void Change(std::uint32_t ordinal, std::string_view json) REQUIRES(build_mutex_, mutex_);
  bool ReadInto(std::span<const std::span<const NamedColumn>> lists, std::uint32_t ordinal,
                std::string_view json) REQUIRES(build_mutex_);

  const AttributeColumnsOptions options_;

  // Held for a step of what is being made; taken before mutex_.
  Mutex build_mutex_ ACQUIRED_BEFORE(mutex_);
  AttributeReader reader_ GUARDED_BY(build_mutex_);
  std::vector<std::unique_ptr<ColumnPass>> passes_ GUARDED_BY(build_mutex_);
  std::vector<std::unique_ptr<BitmapBuild>> bitmaps_ GUARDED_BY(build_mutex_);

  // Held for look-ups only. What the pointers point to changes under Set and Erase alone.
  mutable Mutex mutex_;
  std::shared_ptr<Bitmap> records_ GUARDED_BY(mutex_);  // null before the first pass is done
  std::size_t rows_ GUARDED_BY(mutex_) = 0;             // all records are below
  std::size_t building_bytes_ GUARDED_BY(mutex_) = 0;   // of passes_ and bitmaps_, after a step
  std::vector<NamedColumn> columns_ GUARDED_BY(mutex_);
  KeptList kept_ GUARDED_BY(mutex_);
  // By the text of the filter, which the entry owns.
  std::unordered_map<std::string_view, KeptList::iterator> kept_by_text_ GUARDED_BY(mutex_);
};

}  // namespace reco::filter
