// BlockScan: bounds the scores of a block of coded rows and selects those that may reach a
// threshold. The hot loop of retrieval.
//
// Every implementation computes the same integer dot products; the float32 bounds may differ in the
// last bits, which the bounds allow for. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "index/code_block.h"
#include "index/item_index.h"

namespace reco::index {

// Rows of the block, ascending, whose upper bound is not below the threshold (or is NaN).
struct Selection {
  std::size_t count = 0;
  std::array<std::uint16_t, kBlockRows> rows;
  std::array<float, kBlockRows> upper;
};

// `upper` bounds q.y for kInnerProduct and q.y / |y| for kCosine.
struct ScanRequest {
  const QueryCode* query = nullptr;
  std::size_t stride = 0;
  Metric metric = Metric::kInnerProduct;
  float threshold = 0;
};

// The fastest one for this processor.
void SelectRows(const CodeBlock& block, const ScanRequest& request, Selection* out);

// Plain loops.
void SelectRowsReference(const CodeBlock& block, const ScanRequest& request, Selection* out);
// Highway's choice of instruction set, at run time.
void SelectRowsHighway(const CodeBlock& block, const ScanRequest& request, Selection* out);
// AVX-512 VNNI, which Highway 1.0.3 does not offer. Only where VnniSupported().
void SelectRowsVnni(const CodeBlock& block, const ScanRequest& request, Selection* out);
bool VnniSupported();

}  // namespace reco::index
