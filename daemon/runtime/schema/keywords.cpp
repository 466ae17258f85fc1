#include "daemon/runtime/schema/keywords.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sdk/base/edit_distance.hpp"

namespace chancery::schema {
namespace {

using enum Holds;

constexpr std::array kKeywords{
    Keyword{"$anchor"},
    Keyword{"$comment"},
    Keyword{"$defs", kSchemaMap},
    Keyword{"$dynamicAnchor"},
    Keyword{"$dynamicRef"},
    Keyword{"$id"},
    Keyword{"$ref"},
    Keyword{"$schema"},
    Keyword{"$vocabulary"},
    Keyword{"additionalProperties", kSchema},
    Keyword{"allOf", kSchemaList},
    Keyword{"anyOf", kSchemaList},
    Keyword{"const"},
    Keyword{"contains", kSchema},
    Keyword{"contentEncoding"},
    Keyword{"contentMediaType"},
    Keyword{"contentSchema", kSchema},
    Keyword{"default"},
    Keyword{"dependentRequired"},
    Keyword{"dependentSchemas", kSchemaMap},
    Keyword{"deprecated"},
    Keyword{"description"},
    Keyword{"else", kSchema},
    Keyword{"enum"},
    Keyword{"examples"},
    Keyword{"exclusiveMaximum"},
    Keyword{"exclusiveMinimum"},
    Keyword{"format"},
    Keyword{"if", kSchema},
    Keyword{"items", kSchema},
    Keyword{"maxContains"},
    Keyword{"maxItems"},
    Keyword{"maxLength"},
    Keyword{"maxProperties"},
    Keyword{"maximum"},
    Keyword{"minContains"},
    Keyword{"minItems"},
    Keyword{"minLength"},
    Keyword{"minProperties"},
    Keyword{"minimum"},
    Keyword{"multipleOf"},
    Keyword{"not", kSchema},
    Keyword{"oneOf", kSchemaList},
    Keyword{"pattern"},
    Keyword{"patternProperties", kSchemaMap},
    Keyword{"prefixItems", kSchemaList},
    Keyword{"properties", kSchemaMap},
    Keyword{"propertyNames", kSchema},
    Keyword{"readOnly"},
    Keyword{"required"},
    Keyword{"then", kSchema},
    Keyword{"title"},
    Keyword{"type"},
    Keyword{"unevaluatedItems", kSchema},
    Keyword{"unevaluatedProperties", kSchema},
    Keyword{"uniqueItems"},
    Keyword{"writeOnly"},
};

}  // namespace

std::span<const Keyword> keywords() noexcept { return kKeywords; }

const Keyword* find_keyword(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKeywords, name, &Keyword::name);
  return found == kKeywords.end() ? nullptr : &*found;
}

std::string_view nearest_keyword(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  name = name.substr(0, kLongest);
  std::string_view nearest;
  std::size_t least = SIZE_MAX;
  for (const Keyword& keyword : kKeywords) {
    const std::size_t distance = edit_distance(name, keyword.name);
    if (distance < least) {
      least = distance;
      nearest = keyword.name;
    }
  }
  return nearest;
}

}  // namespace chancery::schema
