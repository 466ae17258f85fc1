// The calls around the audit log: what is sent and how answers are read.
#include <functional>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/audit_client.hpp>

#include "sdk/wire/audit_messages.hpp"
#include "tests/unit/client/scripted_daemon.hpp"

namespace {

using namespace chancery;
using chancery::testing::Answers;
using Scripted = chancery::testing::ScriptedDaemon<AuditClient>;

const std::string kEntry = R"({"action":"token.grant","at":1800000000,"details":{"amount":0.1},"v":1})";
const std::string kNote = "chancery.example/audit/00\n7\nAAAA\n\n\xE2\x80\x94 x y\n";

api::AuditInclusion some_inclusion() { return {7, 9, {1}, {Sha256Digest{2}, Sha256Digest{3}}}; }

/// A call, and the request that it makes.
struct CallCase {
  const char* line;
  std::function<bool(const AuditClient&)> is_answered;
  std::string answer;
};
std::ostream& operator<<(std::ostream& out, const CallCase& row) { return out << row.line; }

const std::string kPage = wire::write(api::AuditPage{{{7, kEntry}}, 9});

bool is_the_page(const ClientResult<api::AuditPage>& page) {
  return page && page->size == 9 && page->entries == std::vector<api::AuditEntry>{{7, kEntry}};
}

bool is_proved(const ClientResult<api::ProvedAuditEntry>& entry) {
  return entry && entry->entry == api::AuditEntry{7, kEntry} && entry->inclusion == some_inclusion() &&
         entry->checkpoint == api::AuditCheckpoint{9, 1800000001, kNote} && entry->salt == Bytes{10, 11};
}

bool are_the_keys(const ClientResult<api::AuditKeys>& keys) {
  return keys && keys->origin == "log" && keys->keys.size() == 1 && keys->keys[0].verifier_key == "log+0+x" &&
         keys->keys[0].jwk == R"({"kty":"EC"})" && keys->keys[0].state == "active";
}

const CallCase kCalls[] = {
    {"GET /v1/audit/entries?limit=2&after=6&ref=a%26b",
     [](const AuditClient& log) {
       const api::AuditQuery query{6, 2, "a&b", false};
       return is_the_page(log.entries(query)) && is_the_page(log.entries_async(query).get());
     },
     kPage},
    {"GET /v1/audit/entries?last=5",
     [](const AuditClient& log) { return is_the_page(log.entries({.limit = 5, .is_tail = true})); }, kPage},
    {"GET /v1/audit/entries/7",
     [](const AuditClient& log) { return is_proved(log.entry(7)) && is_proved(log.entry_async(7).get()); },
     wire::write(api::ProvedAuditEntry{
         {7, kEntry}, {1}, some_inclusion(), api::AuditCheckpoint{9, 1800000001, kNote}, {10, 11}})},
    {"GET /v1/audit/inclusion?entry=7&size=9",
     [](const AuditClient& log) {
       return log.inclusion(7, 9).value() == some_inclusion() && log.inclusion_async(7, 9).get();
     },
     wire::write(some_inclusion())},
    {"GET /v1/audit/consistency?from=7&to=9",
     [](const AuditClient& log) {
       return log.consistency(7, 9).value() == api::AuditConsistency{7, 9, {Sha256Digest{4}}} &&
              log.consistency_async(7, 9).get();
     },
     wire::write(api::AuditConsistency{7, 9, {Sha256Digest{4}}})},
    {"GET /v1/audit/checkpoints?limit=3&after=7",
     [](const AuditClient& log) {
       return log.checkpoints(7, 3).value().checkpoints ==
                  std::vector<api::AuditCheckpoint>{{9, 1800000001, kNote}} &&
              log.checkpoints_async(7, 3).get();
     },
     wire::write(api::AuditCheckpointPage{{{9, 1800000001, kNote}}})},
    {"POST /v1/audit/checkpoints",
     [](const AuditClient& log) {
       return log.make_checkpoint().value() == api::AuditCheckpoint{9, 1800000001, kNote} &&
              log.make_checkpoint_async().get();
     },
     wire::write(api::AuditCheckpoint{9, 1800000001, kNote})},
    {"GET /v1/audit/checkpoint",
     [](const AuditClient& log) {
       return log.checkpoint().value() == kNote && log.checkpoint_async().get().value() == kNote;
     },
     kNote},
    {"GET /v1/audit/keys",
     [](const AuditClient& log) { return are_the_keys(log.keys()) && are_the_keys(log.keys_async().get()); },
     wire::write(api::AuditKeys{"log", {{"log+0+x", R"({"kty":"EC"})", "jkt", "tpm", "active", 1}}})},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(audit)

BOOST_DATA_TEST_CASE(each_call_asks_its_route_and_reads_its_answer, boost::unit_test::data::make(kCalls)) {
  const Scripted daemon(Answers{{sample.line, sample.answer}});
  BOOST_TEST(sample.is_answered(daemon.client()));
}

BOOST_AUTO_TEST_CASE(a_rotation_of_the_key_reaches_its_route) {
  const Scripted daemon(Answers{});
  BOOST_TEST(daemon.client().rotate_key({}).error().code == "not_found");
  BOOST_TEST(daemon.client().rotate_key_async({}).get().error().code == "not_found");
  BOOST_TEST(daemon.was_asked("POST /v1/audit/keys/rotate"));
}

// The leaf's hash is over the octets of an entry: whatever was spelled anew on its way cannot be checked.
BOOST_AUTO_TEST_CASE(answers_that_are_not_canonical_are_refused) {
  const Scripted daemon(
      Answers{{"GET /v1/audit/entries?last=1", R"({"entries": [{"entry":{"v":1},"number":1}],"size":1})"}});
  BOOST_TEST(!daemon.client().entries({.limit = 1, .is_tail = true}));
}

BOOST_AUTO_TEST_SUITE_END()
