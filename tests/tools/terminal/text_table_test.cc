#include "tools/terminal/text_table.h"

#include <gtest/gtest.h>

namespace reco::terminal {
namespace {

TEST(TextTable, AlignsColumnsByCharacters) {
  TextTable table({Align::kLeft, Align::kRight});
  table.AddRow({"caf\xC3\xA9", "1"});
  table.AddRow({"a", "200"});
  table.AddRow({"tea"});
  EXPECT_EQ(table.ToText(1), " caf\xC3\xA9    1\n a     200\n tea\n");
}

}  // namespace
}  // namespace reco::terminal
