// Messages about backends and the daemon's process, both ways.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/messages.hpp"

namespace chancery::tests {
namespace {

api::Backend backend_with_everything() {
  api::Backend backend;
  backend.name = "tpm";
  backend.type = "tpm";
  backend.manufacturer = "STM";
  backend.firmware = "00010002.00030004";
  backend.emulated = true;
  backend.algorithms = {"ES256", "Ed25519"};
  backend.state = "device_lockout";
  backend.advice = "wait";
  backend.native = "0x921";
  backend.load = {1, 2, 3, 4, 5};
  backend.is_default = true;
  backend.is_issuer = true;
  backend.agent_keys = 6;
  backend.facts = {{"lockout", "32 of 32", "bad", "wait"}, {"EK certificates", "RSA 2048", "ok", ""}};
  return backend;
}

constexpr const char* kLeast =
    R"({"agent_keys":0,"algorithms":[],"default":false,"emulated":false,"firmware":"","issuer":false,)"
    R"("load":{"cached_keys":0,"live_objects":0,"live_sessions":0,"queued":0,"recoveries":0},)"
    R"("manufacturer":"","name":"hsm","state":"ok","type":"pkcs11"})";

}  // namespace

BOOST_AUTO_TEST_CASE(a_backend_comes_back_as_it_was_written) {
  const api::Backend backend = backend_with_everything();
  const auto read = wire::read_backend(wire::write(backend));
  BOOST_REQUIRE(read);
  BOOST_TEST((*read == backend));
}

BOOST_AUTO_TEST_CASE(a_backend_without_trouble_has_no_advice_code_or_facts) {
  const auto read = wire::read_backend(kLeast);
  BOOST_REQUIRE(read);
  BOOST_TEST(wire::write(*read) == kLeast);
}

BOOST_AUTO_TEST_CASE(a_list_keeps_its_order) {
  api::BackendList list;
  list.backends = {backend_with_everything(), *wire::read_backend(kLeast)};
  const auto read = wire::read_backend_list(wire::write(list));
  BOOST_REQUIRE(read);
  BOOST_TEST((read->backends == list.backends));
  BOOST_TEST(wire::read_backend_list(R"({"backends":[]})")->backends.empty());
}

BOOST_AUTO_TEST_CASE(a_process_comes_back_as_it_was_written) {
  const api::Process process{{{"core dumps", "off", "ok", ""}}};
  const auto read = wire::read_process(wire::write(process));
  BOOST_REQUIRE(read);
  BOOST_TEST((read->facts == process.facts));
}

BOOST_DATA_TEST_CASE(
    what_is_no_backend_is_refused,
    boost::unit_test::data::make({
        R"([])",
        R"({"name":"tpm"})",
        R"({"algorithms":[],"name":"","state":"ok","type":"tpm","load":{}})",
        R"({"algorithms":[],"name":"tpm","state":"","type":"tpm","load":{}})",
        R"({"algorithms":[],"name":"tpm","state":"ok","type":"tpm"})",
        R"({"algorithms":"ES256","name":"tpm","state":"ok","type":"tpm","load":{}})",
        R"({"algorithms":[],"name":"tpm","state":"ok","type":"tpm","load":{"queued":-1}})",
        R"({"algorithms":[],"name":"tpm","state":"ok","type":"tpm","load":{"queued":"1"}})",
        R"({"algorithms":[],"name":"tpm","state":"ok","type":"tpm","load":{},"emulated":"yes"})",
        R"({"algorithms":[],"name":"tpm","state":"ok","type":"tpm","load":{},"facts":{}})",
        R"({"algorithms":[],"name":"tpm","state":"ok","type":"tpm","load":{},"facts":[{"name":"a"}]})",
    }),
    json) {
  const auto read = wire::read_backend(json);
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(what_is_no_list_is_refused) {
  for (const char* json : {"{}", R"({"backends":{}})", R"({"backends":[{}]})"}) {
    BOOST_TEST(!wire::read_backend_list(json), json);
  }
}

}  // namespace chancery::tests
