#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <boost/beast/http/field.hpp>

#include <chancery/result.hpp>

namespace chancery::edge {

/// Why a request is not served: an answer for the peer, after which the connection closes.
struct Refusal {
  int status = 400;
  ErrorCode code = ErrorCode::kBadRequest;
  const char* detail = "";
};

/// Where a head lies in the octets that it was found in.
struct HeadExtent {
  std::size_t begin = 0;  ///< 2 after the one empty line that RFC 9112 section 2.2 lets precede a request
  std::size_t end = 0;    ///< behind the empty line
};

/// Looks at the raw octets of a head (request line and fields) as they arrive. Refuses at the first octet
/// that no head may hold: NUL and other controls, CR or LF alone, folded lines (RFC 9112 sections 2.2
/// and 5.2), more than the limit.
class HeadScan {
 public:
  explicit HeadScan(std::size_t limit) noexcept : limit_(limit) {}

  /// \param octets  all that has arrived of this request, the octets of earlier calls included
  /// \return where the head lies; nullopt while it is incomplete
  Result<std::optional<HeadExtent>, Refusal> look(std::string_view octets) noexcept;

 private:
  std::size_t limit_;
  std::size_t begin_ = 0;
  std::size_t position_ = 0;
};

/// How a request's body is delimited, and what its fields demand of the connection.
struct Framing {
  bool chunked = false;
  bool expects_continue = false;
  std::optional<std::string_view> host;  ///< borrowed from the field
};

/// The rules on fields that Beast's parser does not apply, or applies leniently (RFC 9112 sections 3.2, 6.1
/// and 6.3): one Content-Length of digits, one Transfer-Encoding that is `chunked`, one Host.
class FieldRules {
 public:
  /// \param name  of the field; Beast knows all that matter here
  std::optional<Refusal> add(boost::beast::http::field name, std::string_view value);

  /// To be called after the last field.
  /// \param version  10 or 11
  std::optional<Refusal> finish(int version);

  [[nodiscard]] const Framing& framing() const noexcept { return framing_; }

 private:
  Framing framing_;
  bool has_length_ = false;
  std::size_t fields_ = 0;
};

/// A request target, taken apart. Borrowed from the text that it was read from.
struct Target {
  std::string_view path;
  std::string_view query;
  std::string_view authority;  ///< of an absolute-form; takes precedence over Host (RFC 9112 section 3.2.2)
};

/// Takes origin-form and http(s) absolute-form; refuses authority-form, asterisk-form and octets outside of
/// URIs.
Result<Target, Refusal> read_target(std::string_view target);

}  // namespace chancery::edge
