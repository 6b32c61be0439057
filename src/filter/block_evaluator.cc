#include "filter/block_evaluator.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace reco::filter {
namespace {

// A stack slot of them is 2 KiB: a few fit the first cache.
constexpr std::size_t kBlockRows = Column::kChunkRows;
constexpr std::size_t kBlockWords = kBlockRows / Bitmap::kWordBits;
using Words = std::array<std::uint64_t, kBlockWords>;
using Numbers = std::array<double, kBlockRows>;

bool IsComparison(Op op) {
  switch (op) {
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kLess:
    case Op::kLessEqual:
      return true;
    default:
      return false;
  }
}

// A place of the stack: one value for each row of the block, in whichever form they came.
struct Lane {
  const Value* literal = nullptr;        // the same for every row
  const Column* column = nullptr;        // the field itself
  const Column::Chunk* chunk = nullptr;  // its rows of the block
  // Neither: numbers[row], among them the truth values 1 and 0.
  Numbers* numbers = nullptr;  // this place's own store
};

// Remembers what an operator made of each string of a column's dictionary and a literal.
class Memo {
 public:
  template <typename Compute>
  bool Get(std::size_t id, std::size_t size, Compute compute) {
    if (known_.size() < size) {
      known_.resize(size, kUnknown);
    }
    if (known_[id] == kUnknown) {
      known_[id] = compute() ? kTrue : kFalse;
    }
    return known_[id] == kTrue;
  }

 private:
  static constexpr std::uint8_t kUnknown = 0;
  static constexpr std::uint8_t kFalse = 1;
  static constexpr std::uint8_t kTrue = 2;
  std::vector<std::uint8_t> known_;
};

class BlockEvaluator {
 public:
  explicit BlockEvaluator(const BoundProgram& bound)
      : bound_(bound),
        program_(bound.filter->program()),
        stores_(program_.stack_max),
        lanes_(program_.stack_max),
        memos_(program_.instructions.size()) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      lanes_[i].numbers = &stores_[i];
    }
  }

  // Returns the matching ones of `rows` rows from `first`, a multiple of kBlockRows.
  Words Run(std::size_t first, std::size_t rows) {
    first_ = first;
    rows_ = rows;
    Words words = Usable();
    // Most blocks of a rare field.
    if (std::all_of(words.begin(), words.end(), [](std::uint64_t word) { return word == 0; })) {
      return words;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < program_.instructions.size(); ++i) {
      Step(i, &size);
    }
    const double* truth = TruthOf(lanes_[0]);
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::uint64_t bit = truth[row] != 0 ? 1 : 0;
      words[row / Bitmap::kWordBits] &= ~((bit ^ 1) << (row % Bitmap::kWordBits));
    }
    return words;
  }

 private:
  // The rows that are records and have all fields.
  Words Usable() const {
    Words words{};
    const std::span<const std::uint64_t> records = bound_.records->words();
    for (std::size_t i = 0; i < Bitmap::WordsFor(rows_); ++i) {
      const std::size_t word = first_ / Bitmap::kWordBits + i;
      words[i] = word < records.size() ? records[word] : 0;
    }
    for (const auto& column : bound_.columns) {
      const Column::Chunk* chunk = ChunkOf(*column);
      if (chunk == nullptr) {
        return {};
      }
      for (std::size_t row = 0; row < rows_; ++row) {
        const std::uint64_t missing = chunk->tags[row] == Tag::kMissing ? 1 : 0;
        words[row / Bitmap::kWordBits] &= ~(missing << (row % Bitmap::kWordBits));
      }
    }
    return words;
  }

  // Returns the column's chunk for the block; while a row is usable there is one of each column.
  const Column::Chunk* ChunkOf(const Column& column) const {
    return column.chunk(first_ / kBlockRows);
  }

  void Step(std::size_t index, std::size_t* size) {
    const Instruction instruction = program_.instructions[index];
    switch (instruction.op) {
      case Op::kLiteral:
        lanes_[*size].literal = &program_.literals[instruction.operand];
        lanes_[(*size)++].column = nullptr;
        break;
      case Op::kField:
        lanes_[*size].literal = nullptr;
        lanes_[*size].column = bound_.columns[instruction.operand].get();
        lanes_[*size].chunk = ChunkOf(*lanes_[*size].column);
        ++*size;
        break;
      case Op::kNot:
        Not(&lanes_[*size - 1]);
        break;
      default:
        --*size;
        Binary(index, &lanes_[*size - 1], lanes_[*size]);
    }
  }

  static void BecomeNumbers(Lane* lane) {
    lane->literal = nullptr;
    lane->column = nullptr;
  }

  void Not(Lane* lane) {
    const double* truth = TruthOf(*lane);
    double* out = lane->numbers->data();
    for (std::size_t row = 0; row < rows_; ++row) {
      out[row] = truth[row] != 0 ? 0 : 1;
    }
    BecomeNumbers(lane);
  }

  // The result takes the place of `a`.
  void Binary(std::size_t index, Lane* a, const Lane& b) {
    const Op op = program_.instructions[index].op;
    if (op == Op::kAnd || op == Op::kOr) {
      Logic(op, a, b);
    } else if (IsComparison(op)) {
      if (IsNumeric(*a) && IsNumeric(b)) {
        Arithmetic(op, a, b);
      } else {
        Match(index, a, b);
      }
    } else if (op == Op::kIn) {
      Match(index, a, b);
    } else {
      Arithmetic(op, a, b);
    }
    BecomeNumbers(a);
  }

  void Logic(Op op, Lane* a, const Lane& b) {
    const double* left = TruthOf(*a);
    const double* right = TruthOf(b);
    double* out = a->numbers->data();
    if (op == Op::kAnd) {
      for (std::size_t row = 0; row < rows_; ++row) {
        out[row] = ((left[row] != 0) & (right[row] != 0)) ? 1 : 0;
      }
    } else {
      for (std::size_t row = 0; row < rows_; ++row) {
        out[row] = ((left[row] != 0) | (right[row] != 0)) ? 1 : 0;
      }
    }
  }

  template <typename Compute>
  void ForRows(Lane* a, const Lane& b, Compute compute) {
    const double* left = NumbersOf(*a);
    const double* right = NumbersOf(b);
    double* out = a->numbers->data();
    for (std::size_t row = 0; row < rows_; ++row) {
      out[row] = compute(left[row], right[row]);
    }
  }

  // Of numbers that are doubles. A loop of its own for what the compiler turns into vector
  // instructions.
  void Arithmetic(Op op, Lane* a, const Lane& b) {
    switch (op) {
      case Op::kMultiply:
        return ForRows(a, b, [](double x, double y) { return x * y; });
      case Op::kDivide:
        return ForRows(a, b, [](double x, double y) { return x / y; });
      case Op::kAdd:
        return ForRows(a, b, [](double x, double y) { return x + y; });
      case Op::kSubtract:
        return ForRows(a, b, [](double x, double y) { return x - y; });
      case Op::kGreater:
        return ForRows(a, b, [](double x, double y) { return x > y ? 1.0 : 0.0; });
      case Op::kGreaterEqual:
        return ForRows(a, b, [](double x, double y) { return x >= y ? 1.0 : 0.0; });
      case Op::kLess:
        return ForRows(a, b, [](double x, double y) { return x < y ? 1.0 : 0.0; });
      case Op::kLessEqual:
        return ForRows(a, b, [](double x, double y) { return x <= y ? 1.0 : 0.0; });
      case Op::kEqual:
        return ForRows(a, b, [](double x, double y) { return x == y ? 1.0 : 0.0; });
      case Op::kNotEqual:
        return ForRows(a, b, [](double x, double y) { return x != y ? 1.0 : 0.0; });
      default:
        return ForRows(a, b, [op](double x, double y) { return ApplyToNumbers(op, x, y); });
    }
  }

  // Compares values of any type, by row.
  void Match(std::size_t index, Lane* a, const Lane& b) {
    const Op op = program_.instructions[index].op;
    double* out = a->numbers->data();
    // A copy: the results go into a's store, and a itself becomes numbers.
    const Lane left = *a;
    const Column* column = left.column != nullptr ? left.column : b.column;
    const Column::Chunk* chunk = left.column != nullptr ? left.chunk : b.chunk;
    const bool remember = column != nullptr && (left.literal != nullptr || b.literal != nullptr);
    const auto match = [&](std::size_t row) {
      return Apply(op, ValueAt(left, row), ValueAt(b, row)) != 0;
    };
    for (std::size_t row = 0; row < rows_; ++row) {
      // Equal strings have one id, so each is compared once for all rows.
      if (remember && chunk->tags[row] == Tag::kString) {
        out[row] = memos_[index].Get(chunk->payloads[row], column->dictionary().size(),
                                     [&] { return match(row); })
                       ? 1
                       : 0;
      } else {
        out[row] = match(row) ? 1 : 0;
      }
    }
  }

  Value ValueAt(const Lane& lane, std::size_t row) const {
    if (lane.literal != nullptr) {
      return *lane.literal;
    }
    return lane.column != nullptr ? lane.column->At(*lane.chunk, row)
                                  : Value::Number((*lane.numbers)[row]);
  }

  // Returns true iff every usable row is a double here.
  bool IsNumeric(const Lane& lane) const {
    if (lane.literal != nullptr) {
      return lane.literal->tag == Tag::kNumber;
    }
    if (lane.column == nullptr) {
      return true;
    }
    const Tag* tags = lane.chunk->tags.data();
    bool other = false;
    for (std::size_t row = 0; row < rows_; ++row) {
      other |= (tags[row] != Tag::kNumber) & (tags[row] != Tag::kMissing);
    }
    return !other;
  }

  // Returns what each row is as a number; in the lane's store.
  const double* NumbersOf(const Lane& lane) const {
    double* out = lane.numbers->data();
    if (lane.literal != nullptr) {
      std::fill_n(out, rows_, lane.literal->number);
    } else if (lane.column != nullptr && IsNumeric(lane)) {
      const std::uint64_t* payloads = lane.chunk->payloads.data();
      std::transform(payloads, payloads + rows_, out,
                     [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
    } else if (lane.column != nullptr) {
      for (std::size_t row = 0; row < rows_; ++row) {
        out[row] = lane.column->At(*lane.chunk, row).number;
      }
    }
    return out;
  }

  // Returns not 0 for each row that counts as true; in the lane's store.
  const double* TruthOf(const Lane& lane) const {
    double* out = lane.numbers->data();
    if (lane.literal != nullptr) {
      std::fill_n(out, rows_, Truth(*lane.literal) ? 1 : 0);
    } else if (lane.column != nullptr) {
      for (std::size_t row = 0; row < rows_; ++row) {
        out[row] = Truth(lane.column->At(*lane.chunk, row)) ? 1 : 0;
      }
    }
    return out;
  }

  const BoundProgram& bound_;
  const Program& program_;
  std::vector<Numbers> stores_;
  std::vector<Lane> lanes_;
  std::vector<Memo> memos_;  // one an instruction
  std::size_t first_ = 0;
  std::size_t rows_ = 0;
};

}  // namespace

class BitmapBuild::Evaluator : public BlockEvaluator {
  using BlockEvaluator::BlockEvaluator;
};

BitmapBuild::BitmapBuild(std::shared_ptr<const BoundProgram> program)
    : program_(std::move(program)) {
  matches_.Reserve(program_->records->words().size() * Bitmap::kWordBits);
}

BitmapBuild::~BitmapBuild() = default;

bool BitmapBuild::Step() {
  // An instruction takes 0.3 to 1 us a block, `%` and `**` some more.
  constexpr std::size_t kInstructionsAStep = 512;
  if (evaluator_ == nullptr) {
    evaluator_ = std::make_unique<Evaluator>(*program_);
  }
  const std::size_t instructions = program_->filter->program().instructions.size();
  const std::size_t rows = program_->records->words().size() * Bitmap::kWordBits;
  const std::size_t blocks = std::max<std::size_t>(1, kInstructionsAStep / instructions);
  const std::size_t end = std::min(rows, next_row_ + blocks * kBlockRows);
  for (; next_row_ < end; next_row_ += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, rows - next_row_);
    const Words words = evaluator_->Run(next_row_, count);
    matches_.SetWords(next_row_ / Bitmap::kWordBits,
                      std::span(words).first(Bitmap::WordsFor(count)));
  }
  return next_row_ >= rows;
}

void BitmapBuild::Change(std::uint32_t ordinal) {
  // What it remembers goes by ids of the dictionary, which a change may have made anew.
  evaluator_.reset();
  if (ordinal < next_row_) {
    matches_.Set(ordinal, program_->Matches(ordinal));
  }
}

}  // namespace reco::filter
