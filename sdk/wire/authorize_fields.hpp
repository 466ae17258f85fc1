#pragma once

#include <initializer_list>
#include <string_view>

#include <chancery/api_authorize.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::wire {

// The members of a question and of its decision, for the messages that have more besides.

/// An action's parameters may hold any number.
inline constexpr json::Limits kActionLimits{.allow_unsafe_integers = true};

/// kMalformed unless `root` is an object with the members of `POST /v1/authorize` and these, and no others.
[[nodiscard]] Status allow_authorize_members(const json::Value& root,
                                             std::initializer_list<std::string_view> besides,
                                             const char* what);

[[nodiscard]] json::Node authorize_node(const api::Authorize& message);
/// Whatever other members there are.
[[nodiscard]] Result<api::Authorize> authorize_from(const json::Value& root);

[[nodiscard]] json::Node decision_node(const api::Decision& decision);
[[nodiscard]] Result<api::Decision> decision_from(const json::Value& root);

}  // namespace chancery::wire
