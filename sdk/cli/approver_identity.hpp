#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <chancery/approver_enrolment.hpp>

#include "sdk/cli/context.hpp"
#include "sdk/cli/failure.hpp"
#include "sdk/cli/kept_key.hpp"

namespace chancery::cli {

/// Who decides, and by which key. On a machine it is kept in the folder `approver` of this user's settings: `approver.json` with the
/// principal, and `key.pem` with the key, or `key.json` with what leads to it in a device; while the key is rotated, the
/// next one as `next.pem` or `next.json` beside.
struct ApproverIdentity {
  std::string principal;
  KeptKey key;
};

/// What the command line says of it.
struct ApproverOptions {
  std::string principal{};  ///< empty: as it is kept
  std::string key_file{};   ///< empty: the key that is kept
};

/// `--as` and `--key`.
void add_approver_options(CLI::App& command, ApproverOptions& options);

/// \return kNotFound when none is kept and the options do not say; misuse for a principal that is none; what KeptKey::load()
///         says
[[nodiscard]] Checked<ApproverIdentity> approver_of(const ApproverOptions& options);

/// The identity that is kept, or one that is made now and kept: the key first.
/// \param output  is told of a key that could not be kept, and stays in its token
/// \return kConflict when another principal's, or a key in another place, is kept
[[nodiscard]] Checked<ApproverIdentity> approver_or_new(Output& output, const std::string& principal,
                                                        const KeyOptions& options);

/// The key that is to take the place of the kept one; one that was made before and is not in its place yet comes first.
/// \param present  where the kept one is: there the next one is made when the options say nothing, so that no key comes out of a device
///                 unless somebody says so
[[nodiscard]] Checked<KeptKey> next_key_or_new(Output& output, const KeyOptions& options,
                                               const KeyPlace& present);
/// Puts the next key into the place of the one before, whose file is removed. Interrupted, approver_of() finishes it.
[[nodiscard]] Checked<void> take_next_key();

/// The folder, whether it is there or not.
[[nodiscard]] Checked<std::filesystem::path> approver_folder();

/// A key as it is enrolled. \param groups  in any order
[[nodiscard]] Enrolment enrolment_of(const std::string& principal, std::vector<std::string> groups,
                                     const KeptKey& key);

/// The authorization of one of the documents of approver_enrolment.hpp, for one daemon.
/// \param audience  the daemon's issuer
/// \return what HolderKey::sign() says
[[nodiscard]] Checked<std::string> authorize_document(const ApproverIdentity& approver,
                                                      std::string_view document, const std::string& audience,
                                                      std::chrono::sys_seconds now);

}  // namespace chancery::cli
