// What a monitoring system gets.

#include <fstream>
#include <set>
#include <sstream>

#include "daemon/telemetry/exposition.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
using telemetry::Metric;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

struct Scraped : OfficeFixture {
  std::string scrape() {
    const Response response = call("GET", "/metrics", "", kSupportUid);
    BOOST_REQUIRE(response.status == 200);
    BOOST_TEST(response.content_type == telemetry::kExpositionType);
    return response.body;
  }
};

std::set<std::string> names_in(const std::string& text) {
  std::set<std::string> names;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# TYPE ")) names.insert(line.substr(7, line.rfind(' ') - 7));
  }
  return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(metrics_are_written_as_prometheus_reads_them) {
  const std::vector<Metric> metrics{
      {"a_total", "Help.", Metric::Kind::kCounter, {{3, {{"x", "1"}}}, {12345678901, {{"x", "\"\\\n"}}}}},
      {"b", "More help.", Metric::Kind::kGauge, {{0.5}}}};
  BOOST_TEST(telemetry::exposition(metrics) ==
             "# HELP a_total Help.\n# TYPE a_total counter\na_total{x=\"1\"} 3\n"
             "a_total{x=\"\\\"\\\\\\n\"} 12345678901\n"
             "# HELP b More help.\n# TYPE b gauge\nb 0.5\n");
}

BOOST_FIXTURE_TEST_CASE(metrics_count_what_is_there, Scraped) {
  create_story_agents();
  BOOST_REQUIRE(call("DELETE", "/v1/agents/lookup", "", kOperatorUid).status == 200);
  BOOST_REQUIRE(
      call("POST", "/v1/grants",
           R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
           kOperatorUid)
          .status == 201);
  const std::string text = scrape();
  for (const char* line :
       {"chancery_agents{state=\"active\"} 2", "chancery_agents{state=\"retired\"} 1",
        "chancery_agents{state=\"lost\"} 0", "chancery_tokens_total 1", "chancery_store_up 1",
        "chancery_backend_up{backend=\"memory\"} 1", "chancery_backend_live_objects{backend=\"memory\"} 0",
        "chancery_backend_cached_keys{backend=\"memory\"} 4",
        "chancery_backend_recoveries_total{backend=\"memory\"} 0",
        "chancery_requests_total{method=\"POST\",route=\"/v1/agents\",status=\"2xx\"} 3",
        "chancery_requests_total{method=\"DELETE\",route=\"/v1/agents/{name}\",status=\"2xx\"} 1"}) {
    BOOST_TEST(has_line(text, line), "no line " << line << " in\n" << text);
  }
}

BOOST_AUTO_TEST_CASE(a_histogram_counts_up_to_each_bound) {
  telemetry::Histogram histogram;
  for (const std::chrono::nanoseconds took : {500us, 501us, 20'000'000us}) histogram.add(took);
  const std::string text = telemetry::exposition(
      {{"s", "Help.", Metric::Kind::kHistogram, {{0, {{"backend", "tpm"}}, histogram.read()}}}});
  for (const char* const line :
       {"# TYPE s histogram", "s_count{backend=\"tpm\"} 3", "s_bucket{backend=\"tpm\",le=\"0.0005\"} 1",
        "s_bucket{backend=\"tpm\",le=\"0.001\"} 2", "s_bucket{backend=\"tpm\",le=\"10\"} 2",
        "s_bucket{backend=\"tpm\",le=\"+Inf\"} 3"}) {
    BOOST_TEST(has_line(text, line), "no line " << line << " in\n" << text);
  }
  BOOST_TEST(text.find("s_sum{backend=\"tpm\"} 20.001001") != std::string::npos, text);
}

BOOST_FIXTURE_TEST_CASE(metrics_tell_what_is_judged_signed_and_answered, Scraped) {
  create_story_agents();
  const Response granted =
      call("POST", "/v1/grants",
           R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
           kOperatorUid);
  const std::string body = R"({"chain":)" + chain_of(granted) + "}";
  BOOST_REQUIRE(call("POST", "/v1/chains/verify", body, std::nullopt).status == 200);
  BOOST_REQUIRE(call("POST", "/v1/chains/explain", body, std::nullopt).status == 200);
  set_now(kNow + std::chrono::seconds(61));
  BOOST_REQUIRE(call("POST", "/v1/chains/verify", body, std::nullopt).status == 200);
  office().edge_refusals->add(telemetry::EdgeRefusals::Reason::kSlow);
  const std::string text = scrape();
  for (const char* const line : {"chancery_verifications_total{by=\"verify\",outcome=\"valid\"} 1",
                                 "chancery_verifications_total{by=\"verify\",outcome=\"expired\"} 1",
                                 "chancery_verifications_total{by=\"explain\",outcome=\"valid\"} 1",
                                 "chancery_verifications_total{by=\"authorize\",outcome=\"valid\"} 0",
                                 "chancery_request_seconds_count{class=\"judge\"} 3",
                                 "chancery_request_seconds_count{class=\"issue\"} 1",
                                 "chancery_request_seconds_count{class=\"administer\"} 3",
                                 "chancery_edge_refusals_total{reason=\"slow\"} 1",
                                 "chancery_edge_refusals_total{reason=\"malformed\"} 0"}) {
    BOOST_TEST(has_line(text, line), "no line " << line << " in\n" << text);
  }
  BOOST_TEST(!has_line(text, "chancery_signing_seconds_count{backend=\"memory\"} 0"));
  BOOST_TEST(!has_line(text, "process_open_fds 0"));
  BOOST_TEST(!has_line(text, "process_start_time_seconds 0"));
}

BOOST_FIXTURE_TEST_CASE(labels_are_redacted_too, Scraped) {
  const std::vector<std::string> patterns{"memory"};
  office().redactor = std::make_shared<telemetry::Redactor>(patterns);
  BOOST_TEST(has_line(scrape(), "chancery_backend_up{backend=\"[redacted]\"} 1"));
}

BOOST_FIXTURE_TEST_CASE(metrics_tell_of_status_lists_and_what_they_say, Scraped) {
  create_story_agents();
  const auto grant = [&](const char* agent) {
    const Response made = call("POST", "/v1/grants",
                               R"({"principal":"u","agent":")" + std::string(agent) +
                                   R"(","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
                               kOperatorUid);
    BOOST_REQUIRE(made.status == 201);
  };
  BOOST_TEST(scrape().find("chancery_status_list_age_seconds") == std::string::npos);
  for (const char* const agent : {"support", "support", "lookup"}) grant(agent);
  const auto end = [&](const char* path, const char* agent) {
    const Response ended = call("POST", path, R"({"agent":")" + std::string(agent) + "\"}", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(ended.status == 201, ended.body);
  };
  end("/v1/suspensions", "support");
  end("/v1/suspensions", "lookup");
  end("/v1/revocations", "lookup");
  BOOST_REQUIRE(call("GET", "/v1/status-lists/1", "", std::nullopt).status == 200);
  set_now(kNow + std::chrono::seconds(7));
  const std::string text = scrape();
  for (const char* const line :
       {"chancery_status_list_age_seconds 7", "chancery_status_lists 1",
        "chancery_ended_tokens{status=\"revoked\"} 1", "chancery_ended_tokens{status=\"suspended\"} 2"}) {
    BOOST_TEST(has_line(text, line), "no line " << line << " in\n" << text);
  }
  set_now(kNow + std::chrono::seconds(61));
  BOOST_TEST(has_line(scrape(), "chancery_ended_tokens{status=\"suspended\"} 0"));
}

BOOST_FIXTURE_TEST_CASE(requests_are_counted_by_the_class_of_their_answer_and_never_by_their_path, Scraped) {
  BOOST_REQUIRE(call("GET", "/v1/agents/nobody", "", kOperatorUid).status == 404);
  BOOST_REQUIRE(call("GET", "/v1/agents/nobody-else", "", kOperatorUid).status == 404);
  BOOST_REQUIRE(call("GET", "/readyz", "", std::nullopt).status == 503);
  BOOST_REQUIRE(call("GET", "/nowhere", "", std::nullopt).status == 404);
  const std::string text = scrape();
  BOOST_TEST(
      has_line(text, "chancery_requests_total{method=\"GET\",route=\"/v1/agents/{name}\",status=\"4xx\"} 2"),
      text);
  BOOST_TEST(has_line(text, "chancery_requests_total{method=\"GET\",route=\"/readyz\",status=\"5xx\"} 1"),
             text);
  BOOST_TEST(text.find("nowhere") == std::string::npos);
  BOOST_TEST(text.find("nobody") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_away_is_down_and_is_not_asked, Scraped) {
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  BOOST_TEST(has_line(scrape(), "chancery_backend_up{backend=\"memory\"} 0"));
  BOOST_TEST(device().checks() == 0u);
}

BOOST_FIXTURE_TEST_CASE(metrics_tell_who_is_frozen, Scraped) {
  create_story_agents();
  const auto post = [&](const char* path) {
    BOOST_REQUIRE_MESSAGE(call("POST", path, "{}", kOperatorUid).status == 200, path);
  };
  const auto says = [&](const char* all, const char* agents) {
    const std::string text = scrape();
    BOOST_TEST(has_line(text, "chancery_all_agents_frozen " + std::string(all)), text);
    BOOST_TEST(has_line(text, "chancery_agents_frozen " + std::string(agents)), text);
  };
  says("0", "0");
  post("/v1/agents/support/freeze");
  post("/v1/agents/lookup/freeze");
  says("0", "2");
  post("/v1/freeze");
  says("1", "2");
  post("/v1/freeze/lift");
  post("/v1/agents/support/unfreeze");
  BOOST_REQUIRE(call("DELETE", "/v1/agents/lookup", "", kOperatorUid).status == 200);
  says("0", "0");
  // There is no device with a switch.
  BOOST_TEST(scrape().find("\nchancery_unswitched_keys ") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(metrics_are_not_for_the_network, Scraped) {
  BOOST_TEST(call("GET", "/metrics", "", std::nullopt).status == 404);
  rest::Request plain;
  plain.method = "GET";
  plain.path = "/metrics";
  plain.peer.transport = rest::Transport::kPlain;
  BOOST_TEST(router().handle(plain).status == 200);
}

BOOST_FIXTURE_TEST_CASE(the_page_lists_every_metric_and_no_other, Scraped) {
  std::ifstream page(CHANCERY_SOURCE_DIR "/docs/operations/metrics.md");
  std::set<std::string> documented;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `chancery_") || line.starts_with("| `process_"))
      documented.insert(line.substr(3, line.find_first_of("{`", 3) - 3));
  }
  create_agent("support", kSupportUid);
  call("POST", "/v1/grants",
       R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
       kOperatorUid);
  call("GET", "/v1/status-lists/1", "", std::nullopt);
  call("POST", "/v1/audit/checkpoints", "", kOperatorUid);
  call("POST", "/v1/credentials",
       R"({"name":"psp","value":"Y2FuYXJ5","type":"api_key","scope":"payments.refund","tools":["refund"]})",
       kOperatorUid);
  BOOST_TEST((names_in(scrape()) == documented));
}

}  // namespace chancery::tests
