// redacted_log [SECRET-FILE]: copies its standard input, line by line, without the secrets in it. A program does the same
// in the formatter of its log.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <chancery/redaction.hpp>

int main(int argc, char** argv) {
  auto redactor = chancery::Redactor::create();
  if (!redactor) return 2;
  if (argc > 1) {
    std::ifstream file(argv[1]);
    const std::string secret(std::istreambuf_iterator<char>(file), {});
    if (const auto hidden = redactor->hide(chancery::as_bytes(secret)); !hidden) {
      std::cerr << "redacted_log: " << hidden.error().what << '\n';
      return 2;
    }
  }
  for (std::string line; std::getline(std::cin, line);) std::cout << redactor->redact(line) << '\n';
  return 0;
}
