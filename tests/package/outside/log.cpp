// outside_log SECRET: copies a line of the standard input without the secrets in it.
#include <iostream>
#include <string>

#include <chancery/redaction.hpp>

int main(int argc, char** argv) {
  auto redactor = chancery::Redactor::create();
  if (argc != 2 || !redactor) return 2;
  if (!redactor->hide(chancery::as_bytes(argv[1]))) return 2;
  std::string line;
  std::getline(std::cin, line);
  std::cout << redactor->redact(line) << '\n';
  return 0;
}
