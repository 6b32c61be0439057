#include "tools/admin/stream_report.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

using terminal::Align;
using terminal::AppendElement;
using terminal::AppendMember;
using terminal::Braced;
using terminal::FormatFixed;
using terminal::JsonDouble;
using terminal::JsonString;
using terminal::TextTable;

const std::vector<std::string> kLabels = {"fold-in", "recency", "neighbours", "retrain every"};

std::string Count(std::uint64_t count) {
  return terminal::FormatCount(static_cast<std::int64_t>(count));
}

std::string FigureText(const StreamFigure& figure) {
  if (!std::isfinite(figure.value)) {
    return "-";
  }
  std::string text = FormatFixed(figure.value, 4);
  if (std::isfinite(figure.half_width)) {
    text.append(" +-").append(FormatFixed(figure.half_width, 4));
  }
  return text;
}

std::vector<std::string> Labels(const StreamRow& row) {
  return {terminal::Printable(row.mode), terminal::Printable(row.recency),
          terminal::Printable(row.neighbours),
          row.retrain_every == 0 ? "-" : Count(row.retrain_every)};
}

TextTable MakeTable(std::size_t figures) {
  std::vector<Align> columns = {Align::kLeft, Align::kRight, Align::kLeft, Align::kRight};
  columns.insert(columns.end(), figures, Align::kRight);
  return TextTable(std::move(columns));
}

std::string Heading(const StreamReport& report) {
  const StreamPlan& plan = report.plan;
  std::string text = Count(report.events) + " events of " + Count(report.users) + " users and " +
                     Count(report.items) + " items";
  if (report.bad > 0) {
    text += " (" + Count(report.bad) + " bad lines left out)";
  }
  text += "; trained on the first " + Count(plan.training) + "\n" + Count(plan.questions.size()) +
          (report.next_basket ? " first items of baskets" : " next items") + " asked for";
  text += ", " + Count(plan.new_items) +
          " of them never seen before; told only: " + Count(plan.repeats) + " repeats, " +
          Count(plan.negatives) + " negative";
  if (report.next_basket) {
    text += ", " + Count(plan.inside_baskets) + " inside baskets";
  }
  return text + "\n+- is the 95% confidence interval\n";
}

std::string OverallTable(const StreamReport& report) {
  const std::vector<std::size_t>& cutoffs = report.rows.front().score.cutoffs();
  TextTable table = MakeTable(2 * cutoffs.size() + 1);
  std::vector<std::string> header = kLabels;
  for (const std::size_t cutoff : cutoffs) {
    header.push_back("recall@" + std::to_string(cutoff));
    header.push_back("MRR@" + std::to_string(cutoff));
  }
  header.emplace_back("replayed in");
  table.AddRow(std::move(header));
  for (const StreamRow& row : report.rows) {
    std::vector<std::string> cells = Labels(row);
    for (std::size_t c = 0; c < cutoffs.size(); ++c) {
      cells.push_back(FigureText(row.score.Recall(kAllQuestions, c)));
      cells.push_back(FigureText(row.score.ReciprocalRank(kAllQuestions, c)));
    }
    cells.push_back(terminal::FormatDuration(row.seconds));
    table.AddRow(std::move(cells));
  }
  return table.ToText();
}

// Returns what each row gains over the first of its replay, where that has several; "" otherwise.
std::string GainTable(const StreamReport& report) {
  const std::vector<std::size_t>& cutoffs = report.rows.front().score.cutoffs();
  TextTable table = MakeTable(2 * cutoffs.size());
  std::vector<std::string> header = kLabels;
  for (const std::size_t cutoff : cutoffs) {
    header.push_back("recall@" + std::to_string(cutoff));
    header.push_back("MRR@" + std::to_string(cutoff));
  }
  table.AddRow(std::move(header));
  bool any = false;
  for (std::size_t r = 0; r < report.rows.size(); ++r) {
    const StreamRow& row = report.rows[r];
    if (row.base == r) {
      continue;
    }
    any = true;
    const std::vector<std::uint32_t>& base = report.rows[row.base].score.ranks();
    std::vector<std::string> cells = Labels(row);
    for (const std::size_t cutoff : cutoffs) {
      cells.push_back(FigureText(RecallGain(row.score.ranks(), base, cutoff)));
      cells.push_back(FigureText(ReciprocalRankGain(row.score.ranks(), base, cutoff)));
    }
    table.AddRow(std::move(cells));
  }
  return any ? "gained over the first row of the same replay, question by question\n" +
                   table.ToText() + '\n'
             : "";
}

using Measure = StreamFigure (StreamScore::*)(std::size_t split, std::size_t cutoff) const;

// Returns a table with a column for each split.
std::string SplitTable(const StreamReport& report, const std::string& name, Measure measure) {
  const StreamScore& first = report.rows.front().score;
  // At the largest cut-off only: splits have fewer questions, and there the most of them are hits.
  const std::size_t cutoff = static_cast<std::size_t>(
      std::max_element(first.cutoffs().begin(), first.cutoffs().end()) - first.cutoffs().begin());
  TextTable table = MakeTable(kStreamSplits.size() - 1);
  std::vector<std::string> header = kLabels;
  std::vector<std::string> questions(kLabels.size());
  questions[0] = "questions";
  // Without split 0, which is all questions and has a table of its own.
  for (std::size_t split = 1; split < kStreamSplits.size(); ++split) {
    header.emplace_back(kStreamSplits[split]);
    questions.push_back(Count(first.questions(split)));
  }
  table.AddRow(std::move(header));
  table.AddRow(std::move(questions));
  for (const StreamRow& row : report.rows) {
    std::vector<std::string> cells = Labels(row);
    for (std::size_t split = 1; split < kStreamSplits.size(); ++split) {
      cells.push_back(FigureText((row.score.*measure)(split, cutoff)));
    }
    table.AddRow(std::move(cells));
  }
  return name + '@' + std::to_string(first.cutoffs()[cutoff]) +
         " of users there at the training, of new ones, and by items a user had when asked\n" +
         table.ToText();
}

std::string FigureJson(const StreamScore& score, std::size_t split, std::size_t cutoff) {
  const StreamFigure recall = score.Recall(split, cutoff);
  const StreamFigure reciprocal = score.ReciprocalRank(split, cutoff);
  std::string json;
  AppendMember(&json, "questions", std::to_string(score.questions(split)));
  AppendMember(&json, "recall", JsonDouble(recall.value));
  AppendMember(&json, "recall-half-width", JsonDouble(recall.half_width));
  AppendMember(&json, "mrr", JsonDouble(reciprocal.value));
  AppendMember(&json, "mrr-half-width", JsonDouble(reciprocal.half_width));
  return Braced(json);
}

// What the score gains over `base`, which was asked the same questions.
std::string GainJson(const StreamScore& score, const StreamScore& base, std::size_t cutoff) {
  const StreamFigure recall = RecallGain(score.ranks(), base.ranks(), cutoff);
  const StreamFigure reciprocal = ReciprocalRankGain(score.ranks(), base.ranks(), cutoff);
  std::string json;
  AppendMember(&json, "recall", JsonDouble(recall.value));
  AppendMember(&json, "recall-half-width", JsonDouble(recall.half_width));
  AppendMember(&json, "mrr", JsonDouble(reciprocal.value));
  AppendMember(&json, "mrr-half-width", JsonDouble(reciprocal.half_width));
  return Braced(json);
}

// `base`: the first row of the same replay.
std::string RowJson(const StreamRow& row, const StreamRow& base) {
  std::string parameters;
  for (const auto& [name, value] : row.parameters) {
    AppendMember(&parameters, name, terminal::JsonScalar(value));
  }
  std::string at;
  for (std::size_t c = 0; c < row.score.cutoffs().size(); ++c) {
    std::string splits;
    for (std::size_t split = 0; split < kStreamSplits.size(); ++split) {
      AppendMember(&splits, kStreamSplits[split], FigureJson(row.score, split, c));
    }
    if (&row != &base) {
      AppendMember(&splits, "gain", GainJson(row.score, base.score, row.score.cutoffs()[c]));
    }
    AppendMember(&at, std::to_string(row.score.cutoffs()[c]), Braced(splits));
  }
  std::string json;
  AppendMember(&json, "mode", JsonString(row.mode));
  AppendMember(&json, "recency", terminal::JsonScalar(row.recency));
  AppendMember(&json, "neighbours", JsonString(row.neighbours));
  AppendMember(&json, "retrain-every", std::to_string(row.retrain_every));
  AppendMember(&json, "seconds", JsonDouble(row.seconds));
  AppendMember(&json, "parameters", Braced(parameters));
  AppendMember(&json, "at", Braced(at));
  return Braced(json);
}

}  // namespace

std::string ToText(const StreamReport& report) {
  return Heading(report) + '\n' + OverallTable(report) + '\n' + GainTable(report) +
         SplitTable(report, "recall", &StreamScore::Recall) + '\n' +
         SplitTable(report, "MRR", &StreamScore::ReciprocalRank);
}

std::string ToJson(const StreamReport& report) {
  const auto boolean = [](bool value) { return value ? "true" : "false"; };
  const StreamPlan& plan = report.plan;
  std::string rows;
  for (const StreamRow& row : report.rows) {
    AppendElement(&rows, RowJson(row, report.rows[row.base]));
  }
  std::string json;
  AppendMember(&json, "key", JsonString(report.key));
  AppendMember(&json, "file", JsonString(report.path));
  AppendMember(&json, "seed", std::to_string(report.seed));
  AppendMember(&json, "keep-order", boolean(report.keep_order));
  AppendMember(&json, "train-share", JsonDouble(report.train_share));
  AppendMember(&json, "next-basket", boolean(report.next_basket));
  AppendMember(&json, "basket-gap-s", JsonDouble(static_cast<double>(report.basket_gap_ms) / 1000));
  AppendMember(&json, "users", std::to_string(report.users));
  AppendMember(&json, "items", std::to_string(report.items));
  AppendMember(&json, "events", std::to_string(report.events));
  AppendMember(&json, "bad", std::to_string(report.bad));
  AppendMember(&json, "training", std::to_string(plan.training));
  AppendMember(&json, "questions", std::to_string(plan.questions.size()));
  AppendMember(&json, "new-items", std::to_string(plan.new_items));
  AppendMember(&json, "repeats", std::to_string(plan.repeats));
  AppendMember(&json, "negatives", std::to_string(plan.negatives));
  AppendMember(&json, "inside-baskets", std::to_string(plan.inside_baskets));
  AppendMember(&json, "rows", '[' + rows + ']');
  return Braced(json) + '\n';
}

}  // namespace reco::admin
