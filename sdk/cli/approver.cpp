// `chancery approver`: who may decide about what waits, and by which keys.

#include <algorithm>
#include <memory>
#include <utility>

#include <chancery/approval_client.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/name.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/approver_commands.hpp"
#include "sdk/cli/approver_identity.hpp"
#include "sdk/cli/confirmation.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/approver_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kMostDocument = 64 * 1024;

std::string time_text(std::int64_t time) { return utc_text(static_cast<double>(time)); }

std::string key_text(const api::ApproverKey& key) {
  std::string out = key.jkt + "  " + key.kind + "  " + key.state + "  since " + time_text(key.enrolled_at) +
                    " by " + key.enrolled_by;
  if (key.ended_at) out += ", until " + time_text(*key.ended_at);
  return out;
}

void show(Output& output, const api::Approver& approver) {
  if (output.json()) return output.document(wire::write(approver));
  output.line(output.paint(Colour::kBold, printable(approver.principal)));
  output.field("groups", approver.groups.empty() ? "none" : joined(approver.groups));
  for (const api::ApproverKey& key : approver.keys) output.field("key", key_text(key));
}

// --- enroll

struct EnrollArguments {
  std::string principal;
  std::vector<std::string> groups;
  KeyOptions key{};
  std::string document;
  std::string word;
  std::string out;
  ApproverOptions approver{};
  bool is_first = false;
  bool is_confirmed = false;
};

// Everything that the document says, from its own octets: that is what is signed.
void show_enrolment(Output& output, const Enrolment& enrolment, std::string_view document) {
  output.line(output.paint(Colour::kBold, "A key for " + printable(enrolment.principal)));
  output.field("groups", enrolment.groups.empty() ? "none" : joined(enrolment.groups));
  output.field("key", enrolment.key.thumbprint().text());
  output.field("algorithm", algorithm_name(enrolment.key.algorithm()));
  output.field("kept in", enrolment.kind + ", by its owner's word");
  if (!enrolment.credential_id.empty()) output.field("credential", enrolment.credential_id);
  output.field("replaces", enrolment.replaces.empty() ? "no key" : enrolment.replaces);
  output.field("sha256", hex_encode(sha256(as_bytes(document))));
}

Checked<ExitCode> submit(Context& context, const Client& client, const api::EnrollApprover& message) {
  const auto enrolled = ApprovalClient(client).enroll(message);
  if (!enrolled) return failure(enrolled.error());
  show(context.output, *enrolled);
  return ExitCode::kSuccess;
}

Checked<std::string> issuer_of(const Client& client) {
  const auto metadata = client.metadata();
  if (!metadata) return failure(metadata.error());
  return metadata->issuer;
}

// Somebody else's document, or that of another key of one's own.
Checked<ExitCode> vouch(Context& context, const EnrollArguments& arguments) {
  CHANCERY_ASSIGN(const std::string text, read_input(arguments.document, kMostDocument));
  const std::string document(trimmed(text));
  const auto enrolment = read_enrolment(document);
  if (!enrolment) return failure(enrolment.error(), arguments.document);
  CHANCERY_ASSIGN(const ApproverIdentity approver, approver_of(arguments.approver));
  CHANCERY_ASSIGN(const Client client, connect_as_anybody(context));
  CHANCERY_ASSIGN(const std::string issuer, issuer_of(client));
  if (!context.output.json()) {
    show_enrolment(context.output, *enrolment, document);
    context.output.field("at", issuer);
    context.output.field("vouched by", approver.principal);
  }
  CHANCERY_TRY(confirm(context.output, "Enrol this key", arguments.is_confirmed));
  CHANCERY_ASSIGN(std::string jws, authorize_document(approver, document, issuer, context.now));
  const api::EnrollApprover message{document, std::move(jws)};
  if (arguments.out.empty()) return submit(context, client, message);
  CHANCERY_TRY(create_file(arguments.out, wire::write(message) + "\n", 0644));
  context.output.note(
      "nobody is enrolled by this yet: have the operator run `chancery approver enroll --signed FILE` with it within an hour");
  return ExitCode::kSuccess;
}

// What an approver has signed, brought by the operator: for whom a gate names.
Checked<ExitCode> bring(Context& context, const EnrollArguments& arguments) {
  CHANCERY_ASSIGN(const std::string text, read_input(arguments.word, kMostDocument));
  const auto message = wire::read_enroll_approver(trimmed(text));
  if (!message) return failure(message.error(), arguments.word);
  const auto enrolment = read_enrolment(message->enrolment);
  if (!enrolment) return failure(enrolment.error(), arguments.word);
  const auto said = read_enrolment_authorization(message->authorization);
  if (!said) return failure(said.error(), arguments.word);
  if (!context.output.json()) {
    show_enrolment(context.output, *enrolment, message->enrolment);
    context.output.field("vouched by", printable(said->approver));
  }
  CHANCERY_TRY(confirm(context.output, "Enrol this key", arguments.is_confirmed));
  CHANCERY_ASSIGN(const Client client, connect(context));
  return submit(context, client, *message);
}

Checked<ExitCode> hand_out(Context& context, const EnrollArguments& arguments, const std::string& document) {
  if (arguments.out.empty()) {
    context.output.line(document);
  } else {
    CHANCERY_TRY(create_file(arguments.out, document + "\n", 0644));
  }
  context.output.note(
      "nobody is enrolled by this yet: have an approver run `chancery approver enroll --document FILE` "
      "with this document, after comparing its SHA-256 with you: " +
      hex_encode(sha256(as_bytes(document))));
  return ExitCode::kSuccess;
}

Checked<void> check_names(const std::vector<std::string>& groups) {
  const auto wrong = std::ranges::find_if_not(groups, [](const std::string& name) { return is_name(name); });
  if (wrong == groups.end()) return {};
  return misuse("a group's name is [a-z0-9][a-z0-9._-]{0,62}, without `group:`: " + *wrong);
}

Checked<ExitCode> enroll_own(Context& context, const EnrollArguments& arguments) {
  CHANCERY_TRY(check_names(arguments.groups));
  CHANCERY_ASSIGN(const ApproverIdentity approver,
                  approver_or_new(context.output, arguments.principal, arguments.key));
  const std::string document =
      enrolment_document(enrolment_of(approver.principal, arguments.groups, approver.key));
  if (const auto checked = read_enrolment(document); !checked) return failure(checked.error());
  approver.key.tell_custody(context.output);
  if (!arguments.is_first) return hand_out(context, arguments, document);
  CHANCERY_ASSIGN(const Client client, connect(context));
  return submit(context, client, {document, {}});
}

Checked<ExitCode> enroll(Context& context, const EnrollArguments& arguments) {
  const bool is_own = !arguments.principal.empty();
  const bool is_word = !arguments.word.empty();
  if (is_own + is_word + !arguments.document.empty() != 1)
    return misuse(
        "give PRINCIPAL to make a key of your own, or --document to enrol somebody's, or --signed to send what an approver has signed");
  if (!is_own && (arguments.is_first || !arguments.groups.empty()))
    return misuse("--first and --group are for a key of your own: a document says all of that itself");
  if (is_word && !arguments.out.empty())
    return misuse("--out is not for --signed, which is sent to the daemon");
  if (is_word) return bring(context, arguments);
  return is_own ? enroll_own(context, arguments) : vouch(context, arguments);
}

void add_enroll(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<EnrollArguments>();
  CLI::App* command = group.add_subcommand("enroll", "Make a key to decide with, or vouch for somebody's");
  command->add_option("PRINCIPAL", arguments->principal, "who you are: user:bob@example.org");
  add_repeatable(*command, "--group", arguments->groups, "a group that you are in; may be given again");
  add_key_options(*command, arguments->key);
  command->add_flag("--first", arguments->is_first,
                    "enrol it now, on the operator's word: while there is no approver (on the socket)");
  command
      ->add_option(
          "--out", arguments->out,
          "write the document there, default: to standard output; with --document, what was signed, and send nothing")
      ->type_name("FILE");
  command->add_option("--document", arguments->document, "the enrolment to vouch for; - for standard input")
      ->type_name("FILE");
  command
      ->add_option(
          "--signed", arguments->word,
          "what an approver wrote by --document and --out, to send as the operator; - for standard input")
      ->type_name("FILE");
  add_approver_options(*command, arguments->approver);
  command->add_flag("--yes", arguments->is_confirmed, "do not ask");
  command->footer(
      "With PRINCIPAL a key is made, or the one that is there is taken, and the enrolment document written: an\n"
      "approver who is enrolled vouches for it with --document. Another key of your own you vouch for yourself.\n"
      "Of whom a gate names the operator sends it, on the daemon's socket: what the approver signed, with --signed.\n\n"
      "Examples:\n  chancery approver enroll user:alice@example.org --group finance --first\n"
      "  chancery approver enroll user:bob@example.org --key-in tpm --out bob.json\n"
      "  chancery approver enroll --document bob.json\n"
      "  chancery approver enroll --document bob.json --out signed.json\n"
      "  chancery approver enroll --signed signed.json");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return enroll(context, *arguments); };
  });
}

// --- rotate

struct RotateArguments {
  KeyOptions key{};
  bool is_confirmed = false;
};

bool has_active(const api::Approver& approver, const std::string& jkt) {
  return std::ranges::any_of(
      approver.keys, [&](const api::ApproverKey& key) { return key.jkt == jkt && key.state == "active"; });
}

// A rotation that the daemon took and of which this machine heard nothing more is only finished.
Checked<bool> is_enrolled(const Client& client, const ApproverIdentity& approver, const KeptKey& key) {
  const auto known = ApprovalClient(client).approver(approver.principal);
  if (!known) return failure(known.error());
  return has_active(*known, key.thumbprint());
}

Checked<ExitCode> finish(Context& context, const ApproverIdentity& approver, const KeptKey& next) {
  CHANCERY_TRY(take_next_key());
  Output& output = context.output;
  if (output.json()) {
    output.document(json::to_jcs(json::Node::object({{"principal", approver.principal},
                                                     {"jkt", next.thumbprint()},
                                                     {"replaced", approver.key.thumbprint()}})));
    return ExitCode::kSuccess;
  }
  output.field("approver", approver.principal);
  output.field("key", next.thumbprint());
  output.field("ended", approver.key.thumbprint());
  next.tell_custody(output);
  return ExitCode::kSuccess;
}

// Groups stay as they are, and the document names them: they must be read first.
Checked<std::vector<std::string>> groups_of(const Client& client, const ApproverIdentity& approver) {
  const auto known = ApprovalClient(client).approver(approver.principal);
  if (known) return known->groups;
  Failure out = failure(known.error());
  if (known.error().status == 401 || known.error().status == 403)
    out.message +=
        ". Your groups are read before: use a context with chancery.approvers.read, which the operator gives by "
        "`chancery context delegate`";
  return out;
}

Checked<ExitCode> rotate(Context& context, const RotateArguments& arguments) {
  CHANCERY_ASSIGN(const ApproverIdentity approver, approver_of({}));
  CHANCERY_ASSIGN(const Client client, connect(context));
  CHANCERY_ASSIGN(std::vector<std::string> groups, groups_of(client, approver));
  CHANCERY_TRY(confirm(context.output, "Make a key that replaces " + approver.key.thumbprint(),
                       arguments.is_confirmed));
  CHANCERY_ASSIGN(const KeptKey next, next_key_or_new(context.output, arguments.key, approver.key.place()));
  CHANCERY_ASSIGN(const bool is_done, is_enrolled(client, approver, next));
  if (is_done) return finish(context, approver, next);
  Enrolment enrolment = enrolment_of(approver.principal, std::move(groups), next);
  enrolment.replaces = approver.key.thumbprint();
  const std::string document = enrolment_document(enrolment);
  CHANCERY_ASSIGN(const std::string issuer, issuer_of(client));
  CHANCERY_ASSIGN(std::string jws, authorize_document(approver, document, issuer, context.now));
  const auto enrolled = ApprovalClient(client).enroll({document, std::move(jws)});
  if (!enrolled) return failure(enrolled.error());
  return finish(context, approver, next);
}

void add_rotate(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<RotateArguments>();
  CLI::App* command =
      group.add_subcommand("rotate", "Replace your key by a new one, which the old one vouches for");
  add_key_options(*command, arguments->key, "where the present one is");
  command->add_flag("--yes", arguments->is_confirmed, "do not ask");
  command->footer(
      "The new key is made in the device of the old one; --key-in file takes it out of there.\n"
      "What the old key decided stands. If it was lost or seen by others, revoke it instead.\n"
      "Run it again if it was interrupted: the key that was made is taken.\n\n"
      "Example:\n  chancery approver rotate --key-in tpm");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return rotate(context, *arguments); };
  });
}

// --- revoke

struct RevokeArguments {
  std::string jkt;
  std::string reason;
  ApproverOptions approver{};
  bool is_signed = false;
  bool is_confirmed = false;
};

Checked<std::string> own_word(Context& context, const Client& client, const RevokeArguments& arguments,
                              const Thumbprint& key) {
  CHANCERY_ASSIGN(const ApproverIdentity approver, approver_of(arguments.approver));
  CHANCERY_ASSIGN(const std::string issuer, issuer_of(client));
  const std::string document = key_revocation_document({approver.principal, key});
  return authorize_document(approver, document, issuer, context.now);
}

Checked<ExitCode> revoke(Context& context, const RevokeArguments& arguments) {
  const auto octets = base64url_decode_exactly<32>(arguments.jkt);
  if (!octets)
    return misuse("a key is named by its thumbprint, 43 characters: `chancery approver list` shows them");
  CHANCERY_ASSIGN(const Client client, arguments.is_signed ? connect_as_anybody(context) : connect(context));
  CHANCERY_TRY(confirm(context.output,
                       "Revoke the key " + arguments.jkt + ", and what it approved that is not used yet",
                       arguments.is_confirmed));
  api::RevokeApproverKey message{arguments.reason, {}};
  if (arguments.is_signed) {
    CHANCERY_ASSIGN(message.authorization, own_word(context, client, arguments, Thumbprint{*octets}));
  }
  const auto left = ApprovalClient(client).revoke_approver_key(arguments.jkt, message);
  if (!left) return failure(left.error());
  show(context.output, *left);
  return ExitCode::kSuccess;
}

void add_revoke(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<RevokeArguments>();
  CLI::App* command =
      group.add_subcommand("revoke", "End a key: it decides nothing any more (operator, or its owner)");
  command->add_option("JKT", arguments->jkt, "the key's thumbprint")->required();
  command->add_option("--reason", arguments->reason, "why, for the audit log");
  command->add_flag(
      "--sign", arguments->is_signed,
      "on the word of the key's owner, signed with a key of the same person: takes no other right");
  add_approver_options(*command, arguments->approver);
  command->add_flag("--yes", arguments->is_confirmed, "do not ask");
  command->footer(
      "What it approved and was not used yet counts no more. It cannot be undone, and the key is never enrolled again.\n\n"
      "Examples:\n  chancery approver revoke QmFy… --reason \"laptop stolen\"\n"
      "  chancery approver revoke QmFy… --sign");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return revoke(context, *arguments); };
  });
}

// --- list, show

Checked<ExitCode> list(Context& context) {
  CHANCERY_ASSIGN(const Client client, connect(context));
  const auto answer = ApprovalClient(client).approvers();
  if (!answer) return failure(answer.error());
  if (context.output.json()) {
    context.output.document(wire::write(*answer));
    return ExitCode::kSuccess;
  }
  if (answer->approvers.empty())
    context.output.line("Nobody can decide: `chancery approver enroll PRINCIPAL --first` enrols the first.");
  for (const api::Approver& approver : answer->approvers) show(context.output, approver);
  return ExitCode::kSuccess;
}

Checked<ExitCode> show_one(Context& context, const std::string& principal) {
  CHANCERY_ASSIGN(const Client client, connect(context));
  const auto approver = ApprovalClient(client).approver(principal);
  if (!approver) return failure(approver.error());
  show(context.output, *approver);
  return ExitCode::kSuccess;
}

}  // namespace

Checked<void> enroll_first(Context& context, const Client& client, const FirstApprover& first) {
  CHANCERY_TRY(check_names(first.groups));
  CHANCERY_ASSIGN(const ApproverIdentity approver,
                  approver_or_new(context.output, first.principal, first.key));
  const std::string document =
      enrolment_document(enrolment_of(approver.principal, first.groups, approver.key));
  if (const auto checked = read_enrolment(document); !checked) return failure(checked.error());
  const auto enrolled = ApprovalClient(client).enroll({document, {}});
  if (!enrolled) return failure(enrolled.error());
  if (context.output.json()) return {};
  context.output.field("approver", approver.principal);
  context.output.field("decides by", approver.key.thumbprint());
  return {};
}

void add_approver(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("approver", "Who decides about what waits for a person, and by which keys");
  group->require_subcommand(1);
  add_enroll(*group, chosen);
  group->add_subcommand("list", "List who may decide, with their keys (operator, approver)")
      ->callback([&chosen] { chosen = list; });
  const auto principal = std::make_shared<std::string>();
  CLI::App* one =
      group->add_subcommand("show", "Show one of them, with keys that have ended (operator, approver)");
  one->add_option("PRINCIPAL", *principal, "who: user:bob@example.org")->required();
  one->callback([principal, &chosen] {
    chosen = [principal](Context& context) { return show_one(context, *principal); };
  });
  add_rotate(*group, chosen);
  add_revoke(*group, chosen);
}

}  // namespace chancery::cli
