// When a revocation has returned, no verification that begins afterwards accepts the token.

#include <atomic>
#include <thread>

#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

constexpr int kRaces = 10'000;

// Twenty thousand commits: where memory serves as a disk, their syncs cost nothing.
std::filesystem::path fast_folder() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

/// A daemon with one token.
struct Race : OfficeFixture {
  std::string token;
  Race() : OfficeFixture(fast_folder()) {
    create_agent("support", kSupportUid);
    const auto granted =
        call("POST", "/v1/grants",
             R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":600})",
             kOperatorUid);
    const auto document = json::Document::parse(chain_of(granted));
    token = *document->root().items().front().string();
  }

  bool accepts() {
    const std::string_view chain[] = {token};
    return service::judge_use(office(), chain, kNow, office().policy->verify).valid();
  }
};

}  // namespace

// The token is suspended and restored again and again: each suspension takes the way that a revocation takes.
BOOST_FIXTURE_TEST_CASE(no_verification_accepts_after_a_revocation_returned, Race) {
  using Kind = store::StatusAct::Kind;
  const store::StatusTarget target{store::StatusTarget::Kind::kAgent, store().agent_by_name("support")->id};
  const store::AuditEntry audit{kNow, "race"};
  auto& tokens = office().statuses.tokens;
  std::atomic<int> returned = 0;  // acts that have returned and stand: odd numbers
  std::atomic<bool> is_over = false;
  std::atomic<int> accepted_late = 0, accepted = 0, denied = 0;
  std::jthread verifier([&] {
    while (!is_over) {
      const int before = returned;
      const bool is_good = accepts();
      ++(is_good ? accepted : denied);
      if (is_good && before % 2 == 1 && before == returned) ++accepted_late;
    }
  });
  for (int race = 1; race <= kRaces; ++race) {
    const Kind kind = race < kRaces ? Kind::kSuspend : Kind::kRevoke;
    const auto done = tokens.add({.kind = kind, .target = target, .reason = {}, .at = kNow}, audit);
    BOOST_REQUIRE(done);
    ++returned;
    if (accepts()) ++accepted_late;
    if (kind == Kind::kRevoke) break;
    ++returned;
    BOOST_REQUIRE(tokens.lift(done->id, audit));
  }
  is_over = true;
  verifier.join();
  BOOST_TEST(accepted_late == 0);
  BOOST_TEST(accepted > 0);
  BOOST_TEST(denied > 0);
  BOOST_TEST(!accepts());
}

}  // namespace chancery::tests
