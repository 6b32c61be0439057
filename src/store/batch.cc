#include <array>
#include <string>

#include <rocksdb/comparator.h>
#include <rocksdb/db.h>

#include "base/check.h"
#include "store/batch_impl.h"
#include "store/store.h"

namespace reco::store {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

// A WriteBatch only asks a handle for its number, which is the family's place in the enum (see
// Store::Open). So batches can be filled without a store, straight in the form that is written.
class FamilyNumber final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit FamilyNumber(std::size_t number)
      : number_(static_cast<std::uint32_t>(number)),
        name_(FamilyName(static_cast<Family>(number))) {}

  const std::string& GetName() const override { return name_; }
  std::uint32_t GetID() const override { return number_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor* /*descriptor*/) override {
    return rocksdb::Status::NotSupported("a number has no descriptor");
  }
  const rocksdb::Comparator* GetComparator() const override {
    return rocksdb::BytewiseComparator();
  }

 private:
  const std::uint32_t number_;
  const std::string name_;
};

rocksdb::ColumnFamilyHandle* NumberOf(Family family) {
  static std::array<FamilyNumber, kFamilyCount> numbers =
      []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<FamilyNumber, kFamilyCount>{FamilyNumber(kIndex)...};
  }
  (std::make_index_sequence<kFamilyCount>());
  return &numbers[static_cast<std::size_t>(family)];
}

// A batch refuses a change only above 4 GiB for one key or value, which no caller comes near.
void CheckTaken(const rocksdb::Status& status) {
  RECO_CHECK(status.ok());
}

// Adds every change of the batch it walks over to another one.
class Appender final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Appender(rocksdb::WriteBatch& target) : target_(target) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    return target_.Put(NumberOf(static_cast<Family>(family)), key, value);
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    return target_.Delete(NumberOf(static_cast<Family>(family)), key);
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t family, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    return target_.DeleteRange(NumberOf(static_cast<Family>(family)), begin, end);
  }

 private:
  rocksdb::WriteBatch& target_;
};

}  // namespace

Batch::Batch() : impl_(std::make_unique<Impl>()) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

void Batch::Put(Family family, std::string_view key, std::string_view value) {
  CheckTaken(impl_->batch.Put(NumberOf(family), ToSlice(key), ToSlice(value)));
}

void Batch::Delete(Family family, std::string_view key) {
  CheckTaken(impl_->batch.Delete(NumberOf(family), ToSlice(key)));
}

void Batch::DeleteRange(Family family, std::string_view begin, std::string_view end) {
  CheckTaken(impl_->batch.DeleteRange(NumberOf(family), ToSlice(begin), ToSlice(end)));
}

void Batch::Append(const Batch& other) {
  Appender appender(impl_->batch);
  CheckTaken(other.impl_->batch.Iterate(&appender));
}

void Batch::Clear() {
  impl_->batch.Clear();
}

bool Batch::empty() const {
  return impl_->batch.Count() == 0;
}

std::size_t Batch::count() const {
  return impl_->batch.Count();
}

std::size_t Batch::size_bytes() const {
  return impl_->batch.GetDataSize();
}

}  // namespace reco::store
