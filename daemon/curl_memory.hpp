#pragma once

namespace chancery {

/// Has libcurl cleanse what it gives back, in the whole process and from now on: its buffers have had tokens and credentials in
/// them. Changes nothing once libcurl was used, so it is to come first. Programs alone call it: a library that others link does not
/// choose how their libcurl has its memory. Thread-safe.
/// \return whether libcurl can be used
bool cleanse_curl_memory();

}  // namespace chancery
