#pragma once

#include <string>
#include <string_view>

#include <chancery/api_runtime.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_runtime.hpp, both ways, as messages.hpp has that of chancery/api.hpp. What is read of a credential
// is copied into memory for secrets and nowhere else; what is written of one stands in the text that is returned.

[[nodiscard]] std::string write(const api::AskPermit& message);
[[nodiscard]] std::string write(const api::Permit& message);
[[nodiscard]] std::string write(const api::ReleasedCredential& message);
[[nodiscard]] std::string write(const api::CallResult& message);
[[nodiscard]] std::string write(const api::ToolRefusal& message);
[[nodiscard]] std::string write(const api::RecordedRefusal& message);
[[nodiscard]] std::string write(const api::Receipt& message);
[[nodiscard]] std::string write(const api::SignReceipts& message);
[[nodiscard]] std::string write(const api::SignedReceipts& message);

[[nodiscard]] Result<api::AskPermit> read_ask_permit(std::string_view json);
[[nodiscard]] Result<api::Permit> read_permit(std::string_view json);
[[nodiscard]] Result<api::ReleasedCredential> read_released_credential(std::string_view json);
[[nodiscard]] Result<api::CallResult> read_call_result(std::string_view json);
[[nodiscard]] Result<api::ToolRefusal> read_tool_refusal(std::string_view json);
[[nodiscard]] Result<api::RecordedRefusal> read_recorded_refusal(std::string_view json);
[[nodiscard]] Result<api::Receipt> read_receipt(std::string_view json);
[[nodiscard]] Result<api::SignReceipts> read_sign_receipts(std::string_view json);
[[nodiscard]] Result<api::SignedReceipts> read_signed_receipts(std::string_view json);

}  // namespace chancery::wire
