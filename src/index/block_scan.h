// BlockScan: bounds the scores of a block of coded rows and selects those that may reach a
// threshold. The hot loop of retrieval.
//
// Every implementation computes the same integer dot products; the float32 bounds may differ in the
// last bits, which the bounds allow for. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/code_block.h"
#include "index/item_index.h"

namespace reco::index {

// Rows of the block, ascending, whose upper bound is not below the threshold (or is NaN).
struct Selection {
  std::size_t count = 0;
  // With room for a whole tile to be stored behind the last row.
  std::array<std::uint16_t, kBlockRows + kTileRows> rows;
  std::array<float, kBlockRows + kTileRows> upper;
  std::array<std::int32_t, kBlockRows + kTileRows> dot;  // see CoarseRow
};

// `upper` bounds q.y for kInnerProduct and q.y / |y| for kCosine.
struct ScanRequest {
  const QueryCode* query = nullptr;
  std::size_t stride = 0;
  Metric metric = Metric::kInnerProduct;
  float threshold = 0;
};

// One query of a batch. All of a batch have the same stride and metric.
struct BlockQuery {
  const ScanRequest* request = nullptr;
  Selection* out = nullptr;
};

// Selects by the fastest one for this processor. Several queries cost less than as many calls: the
// codes are loaded and taken apart once.
void SelectRows(const CodeBlock& block, std::span<const BlockQuery> queries);
inline void SelectRows(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  const BlockQuery query{&request, out};
  SelectRows(block, {&query, 1});
}

// Selects by plain loops.
void SelectRowsReference(const CodeBlock& block, std::span<const BlockQuery> queries);
// Selects by Highway's choice of instruction set, at run time.
void SelectRowsHighway(const CodeBlock& block, std::span<const BlockQuery> queries);
// Selects by AVX-512 VNNI, which Highway 1.0.3 does not offer. Only where VnniSupported().
void SelectRowsVnni(const CodeBlock& block, std::span<const BlockQuery> queries);
bool VnniSupported();

}  // namespace reco::index
