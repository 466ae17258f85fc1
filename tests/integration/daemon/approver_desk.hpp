#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/approver_enrolment.hpp>

#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/daemon/daemon_process.hpp"

namespace chancery::tests {

/// A machine of an approver's, with the program and the keys that were made there.
struct ApproverDesk {
  explicit ApproverDesk(const DaemonProcess& daemon, std::string person_) : person(std::move(person_)) {
    chancery.set("CHANCERY_SOCKET", daemon.socket().string());
  }

  [[nodiscard]] testing::Run run(const std::vector<std::string>& arguments) const {
    return chancery.run(arguments);
  }
  void does(const std::vector<std::string>& arguments) const {
    const testing::Run done = run(arguments);
    BOOST_REQUIRE_MESSAGE(done.exit == 0, arguments.at(1) + ": " + done.err);
  }
  /// Makes a key here. \param where  the options that say in what; none: in a file
  /// \return the file with its enrolment, by which nobody is enrolled yet
  [[nodiscard]] std::string enrolment(const std::vector<std::string>& where = {}) const {
    const std::string file = (chancery.folder() / "enrolment.json").string();
    std::vector<std::string> arguments{"approver", "enroll", person, "--out", file};
    arguments.insert(arguments.end(), where.begin(), where.end());
    does(arguments);
    return file;
  }
  /// \return the key that is enrolled by that
  std::string vouches(const std::string& document) const {
    does({"approver", "enroll", "--document", document, "--yes"});
    return key_in(document);
  }
  [[nodiscard]] static std::string key_in(const std::string& document) {
    const std::string text = testing::read_file(document);
    const auto enrolment = read_enrolment(text.substr(0, text.find('\n')));
    BOOST_REQUIRE_MESSAGE(enrolment, text);
    return enrolment->key.thumbprint().text();
  }

  std::string person;
  testing::Chancery chancery;
};

}  // namespace chancery::tests
