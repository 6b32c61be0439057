// The protocol's share of a command: parsing a request and writing a reply.
#include <string>

#include <benchmark/benchmark.h>

#include "api/all_commands.h"
#include "api/commands/command_table.h"
#include "api/protocol/reply.h"
#include "api/protocol/request_parser.h"

namespace {

using reco::api::CommandTable;
using reco::api::Reply;
using reco::api::RequestParser;

// A pipeline of `state.range(0)` requests, as redis-benchmark -P sends it.
void ParsePipeline(benchmark::State& state) {
  std::string stream;
  for (int i = 0; i < state.range(0); ++i) {
    stream += "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$3\r\nabc\r\n";
  }
  RequestParser parser;
  for (auto iteration : state) {
    static_cast<void>(iteration);
    std::string_view rest = stream;
    while (parser.Parse(rest, {}) == RequestParser::Outcome::kRequest) {
      benchmark::DoNotOptimize(parser.arguments().data());
      rest.remove_prefix(parser.consumed());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ParsePipeline)->Arg(1)->Arg(16);

void LookUpCommand(benchmark::State& state) {
  const CommandTable table(reco::api::AllCommands());
  for (auto iteration : state) {
    static_cast<void>(iteration);
    benchmark::DoNotOptimize(table.Find("RECO.ADD"));
  }
}
BENCHMARK(LookUpCommand);

// The reply of RECO.TOPK ... COUNT 20 WITHSCORES.
void WriteRanking(benchmark::State& state) {
  std::string out;
  for (auto iteration : state) {
    static_cast<void>(iteration);
    out.clear();
    Reply reply(&out, 3);
    reply.Array(20);
    for (int i = 0; i < 20; ++i) {
      reply.Array(2);
      reply.Bulk("item:00042");
      reply.Double(0.123456789 * i);
    }
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(WriteRanking);

}  // namespace

BENCHMARK_MAIN();
