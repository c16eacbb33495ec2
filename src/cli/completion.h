// What shells complete and man pages say, from the same tables as --help.
//
//   protean --completion bash|zsh   a script for the shell
//   protean --man                   the manual page, in roff
//
// The scripts ask the program itself, so they never age: `protean --complete`
// prints its commands, `protean COMMAND --complete` the command's flags, a line
// each: name, what its value is, help, with tabs between. What a value is:
// "none", "text", "file", or its choices with blanks between.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace protean {

// Of one command; `keys`: whether it takes keys too.
std::string completions(const std::vector<CommandFlag>& flags, bool keys);
// bash or zsh; throws ConfigError on another shell.
std::string completion_script(const std::string& shell);

// The part of the manual page on one command.
std::string manual_of(const std::string& usage,
                      const std::vector<CommandFlag>& flags, bool keys);
// Before the commands, and after them: all keys.
std::string manual_begin();
std::string manual_end();

}  // namespace protean
