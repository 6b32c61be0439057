#include "tools/admin/import_commands.h"

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

TEST(AttributesJson, KeepsNumbersAndLeavesEmptyCellsOut) {
  EXPECT_EQ(AttributesJson({"title", "price", "code", "none"}, {1, 2, 3, 4},
                           {"id", "MUG \"BLUE\"", "2.95", "007", ""}),
            R"({"title": "MUG \"BLUE\"", "price": 2.95, "code": "007"})");
  EXPECT_EQ(AttributesJson({}, {}, {"id"}), "{}");
}

}  // namespace
}  // namespace reco::admin
