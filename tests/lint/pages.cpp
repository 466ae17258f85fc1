// Pages of docs/ that repeat what stands in code say the same as the code.
//
// The configuration reference is generated: with CHANCERY_UPDATE_PAGES set, this test writes it anew.

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/error.hpp>

#include "daemon/config/config.hpp"
#include "daemon/rest/http.hpp"
#include "daemon/store/store.hpp"

namespace chancery {
namespace {

const std::string kDocs = CHANCERY_SOURCE_DIR "/docs/";

std::string read_page(const std::string& name) {
  std::ifstream in(kDocs + name);
  BOOST_TEST_REQUIRE(in.good(), "cannot read docs/" << name);
  return {std::istreambuf_iterator<char>(in), {}};
}

BOOST_AUTO_TEST_CASE(configuration_reference_is_what_the_options_say) {
  const std::string name = "operations/configuration.md";
  if (std::getenv("CHANCERY_UPDATE_PAGES") != nullptr)
    std::ofstream(kDocs + name) << config::reference_page();
  BOOST_TEST((read_page(name) == config::reference_page()),
             "docs/" << name << " is out of date: run CHANCERY_UPDATE_PAGES=1 ./dev test -R pages");
}

struct DocumentedCode {
  std::string name;
  std::string status;  // "–" for a code that is no answer of the daemon's
};

/// The rows of the error tables, by number.
std::map<int, DocumentedCode> documented_codes() {
  std::istringstream page(read_page("protocol/errors.md"));
  std::map<int, DocumentedCode> codes;
  for (std::string line; std::getline(page, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    if (cells.size() != 6 || cells[1].find_first_of("0123456789") == std::string::npos) continue;
    const auto trimmed = [](const std::string& cell) {
      const std::size_t first = cell.find_first_not_of(" `");
      return cell.substr(first, cell.find_last_not_of(" `") - first + 1);
    };
    BOOST_TEST(trimmed(cells[4]).ends_with('.'), line);
    BOOST_TEST(trimmed(cells[5]).ends_with('.'), line);
    const bool first_time =
        codes.try_emplace(std::stoi(cells[1]), trimmed(cells[2]), trimmed(cells[3])).second;
    BOOST_TEST(first_time, "two rows for" << cells[1]);
  }
  return codes;
}

BOOST_AUTO_TEST_CASE(error_page_lists_every_code_and_no_other) {
  const std::map<int, DocumentedCode> documented = documented_codes();
  for (const ErrorCode code : all_error_codes()) {
    const auto row = documented.find(static_cast<int>(code));
    BOOST_TEST_REQUIRE((row != documented.end()), "no row for " << error_name(code));
    BOOST_TEST(row->second.name == error_name(code));
  }
  BOOST_TEST(documented.size() == all_error_codes().size());
}

BOOST_AUTO_TEST_CASE(error_page_has_the_statuses_that_the_daemon_answers) {
  const std::map<int, DocumentedCode> documented = documented_codes();
  for (const ErrorCode code : all_error_codes()) {
    const std::string& status = documented.at(static_cast<int>(code)).status;
    const std::string answered = std::to_string(rest::status_of(code));
    // What never reaches an answer would be 500 if it did.
    BOOST_TEST((status == "–" ? "500" : status) == answered, error_name(code));
  }
}

using Ways = std::set<std::pair<std::string, std::string>>;

/// The rows `| \`from\` | \`to\` | when |`.
Ways documented_ways() {
  std::istringstream page(read_page("operations/keys.md"));
  Ways ways;
  for (std::string line; std::getline(page, line);) {
    std::vector<std::string> pieces;
    std::istringstream row(line);
    for (std::string piece; std::getline(row, piece, '`');) pieces.push_back(piece);
    if (pieces.size() < 5 || pieces[0] != "| " || pieces[2] != " | ") continue;
    BOOST_TEST(ways.emplace(pieces[1], pieces[3]).second, line);
  }
  return ways;
}

BOOST_AUTO_TEST_CASE(page_about_keys_lists_every_way_between_their_states_and_no_other) {
  using enum store::KeyState;
  constexpr std::array kStates{kActive, kRotating, kRetired, kLost, kRevoked};
  Ways present;
  for (const store::KeyState from : kStates) {
    for (const store::KeyState to : kStates) {
      if (store::may_become(from, to))
        present.emplace(store::key_state_name(from), store::key_state_name(to));
    }
  }
  BOOST_TEST((documented_ways() == present));
}

// error.cpp names the codes by hand; a code that is missing there would be called "internal".
BOOST_AUTO_TEST_CASE(every_code_of_the_enumeration_has_a_name_and_number_of_its_own) {
  std::ifstream header(CHANCERY_SOURCE_DIR "/sdk/include/chancery/error.hpp");
  std::size_t enumerators = 0;
  for (std::string line; std::getline(header, line);) {
    if (line.starts_with("  k") && line.find(" = ") != std::string::npos) ++enumerators;
  }
  BOOST_TEST(enumerators == all_error_codes().size());
  std::map<std::string_view, ErrorCode> names;
  std::optional<ErrorCode> before;
  for (const ErrorCode code : all_error_codes()) {
    BOOST_TEST(names.emplace(error_name(code), code).second, error_name(code));
    if (before) BOOST_TEST((*before < code), error_name(code));
    before = code;
  }
}

}  // namespace
}  // namespace chancery
