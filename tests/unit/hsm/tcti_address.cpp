#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "hsm/tpm/tcti.hpp"

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;
using Kind = TctiAddress::Kind;

struct Accepted {
  std::string text;
  Kind kind;
  std::string path;
};
std::ostream& operator<<(std::ostream& out, const Accepted& row) { return out << row.text; }

const std::string kLongest = "/" + std::string(106, 'x');  // sun_path holds 107 characters and a NUL

const std::array kAccepted{
    Accepted{"device:/dev/tpmrm0", Kind::kDevice, "/dev/tpmrm0"},
    Accepted{"device:/dev/tpmrm15", Kind::kDevice, "/dev/tpmrm15"},
    Accepted{"device:" + kLongest + "x", Kind::kDevice, kLongest + "x"},
    Accepted{"swtpm:path=/run/tpm/s", Kind::kSwtpm, "/run/tpm/s"},
    Accepted{"swtpm:path=" + kLongest, Kind::kSwtpm, kLongest},
};

struct Refused {
  std::string text;
  std::string says;  // a part of the error
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << '"' << row.text << '"'; }

const std::array kRefused{
    Refused{"", "nothing else"},
    Refused{"/dev/tpmrm0", "nothing else"},
    Refused{"device", "nothing else"},
    Refused{"Device:/dev/tpmrm0", "nothing else"},
    Refused{" device:/dev/tpmrm0", "nothing else"},
    Refused{"cmd:sh -c true", "nothing else"},
    Refused{"libtss2-tcti-device.so:/dev/tpm0", "nothing else"},
    Refused{"mssim:host=localhost,port=2321", "nothing else"},
    Refused{"tabrmd:", "nothing else"},
    Refused{"pcap:device:/dev/tpm0", "nothing else"},
    Refused{"swtpm:", "nothing else"},
    Refused{"swtpm:host=localhost,port=2321", "nothing else"},
    Refused{"swtpm:/run/tpm/s", "nothing else"},
    Refused{"device:", "absolute"},
    Refused{"device:dev/tpmrm0", "absolute"},
    Refused{"device:./tpm", "absolute"},
    Refused{"device: /dev/tpmrm0", "absolute"},
    Refused{"swtpm:path=", "absolute"},
    Refused{"swtpm:path=s", "absolute"},
    Refused{"swtpm:path=/run/s,port=1", "comma"},
    Refused{"device:/dev/tpm0", "resource manager"},
    Refused{"device:/dev/tpm15", "resource manager"},
    Refused{"device:/dev/tpmrm0,x", "comma"},
    Refused{std::string("device:/dev/tpm\0rm0", 19), "NUL"},
    Refused{"swtpm:path=" + kLongest + "x", "too long"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_device_or_a_socket_is_an_address, data::make(kAccepted), row) {
  const auto address = TctiAddress::parse(row.text);
  BOOST_REQUIRE(address);
  BOOST_TEST((address->kind == row.kind));
  BOOST_TEST(address->path == row.path);
}

BOOST_DATA_TEST_CASE(whatever_else_is_refused_with_its_reason, data::make(kRefused), row) {
  const auto address = TctiAddress::parse(row.text);
  BOOST_REQUIRE(!address);
  BOOST_TEST((address.error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST(std::string(address.error().what).find(row.says) != std::string::npos, address.error().what);
}

}  // namespace chancery::hsm
