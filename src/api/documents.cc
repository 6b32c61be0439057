// Writes the documents from the tables. Wording and order are part of them: the committed files are
// compared byte by byte.
#include "api/documents.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/options.h"

#include "api/commands/command_syntax.h"
#include "api/commands/reco/list_options.h"
#include "api/config/config_options.h"
#include "api/protocol/reply.h"
#include "api/protocol/words.h"
#include "engine/settings/parameters.h"

namespace reco::api {
namespace {

// Groups in the order of the document, with their headings.
constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
    {"reco", "Recommendations"},  {"generic", "Keys"},  {"string", "Strings"},
    {"connection", "Connection"}, {"server", "Server"}, {"cluster", "Cluster"},
};

// Returns the text as it is written in a table cell or a paragraph of Markdown.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') {
      escaped.push_back('\\');
    }
    escaped.push_back(c);
  }
  return escaped;
}

std::string Joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    text.append(text.empty() ? "" : " ").append(word);
  }
  return text.empty() ? "none" : text;
}

// Appends the command, then its subcommands; a container itself has nothing to say.
void AppendCommand(const CommandEntry& entry, std::string* text) {
  const CommandSpec& spec = *entry.spec;
  if (spec.handler != nullptr) {
    *text += "### `" + CommandSyntax(entry) + "`\n\n" + Escaped(spec.summary);
    if (!spec.summary.ends_with('.')) {
      *text += ".";
    }
    *text += " Complexity: " + Escaped(spec.complexity) + ".\n\n";
    *text += "Arity " + std::to_string(spec.arity);
    *text += "; flags: " + Escaped(Joined(FlagNames(spec.flags)));
    *text += "; categories: " + Joined(CategoryNames(spec)) + ".\n\n";
  }
  for (const CommandEntry* subcommand : entry.subcommands) {
    AppendCommand(*subcommand, text);
  }
}

// Returns the sections of the options, in the order in which the table first names them.
std::vector<std::string_view> Sections() {
  std::vector<std::string_view> sections;
  for (const OptionSpec& spec : OptionTable()) {
    if (std::find(sections.begin(), sections.end(), spec.section) == sections.end()) {
      sections.push_back(spec.section);
    }
  }
  return sections;
}

// Appends `text` in lines of at most 100 columns that start with `prefix`.
void AppendWrapped(std::string_view text, std::string_view prefix, std::string* out) {
  constexpr std::size_t kColumns = 100;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (prefix.size() + length > kColumns) {
      const std::size_t blank = text.rfind(' ', kColumns - prefix.size());
      // A word longer than a line stays whole.
      length = blank == std::string_view::npos ? length : blank;
    }
    out->append(prefix).append(text.substr(0, length)).append("\n");
    text.remove_prefix(std::min(text.size(), length + 1));
  }
}

std::string_view EffectName(engine::ParameterEffect effect) {
  switch (effect) {
    case engine::ParameterEffect::kFixed:
      return "fixed at creation";
    case engine::ParameterEffect::kNextTraining:
      return "next training";
    case engine::ParameterEffect::kAtOnce:
      break;
  }
  return "at once";
}

void AppendParameters(std::string* text) {
  *text +=
      "\n## Parameters of a collection\n\n"
      "Each collection has its own: given to `RECO.CREATE`, shown and changed by `RECO.CONFIG`; "
      "those "
      "of a training\n"
      "also for one `RECO.RETRAIN`.\n\n"
      "| parameter | default | must be | takes effect | meaning |\n|---|---|---|---|---|\n";
  const CollectionOptions defaults;
  for (const engine::Parameter& parameter : engine::CollectionParameters()) {
    std::string value = "none";
    // Parameters without a value of their own, such as type.*, have no default.
    if (parameter.get != nullptr) {
      value = engine::GetParameters(defaults, parameter.name).front().second;
    }
    text->append("| `").append(parameter.name);
    *text += "` | `" + value + "` | " + Escaped(parameter.range) + " | " +
             std::string(EffectName(parameter.effect)) + " | " + Escaped(parameter.doc) + " |\n";
  }
}

// Returns true iff the command documents the option. The name is compared too: BY is one option of
// SIMILAR and another of POPULAR.
bool Shows(const CommandEntry& command, const ArgumentSpec& option) {
  return std::ranges::any_of(command.spec->arguments, [&](const ArgumentSpec& argument) {
    return argument.token == option.token && argument.name == option.name;
  });
}

// Returns the names of commands without "RECO.", with commas between.
std::string ShortNames(std::span<const CommandEntry* const> commands) {
  std::string names;
  for (const CommandEntry* command : commands) {
    names.append(names.empty() ? "" : ", ");
    names += UpperCase(command->spec->name.substr(command->spec->name.find('.') + 1));
  }
  return names;
}

// Returns the lists whose rows show the option, in words.
std::string ListsWith(std::span<const CommandEntry* const> lists, const ArgumentSpec& option) {
  std::vector<const CommandEntry*> with;
  std::vector<const CommandEntry*> without;
  for (const CommandEntry* list : lists) {
    (Shows(*list, option) ? with : without).push_back(list);
  }
  if (without.empty()) {
    return "every list";
  }
  // Whichever is shorter to read.
  return with.size() > without.size() ? "all but " + ShortNames(without) : ShortNames(with);
}

std::string RangeOf(const Option<ListRequest>& option) {
  // Options without a number have no range.
  if (option.min == option.max) {
    return "";
  }
  if (option.max == std::numeric_limits<double>::max()) {
    return "any number";
  }
  const bool text = option.argument.type == "string";
  return FormatDouble(option.min) + " to " + FormatDouble(option.max) + (text ? " bytes" : "");
}

void AppendListOptions(const CommandTable& table, std::string* text) {
  const auto offset = std::ranges::find_if(kListOptions, [](const Option<ListRequest>& option) {
    return option.argument.token == "OFFSET";  // every list has pages, and nothing else has
  });
  std::vector<const CommandEntry*> lists;
  std::ranges::copy_if(table.commands(), std::back_inserter(lists),
                       [&](const CommandEntry* entry) { return Shows(*entry, offset->argument); });
  text->append(
      "## Options of lists\n\n"
      "| option | value | meaning | of |\n|---|---|---|---|\n");
  for (const Option<ListRequest>& option : kListOptions) {
    std::string syntax = ArgumentSyntax({&option.argument, 1});
    syntax = syntax.substr(1, syntax.size() - 2);  // without the brackets of what may be left out
    // A bar ends the cell even between back-ticks.
    for (std::size_t bar = syntax.find('|'); bar != std::string::npos;
         bar = syntax.find('|', bar + 2)) {
      syntax.insert(bar, 1, '\\');
    }
    text->append("| `").append(syntax).append("` | ");
    text->append(RangeOf(option)).append(" | ").append(Escaped(option.doc)).append(" | ");
    text->append(ListsWith(lists, option.argument)).append(" |\n");
  }
  text->append("\n");
}

std::string Quoted(std::string_view value) {
  return value.empty() ? "\"\"" : std::string(value);
}

}  // namespace

std::string CommandsDocument(const CommandTable& table) {
  std::string text =
      "# Commands\n\n"
      "Generated from the command table; `reco-docs commands` prints it.\n\n"
      "Arguments in capitals are keywords, in any case; `[...]` may be left out, `a|b` is a "
      "choice. "
      "Arity counts\n"
      "the command's own words; a negative one is a minimum. What the options of lists mean is "
      "said "
      "[at the end](#options-of-lists).\n\n"
      "## Errors\n\n"
      "| code | when |\n|---|---|\n"
      "| `ERR` | the request is wrong, or the state does not allow it; nothing was changed |\n"
      "| `WRONGTYPE` | the key holds another kind of value |\n"
      "| `NOAUTH` | a password is set and the connection has not sent it |\n"
      "| `WRONGPASS` | AUTH or HELLO with a wrong user or password |\n"
      "| `NOPROTO` | HELLO with a protocol other than 2 or 3 |\n"
      "| `OOM` | the command may need memory and `maxmemory` is reached |\n"
      "| `MISCONF` | the log cannot be written; the change was undone, reads go on |\n"
      "| `DENIED` | protected mode refuses a connection from another machine |\n\n";
  for (const auto& [group, heading] : kGroups) {
    std::vector<const CommandEntry*> entries;
    for (const CommandEntry* entry : table.commands()) {
      if (entry->spec->group == group) {
        entries.push_back(entry);
      }
    }
    // By name, for readers; COMMAND has the order of the table.
    std::sort(entries.begin(), entries.end(), [](const CommandEntry* a, const CommandEntry* b) {
      return a->full_name < b->full_name;
    });
    if (!entries.empty()) {
      text.append("## ").append(heading).append("\n\n");
    }
    for (const CommandEntry* entry : entries) {
      AppendCommand(*entry, &text);
    }
  }
  AppendListOptions(table, &text);
  text.pop_back();  // one newline at the end
  return text;
}

std::string OptionsDocument() {
  std::string text =
      "# Options\n\n"
      "Generated from the table of options; `reco-docs options` prints it.\n\n"
      "Each can stand in the configuration file (`name value`), on the command line (`--name "
      "value`, which wins\n"
      "over the file), and in `CONFIG GET`. Those marked *runtime* can be changed with `CONFIG "
      "SET`. Bytes take\n"
      "units: `1k` is 1000, `1kb` 1024, and so on with m, mb, g, gb.\n";
  for (const std::string_view section : Sections()) {
    text += "\n## " + UpperCase(section.substr(0, 1)) + std::string(section.substr(1)) + "\n\n";
    text += "| option | default | values | | meaning |\n|---|---|---|---|---|\n";
    for (const OptionSpec& spec : OptionTable()) {
      if (spec.section == section) {
        text.append("| `").append(spec.name);
        text += "` | `" + Quoted(spec.default_value) + "` | " + Escaped(DescribeRange(spec)) +
                " | " + (spec.runtime ? "runtime" : "") + " | " + Escaped(spec.documentation) +
                " |\n";
      }
    }
  }
  AppendParameters(&text);
  return text;
}

std::string ConfigDocument() {
  std::string text =
      "# Configuration of reco-server. Every option, its meaning, its values and its default; to "
      "change one,\n"
      "# remove the # in front of it. Start with: reco-server reco.conf [--option value ...]\n"
      "# A value with blanks is written in quotes. Bytes take units: 1k is 1000, 1kb 1024, and so "
      "on with\n"
      "# m, mb, g, gb. Generated from the table of options; reco-docs config prints it.\n";
  for (const std::string_view section : Sections()) {
    std::string body;
    for (const OptionSpec& spec : OptionTable()) {
      // Fixed options cannot be set, so they do not belong into a file to edit.
      if (spec.section != section || spec.type == OptionType::kFixed) {
        continue;
      }
      body += "\n";
      AppendWrapped(spec.documentation, "# ", &body);
      const std::string runtime = spec.runtime ? " CONFIG SET can change it." : "";
      AppendWrapped("Values: " + DescribeRange(spec) + "." + runtime, "# ", &body);
      body.append("# ").append(spec.name).append(" ").append(Quoted(spec.default_value));
      body += "\n";
    }
    if (!body.empty()) {
      const std::string rule(20, '#');
      text.append("\n" + rule + " ").append(UpperCase(section)).append(" " + rule + "\n");
      text += body;
    }
  }
  return text;
}

}  // namespace reco::api
