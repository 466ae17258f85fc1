#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/runtime/schema/schema.hpp"

namespace chancery::schema {

/// A schema, from its text.
inline Result<Schema, SchemaError> compiled(std::string_view text, const Options& options = {}) {
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  const auto document = json::Document::parse(std::string(text), limits);
  BOOST_REQUIRE_MESSAGE(document, "no JSON: " << text);
  return Schema::compile(document->root(), options);
}

inline Schema schema_of(std::string_view text, const Options& options = {}) {
  auto schema = compiled(text, options);
  BOOST_REQUIRE_MESSAGE(
      schema, text << ": " << (schema ? "" : schema.error().location + " " + schema.error().message));
  return *std::move(schema);
}

/// What a schema says of an instance.
inline Result<std::vector<Finding>> checked(const Schema& schema, std::string_view instance,
                                            const Bounds& bounds = {}) {
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  limits.max_depth = 1024;
  const auto document = json::Document::parse(std::string(instance), limits);
  BOOST_REQUIRE_MESSAGE(document, "no JSON: " << instance);
  return schema.check(document->root(), bounds);
}

inline bool is_valid(const Schema& schema, std::string_view instance) {
  const auto findings = checked(schema, instance);
  BOOST_REQUIRE_MESSAGE(findings, instance);
  return findings->empty();
}

}  // namespace chancery::schema
