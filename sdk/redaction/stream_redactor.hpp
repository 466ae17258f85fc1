#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sdk/redaction/secret_finder.hpp"

namespace chancery::redaction {

/// Redacts a text that comes in chunks. What comes out depends on the text alone and not on where it was divided: a secret
/// is found wherever a chunk ends within it, and what comes out is what SecretFinder::redact() makes of the whole, as long
/// as no secret has more octets than finder.reach(). Behind a longer one nothing comes any more.
///
/// Memory: four times reach(). Up to three times reach() are held back, and what is left comes with finish(): whoever has
/// messages to pass on as they come has one of these for each message. Not thread-safe.
class StreamRedactor {
 public:
  /// \param finder  borrowed; outlives this
  /// \param on_hit  hears of each hit, in order; extents are those of the whole text
  explicit StreamRedactor(const SecretFinder& finder, std::function<void(const Hit&)> on_hit = {});

  /// \return what can come out by now
  [[nodiscard]] std::string feed(std::string_view chunk);
  /// The text has ended; nothing is fed afterwards. \return the rest of it
  [[nodiscard]] std::string finish();

  /// Whether a secret was longer than can be held back, so that the text ended there.
  [[nodiscard]] bool was_cut() const noexcept { return cut_; }

 private:
  void advance(std::size_t end, std::string& out);

  const SecretFinder& finder_;
  const std::function<void(const Hit&)> on_hit_;
  const std::size_t reach_;
  std::string held_;         // what came out lately and is looked at for its surroundings, then what did not
  std::size_t emitted_ = 0;  // octets of held_ that came out
  std::size_t begin_ = 0;    // of held_ in the text
  bool ends_redacted_ = false;  // the last that came out stands for a secret
  bool cut_ = false;
};

}  // namespace chancery::redaction
