#include "daemon/runtime/schema/uri.hpp"

#include <algorithm>

#include "sdk/base/percent.hpp"

namespace chancery::schema {
namespace {

/// The components of RFC 3986 section 3; a component that is there may be empty.
struct Parts {
  std::string_view scheme;     // without ":"
  std::string_view authority;  // with "//"
  std::string_view path;
  std::string_view query;     // with "?"
  std::string_view fragment;  // with "#"
};

std::string_view take_until(std::string_view& text, std::string_view ends) {
  const std::string_view taken = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(taken.size());
  return taken;
}

Parts parts_of(std::string_view uri) {
  Parts parts;
  const std::size_t colon = uri.find(':');
  if (colon != std::string_view::npos && colon != 0 && colon < uri.find_first_of("/?#")) {
    parts.scheme = uri.substr(0, colon);
    uri.remove_prefix(colon + 1);
  }
  if (uri.starts_with("//")) {
    std::string_view rest = uri.substr(2);
    parts.authority = uri.substr(0, 2 + take_until(rest, "/?#").size());
    uri = rest;
  }
  parts.path = take_until(uri, "?#");
  parts.query = take_until(uri, "#");
  parts.fragment = uri;
  return parts;
}

// Section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./")) {
      path.remove_prefix(2);
    } else if (path.starts_with("/./") || path == "/.") {
      path = path.size() > 2 ? path.substr(2) : "/";
    } else if (path.starts_with("/../") || path == "/..") {
      path = path.size() > 3 ? path.substr(3) : "/";
      out.resize(out.find('/') == std::string::npos ? 0 : out.rfind('/'));
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const std::size_t end = std::min(path.find('/', 1), path.size());
      out += path.substr(0, end);
      path.remove_prefix(end);
    }
  }
  return out;
}

// Section 5.2.3.
std::string merged(const Parts& base, std::string_view path) {
  if (!base.authority.empty() && base.path.empty()) return "/" + std::string(path);
  const std::size_t slash = base.path.rfind('/');
  const std::string_view folder = slash == std::string_view::npos ? "" : base.path.substr(0, slash + 1);
  return std::string(folder) + std::string(path);
}

}  // namespace

std::string resolve_uri(std::string_view base, std::string_view reference) {
  if (base.empty()) return std::string(reference);
  const Parts from = parts_of(base);
  const Parts to = parts_of(reference);
  std::string out;
  const auto put = [&](std::string_view text) { out += text; };
  const auto put_scheme = [&](std::string_view scheme) {
    if (!scheme.empty()) out += std::string(scheme) + ":";
  };
  if (!to.scheme.empty() || !to.authority.empty()) {
    put_scheme(to.scheme.empty() ? from.scheme : to.scheme);
    put(to.authority);
    // A path without a slash, as a urn has, has no segments to remove.
    out += to.path.find('/') == std::string_view::npos ? std::string(to.path) : remove_dot_segments(to.path);
    put(to.query);
  } else {
    put_scheme(from.scheme);
    put(from.authority);
    if (to.path.empty()) {
      put(from.path);
      put(to.query.empty() ? from.query : to.query);
    } else {
      out += remove_dot_segments(to.path.front() == '/' ? std::string(to.path) : merged(from, to.path));
      put(to.query);
    }
  }
  put(to.fragment);
  return out;
}

DividedUri divide_uri(std::string_view uri) noexcept {
  const std::size_t hash = uri.find('#');
  if (hash == std::string_view::npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

std::string percent_decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto octet = decode_escape(text);
    out += octet.value_or(text.front());
    text.remove_prefix(octet ? 3 : 1);
  }
  return out;
}

}  // namespace chancery::schema
