#include "api/commands/command_syntax.h"

#include <algorithm>

#include "api/protocol/words.h"

namespace reco::api {
namespace {

std::string OneArgument(const ArgumentSpec& argument) {
  std::string text;
  // First the value alone, then what surrounds it, from the inside out: repetition, keyword,
  // brackets.
  if (argument.type == "pure-token") {
    text = argument.token;
  } else if (argument.type == "oneof") {
    for (const ArgumentSpec& choice : argument.arguments) {
      text.append(text.empty() ? "" : "|").append(OneArgument(choice));
    }
    // Brackets hold the choices together where there are any, angle brackets where there are none.
    if (!argument.optional) {
      text = std::string("<").append(text).append(">");
    }
  } else if (argument.type == "block") {
    text = ArgumentSyntax(argument.arguments);
  } else {
    text = argument.name;
  }
  if (argument.multiple) {
    text = std::string(text).append(" [").append(text).append(" ...]");
  }
  if (!argument.token.empty() && argument.type != "pure-token") {
    // The keyword stands once, before all repetitions of its value.
    text = std::string(argument.token) + " " + text;
  }
  return argument.optional ? std::string("[").append(text).append("]") : text;
}

}  // namespace

std::string ArgumentSyntax(std::span<const ArgumentSpec> arguments) {
  std::string text;
  for (const ArgumentSpec& argument : arguments) {
    text.append(text.empty() ? "" : " ").append(OneArgument(argument));
  }
  return text;
}

std::string CommandSyntax(const CommandEntry& entry) {
  std::string text = entry.parent == nullptr ? "" : UpperCase(entry.parent->spec->name) + " ";
  text += UpperCase(entry.spec->name);
  const std::string arguments = ArgumentSyntax(entry.spec->arguments);
  if (!arguments.empty()) {
    text.append(" ").append(arguments);
  }
  return text;
}

std::vector<std::string> HelpLines(const CommandEntry& container) {
  std::vector<std::string> lines;
  lines.push_back(UpperCase(container.spec->name) +
                  " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const CommandEntry* entry : container.subcommands) {
    // HELP comes last, whatever its place in the table, in the words of Redis.
    if (entry->spec->name == "help") {
      continue;
    }
    const std::string arguments = ArgumentSyntax(entry->spec->arguments);
    lines.push_back(UpperCase(entry->spec->name) + (arguments.empty() ? "" : " " + arguments));
    lines.push_back("    " + std::string(entry->spec->summary));
  }
  lines.emplace_back("HELP");
  lines.emplace_back("    Prints this help.");
  return lines;
}

}  // namespace reco::api
