#include "sdk/client/endpoint.hpp"

#include <array>
#include <map>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace chancery;
using namespace chancery::client;

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

struct PrecedenceCase {
  const char* what;
  std::string socket;
  std::string address;
  std::string socket_variable;
  std::string address_variable;
  std::string want;
};
std::ostream& operator<<(std::ostream& out, const PrecedenceCase& c) { return out << c.what; }

const std::array kPrecedence{
    PrecedenceCase{"nothing given", "", "", "", "", "unix:/run/chancery/chancery.sock"},
    PrecedenceCase{"CHANCERY_ADDR", "", "", "", "https://b:1", "https://b:1"},
    PrecedenceCase{"CHANCERY_SOCKET before CHANCERY_ADDR", "", "", "/s", "https://b:1", "unix:/s"},
    PrecedenceCase{"explicit address before variables", "", "https://a", "/s", "https://b:1", "https://a"},
    PrecedenceCase{"explicit socket before variables", "/t", "", "/s", "https://b:1", "unix:/t"},
};

struct AddressCase {
  const char* address;
  bool good;
};
std::ostream& operator<<(std::ostream& out, const AddressCase& c) { return out << c.address; }

constexpr std::array kAddresses{
    AddressCase{"https://localhost", true},
    AddressCase{"https://localhost/", true},
    AddressCase{"https://localhost:65535", true},
    AddressCase{"https://chancery.example.org:8443", true},
    AddressCase{"https://127.0.0.1:8443", true},
    AddressCase{"https://[::1]:8443", true},
    AddressCase{"https://localhost:65536", false},
    AddressCase{"https://localhost:0", false},
    AddressCase{"https://localhost:", false},
    AddressCase{"https://localhost:84a", false},
    AddressCase{"https://", false},
    AddressCase{"https://:8443", false},
    AddressCase{"https://[]:8443", false},
    AddressCase{"https://[::1", false},
    AddressCase{"http://localhost:8443", false},
    AddressCase{"HTTPS://localhost", false},
    AddressCase{"localhost:8443", false},
    AddressCase{"https://user:secret@localhost", false},
    AddressCase{"https://localhost/v1", false},
    AddressCase{"https://localhost?x", false},
    AddressCase{"https://localhost#x", false},
    AddressCase{"https://local host", false},
    AddressCase{"unix:/run/x.sock", false},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint)

BOOST_DATA_TEST_CASE(the_nearest_setting_decides, boost::unit_test::data::make(kPrecedence), c) {
  ClientOptions options;
  options.socket = c.socket;
  options.address = c.address;
  const auto environment =
      variables({{"CHANCERY_SOCKET", c.socket_variable}, {"CHANCERY_ADDR", c.address_variable}});
  BOOST_TEST(describe(resolve_endpoint(options, environment).value()) == c.want);
}

BOOST_DATA_TEST_CASE(an_address_is_https_with_host_and_port_only, boost::unit_test::data::make(kAddresses),
                     c) {
  ClientOptions options;
  options.address = c.address;
  BOOST_TEST(resolve_endpoint(options, variables({})).has_value() == c.good);
}

BOOST_AUTO_TEST_CASE(the_ca_file_is_taken_from_the_options_before_the_environment) {
  ClientOptions options;
  options.address = "https://localhost";
  const auto environment = variables({{"CHANCERY_CACERT", "/env.pem"}});
  BOOST_TEST(std::get<HttpsEndpoint>(resolve_endpoint(options, environment).value()).ca_file == "/env.pem");
  options.ca_file = "/given.pem";
  BOOST_TEST(std::get<HttpsEndpoint>(resolve_endpoint(options, environment).value()).ca_file == "/given.pem");
}

BOOST_AUTO_TEST_CASE(a_socket_path_is_as_long_as_the_kernel_takes) {
  ClientOptions options;
  options.socket = "/" + std::string(106, 'a');
  BOOST_TEST(resolve_endpoint(options, variables({})).has_value());
  options.socket += 'a';
  BOOST_TEST((resolve_endpoint(options, variables({})).error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_SUITE_END()
