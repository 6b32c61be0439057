// The documents that are made from the tables of commands and options. A test holds the committed
// files to them.
#pragma once

#include <string>

#include "api/commands/command_table.h"

namespace reco::api {

std::string CommandsDocument(const CommandTable& table);  // doc/commands.md
std::string OptionsDocument();                            // doc/options.md
std::string ConfigDocument();                             // reco.conf

}  // namespace reco::api
