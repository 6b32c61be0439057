#include "filter/attribute_columns.h"

#include <algorithm>
#include <bit>

#include "filter/block_evaluator.h"

namespace reco::filter {
namespace {

// Sets the row of each of `columns` whose field the record has. False for what is no JSON object.
template <typename Columns>
bool ReadInto(Columns& columns, std::uint32_t ordinal, std::string_view json,
              AttributeReader& reader) {
  return reader.Read(json, [&](std::string_view name, const AttributeValue& value) {
    for (auto& named : columns) {
      if (named.name == name) {
        named.column->Set(ordinal, value);
      }
    }
  });
}

// What one pass over all records makes.
template <typename Columns>
struct Pass {
  Columns columns;
  Bitmap records;
  std::size_t rows = 0;

  void Run(AttributeColumns::RecordSource source, AttributeReader& reader) {
    source([&](std::uint32_t ordinal, std::string_view json) {
      rows = std::max(rows, std::size_t{ordinal} + 1);
      if (ReadInto(columns, ordinal, json, reader)) {
        records.Set(ordinal, true);
      }
    });
  }
};

template <typename T>
bool Contains(std::span<const T> all, const auto& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

void BoundFilter::ForEachMatch(FunctionRef<bool(std::uint32_t ordinal)> visit) const {
  const std::span<const std::uint64_t> all = words();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::uint64_t word = all[i]; word != 0; word &= word - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(word));
      if (!visit(static_cast<std::uint32_t>(i * Bitmap::kWordBits + bit))) {
        return;
      }
    }
  }
}

AttributeColumns::AttributeColumns(AttributeColumnsOptions options) : options_(options) {}

BoundFilter AttributeColumns::Bind(const std::shared_ptr<const Filter>& filter,
                                   RecordSource records) {
  {
    const MutexLock lock(mutex_);
    const Kept* kept = Touch(*filter);
    if (kept != nullptr && IsReady(*kept)) {
      return {kept->program, kept->matches};
    }
  }
  const MutexLock build_lock(build_mutex_);
  BuildColumns(*filter, records);
  return BindBuilt(filter);
}

bool AttributeColumns::MayHaveBitmap() const {
  return Bitmap::WordsFor(rows_) * sizeof(std::uint64_t) <= options_.bitmap_bytes_max;
}

// Nothing is left to make for it.
bool AttributeColumns::IsReady(const Kept& kept) const {
  return kept.matches != nullptr || !MayHaveBitmap();
}

// What is kept of the filter, as the most recently used; null when nothing is.
const AttributeColumns::Kept* AttributeColumns::Touch(const Filter& filter) {
  const auto found = kept_by_text_.find(filter.text());
  if (found == kept_by_text_.end()) {
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found->second);
  return &kept_.front();
}

std::shared_ptr<Column> AttributeColumns::FindColumn(std::string_view name) const {
  for (const NamedColumn& named : columns_) {
    if (named.name == name) {
      return named.column;
    }
  }
  return nullptr;
}

// New columns for the fields of `filter` that have none.
std::vector<AttributeColumns::NamedColumn> AttributeColumns::Missing(const Filter& filter) const {
  std::vector<NamedColumn> missing;
  for (const std::string& field : filter.fields()) {
    if (FindColumn(field) == nullptr) {
      missing.push_back({field, std::make_shared<Column>()});
    }
  }
  return missing;
}

void AttributeColumns::BuildColumns(const Filter& filter, RecordSource records) {
  Pass<std::vector<NamedColumn>> pass;
  {
    const MutexLock lock(mutex_);
    pass.columns = Missing(filter);
    if (pass.columns.empty() && records_ != nullptr) {
      return;
    }
    MakeRoom(filter, pass.columns.size());
    pass.rows = rows_;
  }
  pass.Run(records, reader_);
  const MutexLock lock(mutex_);
  columns_.insert(columns_.end(), pass.columns.begin(), pass.columns.end());
  rows_ = pass.rows;
  if (records_ == nullptr) {
    records_ = std::make_shared<Bitmap>(std::move(pass.records));
  }
}

// All columns exist: ties the filter to them, and makes its bitmap when its time has come.
BoundFilter AttributeColumns::BindBuilt(const std::shared_ptr<const Filter>& filter) {
  Kept kept;
  bool make_bitmap = false;
  {
    const MutexLock lock(mutex_);
    const Kept* known = Touch(*filter);
    if (known != nullptr && IsReady(*known)) {
      return {known->program, known->matches};  // another thread was first
    }
    make_bitmap = MayHaveBitmap() && (known != nullptr || rows_ <= options_.first_use_rows_max);
    auto program = std::make_shared<BoundProgram>();
    program->filter = filter;
    program->records = records_;
    for (const std::string& field : filter->fields()) {
      program->columns.push_back(FindColumn(field));
    }
    kept.program = std::move(program);
  }
  if (make_bitmap) {
    kept.matches = std::make_shared<Bitmap>(EvaluateAll(*kept.program));
  }
  const MutexLock lock(mutex_);
  Keep(kept);
  return {kept.program, kept.matches};
}

// In place of what is kept of the same text.
void AttributeColumns::Keep(Kept kept) {
  const auto known = kept_by_text_.find(kept.program->filter->text());
  if (known != kept_by_text_.end()) {
    const auto old = known->second;
    kept_by_text_.erase(known);
    kept_.erase(old);
  }
  kept_.push_front(std::move(kept));
  kept_by_text_.emplace(kept_.front().program->filter->text(), kept_.begin());
  std::size_t bytes = 0;
  for (const Kept& each : kept_) {
    bytes += each.matches != nullptr ? each.matches->memory_bytes() : 0;
  }
  while (!kept_.empty() &&
         (kept_.size() > options_.filters_max || bytes > options_.bitmap_bytes_max)) {
    const Kept& last = kept_.back();
    bytes -= last.matches != nullptr ? last.matches->memory_bytes() : 0;
    DropKept();
  }
}

// The least recently used.
void AttributeColumns::DropKept() {
  kept_by_text_.erase(kept_.back().program->filter->text());
  kept_.pop_back();
}

// For so many new columns of `filter`. A column goes only after all filters kept with it.
void AttributeColumns::MakeRoom(const Filter& filter, std::size_t columns) {
  while (columns_.size() + columns > std::max(options_.columns_max, kFilterFieldsMax)) {
    if (!DropFreeColumn(filter)) {
      DropKept();
    }
  }
}

// Drops a column that neither `filter` nor a kept filter reads.
bool AttributeColumns::DropFreeColumn(const Filter& filter) {
  for (auto named = columns_.begin(); named != columns_.end(); ++named) {
    bool is_read = Contains(filter.fields(), named->name);
    for (const Kept& kept : kept_) {
      is_read = is_read || Contains(std::span(kept.program->columns), named->column);
    }
    if (!is_read) {
      columns_.erase(named);
      return true;
    }
  }
  return false;
}

void AttributeColumns::Set(std::uint32_t ordinal, std::string_view json) {
  const MutexLock build_lock(build_mutex_);
  const MutexLock lock(mutex_);
  if (records_ != nullptr) {
    Change(ordinal, json);
  }
}

void AttributeColumns::Erase(std::uint32_t ordinal) {
  const MutexLock build_lock(build_mutex_);
  const MutexLock lock(mutex_);
  if (records_ != nullptr && records_->Test(ordinal)) {
    Change(ordinal, {});
  }
}

// What is no object leaves the record without attributes.
void AttributeColumns::Change(std::uint32_t ordinal, std::string_view json) {
  rows_ = std::max(rows_, std::size_t{ordinal} + 1);
  for (NamedColumn& named : columns_) {
    named.column->Clear(ordinal);
  }
  const bool good = ReadInto(columns_, ordinal, json, reader_);
  records_->Set(ordinal, good);
  for (Kept& kept : kept_) {
    if (kept.matches != nullptr) {
      kept.matches->Set(ordinal, kept.program->Matches(ordinal));
    }
  }
}

void AttributeColumns::Clear() {
  const MutexLock build_lock(build_mutex_);
  const MutexLock lock(mutex_);
  kept_by_text_.clear();
  kept_.clear();
  columns_.clear();
  records_.reset();
  rows_ = 0;
}

std::size_t AttributeColumns::memory_bytes() const {
  const MutexLock lock(mutex_);
  std::size_t bytes = records_ != nullptr ? records_->memory_bytes() : 0;
  for (const NamedColumn& named : columns_) {
    bytes += named.column->memory_bytes();
  }
  for (const Kept& kept : kept_) {
    bytes += kept.matches != nullptr ? kept.matches->memory_bytes() : 0;
  }
  return bytes;
}

std::size_t AttributeColumns::column_count() const {
  const MutexLock lock(mutex_);
  return columns_.size();
}

std::size_t AttributeColumns::filter_count() const {
  const MutexLock lock(mutex_);
  return kept_.size();
}

}  // namespace reco::filter
