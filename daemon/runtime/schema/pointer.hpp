#pragma once

#include "sdk/json/pointer.hpp"

namespace chancery::schema {

// Schemas, and the declarations that they stand in, speak in pointers all the time.
using json::child_of;
using json::escape_token;
using json::split_pointer;
using json::value_at;

}  // namespace chancery::schema
