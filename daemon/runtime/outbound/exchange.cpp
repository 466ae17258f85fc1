#include "daemon/runtime/outbound/exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include <string.h>
#include <sys/socket.h>

#include "daemon/runtime/outbound/handle_pool.hpp"

namespace chancery::runtime {
namespace {

constexpr Error kNoMemory{ErrorCode::kInternal, "libcurl could not start"};

/// What happens in an exchange, as libcurl's callbacks see it.
struct Watch {
  const ExchangeOrder& order;
  std::optional<Error> refusal{};  // ours, and the reason for whatever libcurl says then
  Address peer{};
  bool was_sent = false;  // the request was begun to be written, once at least
  std::size_t header_octets = 0;
  int encodings = 0;  // header lines that name one
  std::size_t body_octets = 0;
  std::string body{};
  CURL* curl = nullptr;
  bool has_begun = false;  // the sink was told
};

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Status check_peer(const ExchangeOrder& order, const Address& peer) {
  CHANCERY_TRY(order.rule.check(peer));
  if (std::ranges::find(order.pinned, peer) == order.pinned.end()) {
    return Error{ErrorCode::kForbidden,
                 "the connection goes to another address than those that the name was resolved to"};
  }
  return {};
}

// The address that is connected to, whoever chose it.
curl_socket_t open_socket(void* into, curlsocktype purpose, curl_sockaddr* address) {
  auto& watch = *static_cast<Watch*>(into);
  const auto peer = Address::from(address->addr);
  const Status status = peer ? check_peer(watch.order, *peer) : Status(peer.error());
  if (!status) watch.refusal = status.error();
  if (purpose != CURLSOCKTYPE_IPCXN || !status) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The last moment before a request is written, also on a connection that was kept.
int before_request(void* into, char* peer_text, char*, int, int) {
  auto& watch = *static_cast<Watch*>(into);
  const auto peer = Address::parse(peer_text == nullptr ? "" : peer_text);
  const Status status = peer ? check_peer(watch.order, *peer) : Status(peer.error());
  if (!status) watch.refusal = status.error();
  // libcurl writes a request again when a kept connection ends without an answer.
  if (watch.was_sent && !is_safe_method(watch.order.request.method)) {
    watch.refusal =
        Error{ErrorCode::kConnectFailed,
              "the upstream ended the connection before it answered: whether it acted is not known",
              CURLE_GOT_NOTHING};
  }
  if (watch.refusal) return CURL_PREREQFUNC_ABORT;
  watch.was_sent = true;
  watch.peer = *peer;
  return CURL_PREREQFUNC_OK;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return end == text.npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// libcurl would undo any encoding that it knows, several in a row, and some of them take much memory.
Status check_encoding(std::string_view line, Watch& watch) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = trimmed(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
  if (is_alike(name, "transfer-encoding") && !is_alike(value, "chunked")) {
    return Error{ErrorCode::kBadResponse, "the upstream's answer has another transfer encoding than chunked"};
  }
  const bool is_taken = is_alike(value, "gzip") || is_alike(value, "x-gzip") || is_alike(value, "deflate") ||
                        is_alike(value, "identity") || value.empty();
  if (is_alike(name, "content-encoding") && (++watch.encodings > 1 || !is_taken))
    return Error{ErrorCode::kBadResponse,
                 "the upstream's answer is encoded otherwise than by one of gzip and deflate"};
  return {};
}

std::size_t take_header(char* octets, std::size_t, std::size_t size, void* into) {
  auto& watch = *static_cast<Watch*>(into);
  watch.header_octets += size;
  if (watch.header_octets > watch.order.request.limits.max_headers) {
    watch.refusal =
        Error{ErrorCode::kTooLarge, "the headers of the upstream's answer are larger than is taken"};
  } else if (const Status status = check_encoding({octets, size}, watch); !status) {
    watch.refusal = status.error();
  }
  return watch.refusal ? 0 : size;  // 0 ends the exchange
}

Error too_large() {
  return {ErrorCode::kTooLarge, "the body of the upstream's answer is larger than the tool's max_response"};
}

std::vector<OutboundHeader> headers_of(CURL* curl) {
  std::vector<OutboundHeader> headers;
  curl_header* header = nullptr;
  while ((header = curl_easy_nextheader(curl, CURLH_HEADER, -1, header)) != nullptr)
    headers.push_back({header->name, header->value});
  return headers;
}

long status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// The sink of an answer that has one, which knows of status and headers; nullptr for a redirect, whose body is nobody's.
AnswerSink* sink_of(Watch& watch) {
  AnswerSink* const sink = watch.order.request.sink;
  if (sink == nullptr || watch.has_begun) return sink;
  const long status = status_of(watch.curl);
  if (is_redirect(status)) return nullptr;
  watch.has_begun = true;
  sink->begin(static_cast<int>(status), headers_of(watch.curl));
  return sink;
}

std::size_t take_body(char* octets, std::size_t, std::size_t size, void* into) {
  auto& watch = *static_cast<Watch*>(into);
  if (size > watch.order.request.limits.max_response - watch.body_octets) watch.refusal = too_large();
  if (watch.refusal) return 0;
  watch.body_octets += size;
  if (AnswerSink* const sink = sink_of(watch)) return sink->take({octets, size}) ? size : 0;
  watch.body.append(octets, size);
  return size;
}

// Called all the time. What arrived is counted as it was sent, so that an encoding that makes nothing of much is bounded, too.
int look_on(void* into, curl_off_t, curl_off_t arrived, curl_off_t, curl_off_t) {
  auto& watch = *static_cast<Watch*>(into);
  if (static_cast<std::uint64_t>(std::max<curl_off_t>(arrived, 0)) > watch.order.request.limits.max_response)
    watch.refusal = too_large();
  return watch.refusal || watch.order.stop.stop_requested() ? 1 : 0;
}

Error judged(CURLcode code, const Watch& watch) {
  if (watch.refusal) return *watch.refusal;
  const auto failure = [code](ErrorCode ours, const char* what) {
    return Error{ours, what, static_cast<std::uint64_t>(code)};
  };
  switch (static_cast<int>(code)) {
    case CURLE_OPERATION_TIMEDOUT:
      return failure(ErrorCode::kTimeout, "the upstream did not answer in time, or too slowly: is it up?");
    case CURLE_FILESIZE_EXCEEDED:
      return too_large();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
      return failure(ErrorCode::kTlsFailed,
                     "the upstream's certificate is not trusted, for another name, or TLS is older than 1.2");
    case CURLE_SSL_CACERT_BADFILE:
      return failure(ErrorCode::kTlsFailed, "the tool's file of authorities cannot be read: is it PEM?");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return failure(ErrorCode::kConnectFailed, "nobody answers at the upstream's address: is it up?");
    case CURLE_ABORTED_BY_CALLBACK:
      return failure(ErrorCode::kShuttingDown, "the call was ended: whether the upstream acted is not known");
    case CURLE_BAD_CONTENT_ENCODING:
      return failure(ErrorCode::kBadResponse, "the upstream's answer is not encoded as it says");
    case CURLE_OUT_OF_MEMORY:
      return kNoMemory;
    default:
      return failure(ErrorCode::kBadResponse, "the upstream's answer was cut short or is not HTTP");
  }
}

// What ends a request that was written before, such as a second connection that cannot be made, tells nothing of the first.
Error failed(CURLcode code, const Watch& watch) {
  const Error error = judged(code, watch);
  if (!watch.was_sent || !was_never_sent(error)) return error;
  return {ErrorCode::kBadResponse,
          "the connection ended after the request was sent: whether the upstream acted is not known",
          error.native};
}

bool append(CurlList& list, const char* line) {
  curl_slist* const longer = curl_slist_append(list.get(), line);
  if (longer == nullptr) return false;
  static_cast<void>(list.release());  // now part of the longer one
  list.reset(longer);
  return true;
}

/// The header lines of a request. Cleanses them at its end, whoever else may have done so.
class HeaderLines {
 public:
  HeaderLines() : list_(nullptr, curl_slist_free_all) {}
  ~HeaderLines() {
    for (curl_slist* line = list_.get(); line != nullptr; line = line->next)
      explicit_bzero(line->data, std::strlen(line->data));
  }
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;

  /// `NAME: VALUE`, or as libcurl wants a header without a value, `NAME;`
  [[nodiscard]] bool add(std::string_view name, ByteView value) {
    SecretBytes line(name.size() + value.size() + 3);
    const std::span<std::uint8_t> out = line.writable();
    std::ranges::copy(name, out.begin());
    out[name.size()] = value.empty() ? ';' : ':';
    if (!value.empty()) out[name.size() + 1] = ' ';
    std::ranges::copy(value, out.begin() + static_cast<std::ptrdiff_t>(name.size() + 2));
    return append(list_, reinterpret_cast<const char*>(out.data()));
  }
  /// Keeps libcurl from adding one of its own.
  [[nodiscard]] bool leave_out(const char* name_and_colon) { return append(list_, name_and_colon); }

  [[nodiscard]] curl_slist* get() const noexcept { return list_.get(); }

 private:
  CurlList list_;
};

bool add_headers(HeaderLines& lines, const OutboundRequest& request) {
  bool is_done = lines.leave_out("Expect:");  // an answer to it would be waited for
  bool has_type = false;
  for (const OutboundHeader& header : request.headers) {
    is_done = is_done && lines.add(header.name, as_bytes(header.value));
    has_type = has_type || curl_strequal(header.name.c_str(), "content-type") != 0;
  }
  for (const CredentialHeader& header : request.credentials)
    is_done = is_done && lines.add(header.name, header.value.view());
  return is_done && (has_type || lines.leave_out("Content-Type:"));
}

// What neither the environment nor an answer may change.
void set_rules(CURL* curl, const ExchangeOrder& order) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, order.target.is_https ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // the empty one: none, also of the environment's
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_HSTS_CTRL, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "chancery-runtime");
}

void set_tls(CURL* curl, const ExchangeOrder& order) {
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (order.request.ca_file.empty()) return;
  curl_easy_setopt(curl, CURLOPT_CAINFO, order.request.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // whoever names a CA means that one
}

void set_bounds(CURL* curl, const ExchangeOrder& order) {
  const OutboundLimits& limits = order.request.limits;
  const auto patience = std::max(order.patience, std::chrono::milliseconds{1});  // 0 would be no bound
  const auto connecting = std::clamp(limits.connect_timeout, std::chrono::milliseconds{1}, patience);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(patience.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connecting.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.least_speed));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.slow_time.count()));
  if (order.request.method == "HEAD") return;  // its Content-Length is that of a body that does not come
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.max_response));
}

void set_message(CURL* curl, const ExchangeOrder& order, const HeaderLines& lines) {
  const OutboundRequest& request = order.request;
  curl_easy_setopt(curl, CURLOPT_URL, order.target.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines.get());
  const bool has_body = !request.body.empty() || request.method.starts_with("P");  // POST, PUT, PATCH
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_watch(CURL* curl, Watch& watch) {
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &watch);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, &watch);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &watch);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &watch);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_on);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &watch);
}

// Instead of resolving: `HOST:PORT:ADDRESS,ADDRESS`.
bool set_pins(CURL* curl, const ExchangeOrder& order, CurlList& pins) {
  if (order.target.literal) return true;
  std::string line = order.target.host + ':' + std::to_string(order.target.port) + ':';
  for (const Address& address : order.pinned) {
    if (!line.ends_with(':')) line += ',';
    line += address.is_v6() ? '[' + address.text() + ']' : address.text();
  }
  if (!append(pins, line.c_str())) return false;
  curl_easy_setopt(curl, CURLOPT_RESOLVE, pins.get());
  return true;
}

}  // namespace

Result<Exchanged> exchange(CURL* curl, const ExchangeOrder& order) {
  HeaderLines lines;
  CurlList pins(nullptr, curl_slist_free_all);
  Watch watch{order};
  watch.curl = curl;
  if (!add_headers(lines, order.request) || !set_pins(curl, order, pins)) return kNoMemory;
  set_rules(curl, order);
  set_tls(curl, order);
  set_bounds(curl, order);
  set_message(curl, order, lines);
  set_watch(curl, watch);
  const CURLcode code = curl_easy_perform(curl);
  const long status = status_of(curl);
  if (code == CURLE_OK) sink_of(watch);  // of an answer without a body
  Exchanged done;
  if (code == CURLE_OK) done.response.headers = headers_of(curl);
  curl_easy_reset(curl);  // before what it points to goes
  if (code != CURLE_OK) return failed(code, watch);
  done.response.status = static_cast<int>(status);
  done.response.address = watch.peer;
  if (is_redirect(status)) {
    done.location = std::string(header_of(done.response.headers, "location"));
  } else {
    done.response.body = std::move(watch.body);
  }
  return done;
}

}  // namespace chancery::runtime
