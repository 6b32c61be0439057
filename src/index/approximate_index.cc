// The graph is changed under its own mutex by one background thread, the notes of what is to change
// under the caller's lock; so no write waits for the graph.
#include "index/approximate_index.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>

// Defines functions that are not inline: no other source of this library may include it. Without
// its own vector code, which reads past the end of lists to prefetch.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

#include "index/query_search.h"
#include "index/score.h"
#include "model/fold_in.h"

namespace reco::index {
namespace {

constexpr std::size_t kFirstCapacity = 1'024;

// Returns hnswlib's distance: less is nearer.
float Distance(const void* a, const void* b, const void* stride) {
  return 1 - model::Dot(static_cast<const float*>(a), static_cast<const float*>(b),
                        static_cast<std::uint32_t>(*static_cast<const std::size_t*>(stride)));
}

class ProductSpace : public hnswlib::SpaceInterface<float> {
 public:
  explicit ProductSpace(std::size_t stride) : stride_(stride) {}
  std::size_t get_data_size() override { return stride_ * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return Distance; }
  void* get_dist_func_param() override { return &stride_; }

 private:
  std::size_t stride_;
};

}  // namespace

struct ApproximateIndex::Graph {
  Graph(std::size_t stride, const ApproximateOptions& options)
      : space(stride),
        graph(&space, kFirstCapacity, options.links, options.build_ef, options.seed) {
    graph.setEf(1);  // a search asks for as many rows as it looks at instead
  }

  bool Contains(std::uint32_t ordinal) const { return graph.label_lookup_.contains(ordinal); }
  bool Deleted(std::uint32_t ordinal) const {
    return graph.isMarkedDeleted(graph.label_lookup_.at(ordinal));
  }

  ProductSpace space;
  hnswlib::HierarchicalNSW<float> graph;
};

ApproximateIndex::ApproximateIndex(const model::FactorTable& items,
                                   const ApproximateOptions& options)
    : items_(items), options_(options), graph_(std::make_unique<Graph>(items.stride(), options)) {}

ApproximateIndex::~ApproximateIndex() = default;

void ApproximateIndex::Note(std::uint32_t ordinal) {
  if (ordinal >= present_.size()) {
    present_.resize(ordinal + std::size_t{1});
    noted_.resize(ordinal + std::size_t{1});
  }
  if (!noted_[ordinal]) {
    noted_[ordinal] = true;
    pending_.push_back(ordinal);
  }
}

// Returns true iff the row is finite and, where directions are compared, has one.
bool ApproximateIndex::Usable(std::uint32_t ordinal) const {
  const float* row = items_.row(ordinal);
  return std::all_of(row, row + items_.stride(), [](float v) { return std::isfinite(v); }) &&
         ScoreRow(options_.metric, row, row, items_.stride()).has_value();
}

void ApproximateIndex::Refresh(std::uint32_t ordinal) {
  // Noted also when it is not usable: it may be in the graph from before, and is to be taken out.
  Note(ordinal);
  present_[ordinal] = Usable(ordinal);
}

void ApproximateIndex::Remove(std::uint32_t ordinal) {
  if (ordinal < present_.size() && present_[ordinal]) {
    Note(ordinal);
    present_[ordinal] = false;
  }
}

ApproximateBatch ApproximateIndex::Copy(std::size_t rows_max) {
  ApproximateBatch batch;
  const std::size_t count = std::min(rows_max, pending_.size());
  const std::size_t stride = items_.stride();
  batch.ordinals.assign(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  batch.rows.resize(count * stride);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t ordinal = batch.ordinals[i];
    // A change from here on notes the row again, behind this batch.
    noted_[ordinal] = false;
    batch.present.push_back(present_[ordinal]);
    if (!present_[ordinal]) {
      continue;
    }
    const float* row = items_.row(ordinal);
    double length = 1;
    if (options_.metric == Metric::kCosine) {
      length = 0;
      for (std::size_t j = 0; j < stride; ++j) {
        length += static_cast<double>(row[j]) * row[j];
      }
      length = std::sqrt(length);
    }
    for (std::size_t j = 0; j < stride; ++j) {
      batch.rows[i * stride + j] = static_cast<float>(row[j] / length);
    }
  }
  return batch;
}

void ApproximateIndex::Return(const ApproximateBatch& batch) {
  for (const std::uint32_t ordinal : batch.ordinals) {
    Note(ordinal);
  }
}

void ApproximateIndex::InsertRow(std::uint32_t ordinal, const float* row) {
  auto& graph = graph_->graph;
  const bool known = graph_->Contains(ordinal);
  if (row == nullptr) {
    if (known && !graph_->Deleted(ordinal)) {
      // hnswlib takes nothing out: links lead on through it, and its place is used when it comes
      // back.
      graph.markDelete(ordinal);
    }
    return;
  }
  if (!known && graph.cur_element_count == graph.max_elements_) {
    // Doubled, so that a row costs constant time in the mean.
    graph.resizeIndex(2 * graph.max_elements_);
  }
  graph.addPoint(row, ordinal);
}

Status ApproximateIndex::Insert(const ApproximateBatch& batch) {
  // Not the table's: it may be gone.
  const std::size_t stride = batch.ordinals.empty() ? 0 : batch.rows.size() / batch.ordinals.size();
  for (std::size_t i = 0; i < batch.ordinals.size(); ++i) {
    // Held for one row at a time: searches wait for no more than that.
    WriterLock lock(graph_mutex_);
    try {
      InsertRow(batch.ordinals[i], batch.present[i] ? &batch.rows[i * stride] : nullptr);
    } catch (const std::exception& error) {
      return Status::ResourceExhausted(std::string("the graph of neighbours: ") + error.what());
    }
  }
  return Status::Ok();
}

// Fetches the `count` nearest, in no order. Returns false when not even that many are there.
bool ApproximateIndex::Fetch(const float* query, std::size_t count,
                             std::vector<std::uint32_t>* ordinals) const {
  ordinals->clear();
  for (auto found = graph_->graph.searchKnn(query, count); !found.empty(); found.pop()) {
    ordinals->push_back(static_cast<std::uint32_t>(found.top().second));
  }
  return ordinals->size() == count;
}

Status ApproximateIndex::Search(const SearchRequest& request, std::size_t ef,
                                std::vector<Candidate>* out) const {
  if (request.metric != options_.metric) {
    return Status::InvalidArgument("the graph of neighbours is of another metric");
  }
  const auto accept = [&](std::uint32_t ordinal) {
    // The graph may still hold what was removed or has no finite row any more.
    return ordinal < present_.size() && present_[ordinal] && request.accept(ordinal);
  };
  SearchRequest checked{request.query, request.k,      request.metric,
                        accept,        request.before, request.among};
  const std::size_t least = std::max(ef, request.k);
  const std::size_t most = std::max(least, std::min(least * kWidenMax, kWidenedRowsMax));
  std::vector<std::uint32_t> ordinals;
  for (std::size_t count = least;; count = std::min(4 * count, most)) {
    // Begun anew each time: a wider search of the graph finds the narrower one's rows again.
    QuerySearch search(checked, items_.stride(), 0, out);
    if (!search.active()) {
      return Status::Ok();
    }
    bool more = false;
    {
      ReaderLock lock(graph_mutex_);
      try {
        more = Fetch(request.query, count, &ordinals);
      } catch (const std::exception& error) {
        return Status::ResourceExhausted(std::string("the graph of neighbours: ") + error.what());
      }
    }
    // Scored from the table as it is now, not from the graph's copies.
    search.TakeAll(items_, ordinals);
    if (search.best().full() || !more || count == most) {
      search.best().Sort();
      return Status::Ok();
    }
  }
}

double ApproximateIndex::MeasureRecall(const ItemIndex& exact,
                                       std::span<const float* const> queries, std::size_t k,
                                       std::size_t ef) const {
  std::size_t best = 0;
  std::size_t found = 0;
  const auto all = [](std::uint32_t) { return true; };
  const auto ascending = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  std::vector<Candidate> expected;
  std::vector<Candidate> got;
  for (const float* query : queries) {
    const SearchRequest request{query, k, options_.metric, all, ascending};
    exact.Search(request, &expected);
    best += expected.size();
    if (!Search(request, ef, &got).ok()) {
      continue;
    }
    for (const Candidate& candidate : got) {
      found += static_cast<std::size_t>(
          std::any_of(expected.begin(), expected.end(),
                      [&](const Candidate& other) { return other.ordinal == candidate.ordinal; }));
    }
  }
  return best == 0 ? 1 : static_cast<double>(found) / static_cast<double>(best);
}

std::size_t ApproximateIndex::size() const {
  ReaderLock lock(graph_mutex_);
  return graph_->graph.cur_element_count - graph_->graph.num_deleted_;
}

std::size_t ApproximateIndex::memory_bytes() const {
  ReaderLock lock(graph_mutex_);
  const auto& graph = graph_->graph;
  constexpr std::size_t kLookup = 40;  // of a node of the map from labels
  std::size_t bytes = sizeof(*this) + sizeof(Graph) +
                      graph.max_elements_ * (graph.size_data_per_element_ + sizeof(char*) +
                                             sizeof(std::mutex) + sizeof(int)) +
                      graph.cur_element_count * kLookup;
  for (std::size_t i = 0; i < graph.cur_element_count; ++i) {
    bytes += static_cast<std::size_t>(graph.element_levels_[i]) * graph.size_links_per_element_;
  }
  return bytes + pending_.size() * sizeof(std::uint32_t) + present_.capacity() / 4;
}

}  // namespace reco::index
