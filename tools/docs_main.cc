// reco-docs: prints the documents that are made from the tables of commands and options.
#include <cstdio>
#include <string>
#include <string_view>

#include "api/all_commands.h"
#include "api/commands/command_table.h"
#include "api/documents.h"

int main(int argc, char** argv) {
  const std::string_view which = argc == 2 ? argv[1] : "";
  std::string text;
  if (which == "commands") {
    text = reco::api::CommandsDocument(reco::api::CommandTable(reco::api::AllCommands()));
  } else if (which == "options") {
    text = reco::api::OptionsDocument();
  } else if (which == "config") {
    text = reco::api::ConfigDocument();
  } else {
    std::fputs("usage: reco-docs commands|options|config\n", stderr);
    return 2;
  }
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
