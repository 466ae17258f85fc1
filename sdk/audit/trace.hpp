#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/audit/entry.hpp"

namespace chancery::audit {

using EntryPtr = std::shared_ptr<const Entry>;

/// Tells the entries that name a reference (a token, a decision, a request …), in their order.
using FindEntries = std::function<Result<std::vector<EntryPtr>>(std::string_view reference)>;

/// One thing that came of another.
struct Consequence {
  EntryPtr entry;
  std::size_t depth = 0;  ///< hops below the token that was asked about
};

/// How something came about, and what came of it.
struct Trace {
  std::vector<EntryPtr> subject;          ///< entries that name what was asked about
  std::vector<EntryPtr> origin;           ///< issued tokens, from the grant to the one that it rests on
  std::vector<EntryPtr> keys;             ///< how the keys of these were made, attested and ended
  std::vector<Consequence> consequences;  ///< in the order of the log below each token
  std::string missing;  ///< a token on the way back that the log does not have; empty when all are there
  bool is_cut = false;  ///< there is more than `most`
};

struct TraceOptions {
  std::size_t most = 1000;  ///< entries in all
};

/// Walks from a token's id, a decision, a request, an agent's key or whatever else entries name, back to the grant and on to
/// everything that came of it. What nobody names gives a trace without a subject.
/// \return what `find` said
[[nodiscard]] Result<Trace> trace(std::string_view reference, const FindEntries& find,
                                  const TraceOptions& options = {});

/// The references of many entries, for a log that is at hand as a whole.
class EntryIndex {
 public:
  void add(EntryPtr entry);
  [[nodiscard]] std::vector<EntryPtr> find(std::string_view reference) const;

 private:
  std::multimap<std::string, EntryPtr, std::less<>> entries_;
};

}  // namespace chancery::audit
