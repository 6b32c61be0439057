// Trains on one file of pairs and prints what it took, a JSON object a line, for comparison with
// other programs (bench/peers):
//   bench_training PAIRS [VECTORS] [name=value]...
// with the names dim, iterations, alpha, reg, regn, w0, tolerance, seed, start, threads. PAIRS, in
// the machine's byte order: rows, columns and pairs (uint64 each), rows + 1 offsets (uint64), the
// pairs' columns (uint32, ascending in a row) and weights (float32). VECTORS receives the users',
// then the items' vectors, dim float32 each.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "model/interaction_matrix.h"
#include "model/trainer.h"

namespace reco::model {
namespace {

template <typename T>
void ReadArray(std::ifstream& file, T* to, std::size_t count) {
  file.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count * sizeof(T)));
}

std::optional<InteractionMatrix> ReadPairs(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t sizes[3] = {};
  ReadArray(file, sizes, 3);
  if (!file) {
    return std::nullopt;
  }
  InteractionMatrix matrix;
  matrix.columns_count = sizes[1];
  matrix.offsets.resize(sizes[0] + 1);
  matrix.columns.resize(sizes[2]);
  matrix.weights.resize(sizes[2]);
  ReadArray(file, matrix.offsets.data(), matrix.offsets.size());
  ReadArray(file, matrix.columns.data(), matrix.columns.size());
  ReadArray(file, matrix.weights.data(), matrix.weights.size());
  return file ? std::optional(std::move(matrix)) : std::nullopt;
}

void WriteVectors(std::ofstream& file, const FactorTable& table) {
  for (std::size_t row = 0; row < table.rows(); ++row) {
    file.write(reinterpret_cast<const char*>(table.row(row)),
               static_cast<std::streamsize>(table.dim() * sizeof(float)));
  }
}

// The most memory that the process has had, in bytes; 0 when the system does not tell. Unlike
// getrusage it leaves out the program that started this one.
std::uint64_t PeakBytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  std::uint64_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmHWM:" && status >> kilobytes) {
      return kilobytes * 1024;
    }
  }
  return 0;
}

// name=value pairs of the command line.
class Settings {
 public:
  void Add(const std::string& word) {
    const std::size_t at = word.find('=');
    values_[word.substr(0, at)] = std::strtod(word.c_str() + at + 1, nullptr);
  }
  double Get(const std::string& name, double otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }

 private:
  std::map<std::string, double> values_;
};

TrainingParams ToParams(const Settings& settings) {
  TrainingParams params;
  params.dim = static_cast<std::uint32_t>(settings.Get("dim", 64));
  params.iterations = static_cast<std::uint32_t>(settings.Get("iterations", 12));
  params.threads = static_cast<std::uint32_t>(settings.Get("threads", 2));
  params.seed = static_cast<std::uint64_t>(settings.Get("seed", 1));
  params.start = settings.Get("start", params.start);
  params.solve.alpha = static_cast<float>(settings.Get("alpha", 1));
  params.solve.reg = static_cast<float>(settings.Get("reg", 0.1));
  params.solve.regn = static_cast<float>(settings.Get("regn", 0));
  params.solve.unobserved = static_cast<float>(settings.Get("w0", 1));
  params.unobserved_auto = false;
  params.tolerance = settings.Get("tolerance", 0);
  return params;
}

int Run(const std::string& pairs, const std::string& vectors, const Settings& settings) {
  std::optional<InteractionMatrix> by_user = ReadPairs(pairs);
  if (!by_user) {
    std::fprintf(stderr, "%s cannot be read\n", pairs.c_str());
    return 1;
  }
  const InteractionMatrix by_item = Transpose(*by_user);
  const auto model = Train(*by_user, by_item, ToParams(settings), {});
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().ToString().c_str());
    return 1;
  }
  for (std::size_t i = 0; i < model->seconds.size(); ++i) {
    std::printf("{\"iteration\": %zu, \"seconds\": %.6f, \"objective\": %.9g}\n", i,
                model->seconds[i], model->objectives[i]);
  }
  std::printf("{\"seconds_per_iteration\": %.6f, \"objective\": %.9g, \"peak_bytes\": %llu}\n",
              model->seconds_per_iteration, model->objective,
              static_cast<unsigned long long>(PeakBytes()));
  if (!vectors.empty()) {
    std::ofstream file(vectors, std::ios::binary);
    WriteVectors(file, model->users);
    WriteVectors(file, model->items);
    return file.flush() ? 0 : 1;
  }
  return 0;
}

}  // namespace
}  // namespace reco::model

int main(int argc, char** argv) {
  std::string paths[2];
  std::size_t count = 0;
  reco::model::Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.find('=') != std::string::npos) {
      settings.Add(word);
    } else if (count < 2) {
      paths[count++] = word;
    }
  }
  return reco::model::Run(paths[0], paths[1], settings);
}
