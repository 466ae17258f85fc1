#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::tests {

/// Stands in for who is told by a webhook.
struct Receiver {
  Result<int> status = 204;
  std::vector<std::string> got{};
};

/// A receiver that outlives the office which tells it.
struct WithReceiver {
  std::shared_ptr<Receiver> receiver = std::make_shared<Receiver>();

  [[nodiscard]] std::function<Result<int>(const std::string&, const std::stop_token&)> post() const {
    return [to = receiver](const std::string& jws, const std::stop_token&) {
      to->got.push_back(jws);
      return to->status;
    };
  }
};

}  // namespace chancery::tests
