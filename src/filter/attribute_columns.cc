// What is made is made in steps under build_mutex_; what is ready is looked up under mutex_ alone,
// so a list whose filter is made waits for no step. Records change with neither step nor look-up
// under way, and Change brings up to date what is ready and what is half made.
#include "filter/attribute_columns.h"

#include <algorithm>
#include <bit>

namespace reco::filter {
namespace {

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

bool AttributeColumns::Prepare(FilterUse* use, const RecordSource& records) {
  {
    const MutexLock lock(mutex_);
    // Only the first call of a use may find it kept by an earlier use: later ones find their own.
    const Kept* kept = Touch(*use->filter);
    use->known = use->known || (!use->begun && kept != nullptr);
    use->begun = true;
    if (kept != nullptr && (kept->matches != nullptr || !WantsBitmap(*use))) {
      return true;
    }
  }
  // Given back after the step, so that threads that want other filters take turns.
  const MutexLock build_lock(build_mutex_);
  const auto program = StepProgram(use->filter, records);
  return program != nullptr && StepBitmap(use, program);
}

BoundFilter AttributeColumns::BindPrepared(const std::shared_ptr<const Filter>& filter,
                                           const RecordSource& records) {
  {
    const MutexLock lock(mutex_);
    if (const Kept* kept = Touch(*filter)) {
      return {kept->program, kept->matches};
    }
  }
  const MutexLock build_lock(build_mutex_);
  // With the lock held to the end: a list that is under way needs its answer now.
  for (;;) {
    if (auto program = StepProgram(filter, records)) {
      return {std::move(program), nullptr};
    }
  }
}

BoundFilter AttributeColumns::Bind(const std::shared_ptr<const Filter>& filter,
                                   const RecordSource& records) {
  FilterUse use{filter};
  while (!Prepare(&use, records)) {
  }
  return BindPrepared(filter, records);
}

bool AttributeColumns::WantsBitmap(const FilterUse& use) const {
  return Bitmap::WordsFor(rows_) * sizeof(std::uint64_t) <= options_.bitmap_bytes_max &&
         (use.known || use.repeated || rows_ <= options_.first_use_rows_max);
}

// Returns what is kept of the filter, as the most recently used; null when nothing is.
const AttributeColumns::Kept* AttributeColumns::Touch(const Filter& filter) {
  const auto found = kept_by_text_.find(filter.text());
  if (found == kept_by_text_.end()) {
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found->second);
  return &kept_.front();
}

bool AttributeColumns::HasBitmap(std::string_view text) const {
  MutexLock lock(mutex_);
  const auto found = kept_by_text_.find(text);
  return found != kept_by_text_.end() && found->second->matches != nullptr;
}

std::shared_ptr<Column> AttributeColumns::FindColumn(std::string_view name) const {
  for (const NamedColumn& named : columns_) {
    if (named.name == name) {
      return named.column;
    }
  }
  return nullptr;
}

// Returns new columns for the fields of `filter` that have none.
std::vector<NamedColumn> AttributeColumns::Missing(const Filter& filter) const {
  std::vector<NamedColumn> missing;
  for (const std::string& field : filter.fields()) {
    if (FindColumn(field) == nullptr) {
      missing.push_back({field, std::make_shared<Column>()});
    }
  }
  return missing;
}

// Returns the pass that makes what the filter lacks: one under way, or a new one; null when nothing
// is missing.
ColumnPass* AttributeColumns::PassFor(const Filter& filter) {
  const MutexLock lock(mutex_);
  for (const auto& pass : passes_) {
    const auto columns = pass->columns();
    // The first pass makes the set of records, which every filter needs.
    if (pass->with_records() ||
        std::any_of(columns.begin(), columns.end(), [&](const NamedColumn& named) {
          return Contains(filter.fields(), named.name);
        })) {
      return pass.get();
    }
  }
  std::vector<NamedColumn> missing = Missing(filter);
  if (missing.empty() && records_ != nullptr) {
    return nullptr;
  }
  // Before the pass: its columns count from now on.
  MakeRoom(filter, missing.size());
  passes_.push_back(std::make_unique<ColumnPass>(std::move(missing), records_ == nullptr));
  return passes_.back().get();
}

// Takes over what a pass has made that has read all records.
void AttributeColumns::Publish(ColumnPass* pass) {
  const MutexLock lock(mutex_);
  columns_.insert(columns_.end(), pass->columns().begin(), pass->columns().end());
  if (pass->with_records()) {
    records_ = std::make_shared<Bitmap>(std::move(pass->records()));
  }
  rows_ = std::max(rows_, pass->rows());
  std::erase_if(passes_, [&](const auto& each) { return each.get() == pass; });
}

// Takes a step of the columns that the filter lacks. Null while one is missing.
std::shared_ptr<const BoundProgram> AttributeColumns::StepProgram(
    const std::shared_ptr<const Filter>& filter, const RecordSource& records) {
  while (ColumnPass* pass = PassFor(*filter)) {
    std::shared_ptr<const Bitmap> known;
    {
      const MutexLock lock(mutex_);
      known = records_;
    }
    const bool done = pass->Step(records, known.get(), reader_);
    if (done) {
      Publish(pass);
    }
    CountBuilding();
    if (!done) {
      return nullptr;
    }
  }
  return ProgramFor(filter);
}

// Returns the program of a filter whose columns are there.
std::shared_ptr<const BoundProgram> AttributeColumns::ProgramFor(
    const std::shared_ptr<const Filter>& filter) {
  const MutexLock lock(mutex_);
  if (const Kept* kept = Touch(*filter)) {
    return kept->program;
  }
  auto program = std::make_shared<BoundProgram>();
  program->filter = filter;
  program->records = records_;
  for (const std::string& field : filter->fields()) {
    program->columns.push_back(FindColumn(field));
  }
  Keep({program, nullptr});
  return program;
}

// Takes a step of the bitmap, when its time has come. Returns true when it is there or is not to
// be.
bool AttributeColumns::StepBitmap(FilterUse* use,
                                  const std::shared_ptr<const BoundProgram>& program) {
  {
    const MutexLock lock(mutex_);
    const Kept* kept = Touch(*use->filter);
    if (kept == nullptr || kept->matches != nullptr || !WantsBitmap(*use)) {
      return true;
    }
    DropOrphans();
  }
  auto build = std::find_if(bitmaps_.begin(), bitmaps_.end(),
                            [&](const auto& each) { return each->program() == program; });
  if (build == bitmaps_.end()) {
    if (use->evaluating) {
      return true;  // others have taken the filter's place meanwhile
    }
    build = bitmaps_.insert(build, std::make_unique<BitmapBuild>(program));
  }
  use->evaluating = true;
  const bool done = (*build)->Step();
  if (done) {
    auto matches = std::make_shared<Bitmap>(std::move(**build).Take());
    bitmaps_.erase(build);
    const MutexLock lock(mutex_);
    Keep({program, std::move(matches)});
  }
  CountBuilding();
  return done;
}

// Drops the bitmaps being made of filters that are kept no longer.
void AttributeColumns::DropOrphans() {
  for (auto build = bitmaps_.begin(); build != bitmaps_.end();) {
    const auto kept = kept_by_text_.find((*build)->program()->filter->text());
    const bool orphan = kept == kept_by_text_.end() || kept->second->program != (*build)->program();
    build = orphan ? bitmaps_.erase(build) : build + 1;
  }
}

void AttributeColumns::CountBuilding() {
  std::size_t bytes = 0;
  for (const auto& pass : passes_) {
    bytes += pass->memory_bytes();
  }
  for (const auto& build : bitmaps_) {
    bytes += build->memory_bytes();
  }
  const MutexLock lock(mutex_);
  building_bytes_ = bytes;
}

// Keeps it in place of what is kept of the same text, and drops the least recently used beyond the
// bounds.
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

// Drops the least recently used filter.
void AttributeColumns::DropKept() {
  kept_by_text_.erase(kept_.back().program->filter->text());
  kept_.pop_back();
}

// Makes room for so many new columns of `filter`. A column goes only after all filters kept with
// it.
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
  if (records_ != nullptr || !passes_.empty()) {
    Change(ordinal, json);
  }
}

void AttributeColumns::Erase(std::uint32_t ordinal) {
  const MutexLock build_lock(build_mutex_);
  const MutexLock lock(mutex_);
  if (!passes_.empty() || (records_ != nullptr && records_->Test(ordinal))) {
    Change(ordinal, {});
  }
}

// Brings all that is made, and half made, up to date with one record. What is no object leaves the
// record without attributes. A pass will come to the records that it has not read.
void AttributeColumns::Change(std::uint32_t ordinal, std::string_view json) {
  std::vector<std::span<const NamedColumn>> lists = {columns_};
  for (const auto& pass : passes_) {
    if (pass->HasRead(ordinal)) {
      lists.push_back(pass->columns());
    }
  }
  const bool good = ReadInto(lists, ordinal, json);
  if (good) {
    rows_ = std::max(rows_, std::size_t{ordinal} + 1);
  }
  if (records_ != nullptr) {
    records_->Set(ordinal, good);
  }
  for (const auto& pass : passes_) {
    if (pass->with_records() && pass->HasRead(ordinal)) {
      pass->records().Set(ordinal, good);
    }
  }
  for (Kept& kept : kept_) {
    if (kept.matches != nullptr) {
      // By the program, whose columns have the new values already.
      kept.matches->Set(ordinal, kept.program->Matches(ordinal));
    }
  }
  for (const auto& build : bitmaps_) {
    build->Change(ordinal);
  }
}

// Sets the row of all columns. Returns false for what is no JSON object.
bool AttributeColumns::ReadInto(std::span<const std::span<const NamedColumn>> lists,
                                std::uint32_t ordinal, std::string_view json) {
  for (const auto& list : lists) {
    for (const NamedColumn& named : list) {
      named.column->Clear(ordinal);
    }
  }
  return reader_.Read(json, [&](std::string_view name, const AttributeValue& value) {
    for (const auto& list : lists) {
      SetField(list, ordinal, name, value);
    }
  });
}

void AttributeColumns::Clear() {
  const MutexLock build_lock(build_mutex_);
  const MutexLock lock(mutex_);
  passes_.clear();
  bitmaps_.clear();
  building_bytes_ = 0;
  kept_by_text_.clear();
  kept_.clear();
  columns_.clear();
  records_.reset();
  rows_ = 0;
}

std::size_t AttributeColumns::memory_bytes() const {
  const MutexLock lock(mutex_);
  std::size_t bytes = building_bytes_ + (records_ != nullptr ? records_->memory_bytes() : 0);
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
