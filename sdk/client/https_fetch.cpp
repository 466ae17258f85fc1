#include "sdk/client/https_fetch.hpp"

#include <algorithm>

#include <curl/curl.h>

#include "sdk/base/secret_writer.hpp"
#include "sdk/verify/htu.hpp"

namespace chancery::client {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

constexpr std::string_view kScheme = "https://";
constexpr Error kNoHandle{ErrorCode::kInternal, "libcurl could not start"};

// libcurl wants to be set up once, before any thread uses it.
Handle new_handle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  return {ready == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup};
}

// Of all header lines together; libcurl bounds each.
constexpr std::size_t kMostHeaderOctets = 64u << 10;

/// What arrives, and how much of it may.
struct Arrival {
  std::size_t limit;  // of the body
  std::string body{};
  SecretWriter secret_body{};  // in place of `body`
  std::size_t header_octets = 0;
  bool too_large = false;
  bool was_ended = false;  // by us, at the beginning of a body that nobody wants
};

std::size_t take_header(char*, std::size_t unit, std::size_t count, void* into) {
  auto& arrival = *static_cast<Arrival*>(into);
  arrival.header_octets += unit * count;
  arrival.too_large = arrival.header_octets > kMostHeaderOctets;
  return arrival.too_large ? 0 : unit * count;  // 0 ends the exchange
}

std::size_t take(char* octets, std::size_t, std::size_t size, void* into) {
  auto& arrival = *static_cast<Arrival*>(into);
  arrival.too_large = size > arrival.limit - arrival.body.size();
  if (arrival.too_large) return 0;
  arrival.body.append(octets, size);
  return size;
}

std::size_t take_secret(char* octets, std::size_t, std::size_t size, void* into) {
  auto& arrival = *static_cast<Arrival*>(into);
  arrival.too_large = size > arrival.limit - arrival.secret_body.size();
  if (arrival.too_large) return 0;
  arrival.secret_body.append({octets, size});
  return size;
}

std::size_t take_none(char*, std::size_t, std::size_t size, void* into) {
  static_cast<Arrival*>(into)->was_ended = size > 0;
  return 0;
}

int is_stopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

std::string accept_header(const std::vector<std::string>& media_types) {
  std::string line = "Accept: ";
  for (const std::string& type : media_types)
    line.append(&type == &media_types.front() ? "" : ", ").append(type);
  return line;
}

// What neither the environment nor an answer may change.
void set_rules(CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "chancery");
}

Error failed(CURLcode code, const Arrival& arrival) {
  const auto native = static_cast<std::uint64_t>(code);
  if (arrival.too_large || code == CURLE_FILESIZE_EXCEEDED)
    return {ErrorCode::kTooLarge,
            "what the server sends is larger than what is taken: is it the right address?", native};
  switch (static_cast<int>(code)) {
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorCode::kTimeout, "the server did not answer in time: is it up, and reachable from here?",
              native};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorCode::kTlsFailed,
              "the server's certificate is not trusted, or for another name: give its CA", native};
    case CURLE_URL_MALFORMAT:
      return {ErrorCode::kInvalidArgument, "the address is no URL", native};
    case CURLE_ABORTED_BY_CALLBACK:
      return {ErrorCode::kShuttingDown, "the call was ended: nothing was fetched", native};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return {ErrorCode::kConnectFailed, "nobody answers at the server's address: is it up?", native};
    default:
      return {ErrorCode::kBadResponse, "the answer was cut short or is not HTTP", native};
  }
}

// Without parameters; empty when the answer names none.
std::string_view media_type_of(CURL* curl) {
  const char* content_type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &content_type);
  const std::string_view type = content_type == nullptr ? "" : content_type;
  return type.substr(0, type.find_first_of("; \t"));
}

long status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Status check_answer(CURL* curl, const std::vector<std::string>& media_types) {
  const long status = status_of(curl);
  if (status != 200) {
    return Error{ErrorCode::kBadResponse,
                 "the server answered with another status than 200; redirects are not followed",
                 static_cast<std::uint64_t>(status)};
  }
  if (std::ranges::find(media_types, media_type_of(curl)) == media_types.end())
    return Error{ErrorCode::kBadResponse, "the server answered with another media type than the document's"};
  return {};
}

// Whom to ask, how long, and whom to believe.
void set_peer(CURL* curl, const std::string& uri, const std::string& ca_file,
              std::chrono::milliseconds timeout) {
  if (!ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // whoever names a CA means that one
  }
  curl_easy_setopt(curl, CURLOPT_URL, uri.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
}

/// Takes what arrives until `stop` ends it.
CURLcode perform(CURL* curl, curl_write_callback take_body, Arrival& arrival, const std::stop_token& stop) {
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &arrival);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &arrival);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_stopped);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
  const CURLcode code = curl_easy_perform(curl);
  // Whoever is told to stop does not wait for a name server, either.
  if (stop.stop_requested()) curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  return code;
}

// The header lines of a post. The answer to `Expect` would be waited for.
Headers headers_of_post(const std::vector<std::string>& lines) {
  Headers headers(nullptr, curl_slist_free_all);
  for (const std::string& line : lines) {
    curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return {nullptr, curl_slist_free_all};
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  return headers;
}

// libcurl reads the document where it is.
void set_document(CURL* curl, const Headers& headers, std::string_view document) {
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(document.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, document.data());
}

}  // namespace

Result<std::string> HttpsFetch::get(const std::string& uri, const std::vector<std::string>& media_types,
                                    const std::stop_token& stop) const {
  if (!uri.starts_with(kScheme)) return Error{ErrorCode::kInvalidArgument, "only https:// is fetched"};
  const Handle curl = new_handle();
  if (curl == nullptr) return kNoHandle;
  const Headers headers(curl_slist_append(nullptr, accept_header(media_types).c_str()), curl_slist_free_all);
  set_rules(curl.get());
  set_peer(curl.get(), uri, ca_file_, limits_.timeout);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits_.max_bytes));
  Arrival arrival{limits_.max_bytes};
  const CURLcode code = perform(curl.get(), take, arrival, stop);
  if (code != CURLE_OK) return failed(code, arrival);
  CHANCERY_TRY(check_answer(curl.get(), media_types));
  return std::move(arrival.body);
}

Result<int> HttpsFetch::post(const std::string& uri, const std::string& media_type,
                             const std::string& document, const std::stop_token& stop) const {
  if (!uri.starts_with(kScheme)) return Error{ErrorCode::kInvalidArgument, "only https:// is posted to"};
  const Handle curl = new_handle();
  if (curl == nullptr) return kNoHandle;
  const Headers headers = headers_of_post({"Content-Type: " + media_type, "Expect:"});
  if (headers == nullptr) return kNoHandle;
  set_rules(curl.get());
  set_peer(curl.get(), uri, ca_file_, limits_.timeout);
  set_document(curl.get(), headers, document);
  Arrival arrival{0};
  const CURLcode code = perform(curl.get(), take_none, arrival, stop);
  if (code != CURLE_OK && !arrival.was_ended) return failed(code, arrival);
  return static_cast<int>(status_of(curl.get()));
}

Result<SecretAnswer> HttpsFetch::exchange(const SecretRequest& request, const std::stop_token& stop) const {
  if (!request.uri.starts_with(kScheme))
    return Error{ErrorCode::kInvalidArgument, "secrets are posted over https:// only"};
  const Handle curl = new_handle();
  if (curl == nullptr) return kNoHandle;
  const Headers headers =
      headers_of_post({"Content-Type: " + request.media_type, "Accept: " + request.answer_type, "Expect:"});
  if (headers == nullptr) return kNoHandle;
  if (!request.user_and_password.empty()) {
    SecretWriter text;
    text.append(request.user_and_password.view()).append(std::string_view("\0", 1));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl.get(), CURLOPT_USERPWD, as_text(text.view()).data());
  }
  set_rules(curl.get());
  set_peer(curl.get(), request.uri, ca_file_, limits_.timeout);
  set_document(curl.get(), headers, as_text(request.document.view()));
  // Other versions keep what is sent in buffers that are not libcurl's own.
  curl_easy_setopt(curl.get(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl.get(), CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits_.max_bytes));
  Arrival arrival{limits_.max_bytes};
  const CURLcode code = perform(curl.get(), take_secret, arrival, stop);
  if (code != CURLE_OK) return failed(code, arrival);
  return SecretAnswer{static_cast<int>(status_of(curl.get())), std::string(media_type_of(curl.get())),
                      arrival.secret_body.take()};
}

std::string origin_of(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return {};
  return std::string(uri.substr(0, uri.find('/', kScheme.size())));
}

bool is_origin(const std::string& text) {
  return !text.empty() && origin_of(text) == text && normalize_htu(text + "/") == text + "/";
}

}  // namespace chancery::client
