# Which tests `./dev sanitize` runs, and under which sanitizer. In a build with one they have the label `sanitized` besides
# their own, and the target `sanitized` is what they need.

# Addresses and undefined behaviour: what parses what others wrote, and what keeps memory by hand.
set(sanitized_by_address
  sdk_base sdk_decisions sdk_incident sdk_json sdk_crypto sdk_token sdk_verify sdk_wire
  hsm tpm_backend tpm_counter tpm_attester tpm_gated_keys tpm_kill_switch tpm_measurements tpm_sealer pkcs11 pkcs11_claims
  client client_attestation client_trust
  edge_parts edge_requests edge_ends
  daemon_approvals daemon_audit daemon_config daemon_ledger daemon_log daemon_store form anomaly
  mcp mcp_serving runtime_tools schema schema_suite
  runtime_program
  service_approvals service_budgets service_console service_custody service_decisions service_incidents service_issuers service_partners service_vault redaction
  fuzz_attestation_result fuzz_audit fuzz_chain fuzz_config fuzz_decision fuzz_evidence fuzz_host fuzz_http fuzz_incident fuzz_json fuzz_jwk fuzz_mcp fuzz_pkcs11
  fuzz_proof fuzz_redaction fuzz_schema fuzz_status_list fuzz_token fuzz_tpm)

# Data races: what more than one thread is at. Not the client, whose cpprestsdk is not built for this, nor tests that assert
# on several threads, which Boost.Test is not made for.
set(sanitized_by_thread
  sdk_base sdk_crypto sdk_verify
  hsm tpm_backend tpm_counter tpm_condition tpm_gated_keys tpm_sealer
  client_trust
  edge_parts edge_requests edge_ends
  daemon_approvals daemon_audit daemon_ledger daemon_log daemon_store
  mcp mcp_serving
  service service_audit service_authorize service_attestation service_budgets service_partners)

set(sanitized_tests "")
set(sanitizer_environment "")
set(supp ${CMAKE_CURRENT_SOURCE_DIR}/sanitizers)
if(CHANCERY_SANITIZE MATCHES address)
  # The search for leaks stops the process as a debugger does, which not every container allows.
  include(CheckCXXSourceRuns)
  set(CMAKE_REQUIRED_FLAGS -fsanitize=address)
  check_cxx_source_runs("int main() { return 0; }" CHANCERY_FINDS_LEAKS)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT CHANCERY_FINDS_LEAKS)
    message(WARNING "Leaks are not looked for: this machine does not let a process be traced")
    set(leaks :detect_leaks=0)
  endif()
  set(sanitized_tests ${sanitized_by_address})
  set(sanitizer_environment ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:quarantine_size_mb=48${leaks}
    LSAN_OPTIONS=suppressions=${supp}/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1)
elseif(CHANCERY_SANITIZE MATCHES thread)
  set(sanitized_tests ${sanitized_by_thread})
  # A mutex of the standard library says nothing at its end: those of fixtures that follow one another at one place would be
  # taken for one, and their orders for contradictions.
  set(sanitizer_environment TSAN_OPTIONS=suppressions=${supp}/tsan.supp:halt_on_error=1:detect_deadlocks=0)
  add_library(clock_waits OBJECT ${supp}/clock_waits.cpp)
  target_link_libraries(chanceryd PRIVATE clock_waits)
endif()

add_custom_target(sanitized)

function(chancery_sanitize_test NAME TARGET)
  if(CHANCERY_SANITIZE)
    get_property(patience TEST ${NAME} PROPERTY TIMEOUT)
    math(EXPR patience "4 * ${patience}")
    set_property(TEST ${NAME} PROPERTY TIMEOUT ${patience})
  endif()
  set_property(TEST ${NAME} APPEND PROPERTY ENVIRONMENT ${sanitizer_environment})
  if(TARGET clock_waits)
    target_link_libraries(${TARGET} PRIVATE clock_waits)
  endif()
  if(NAME IN_LIST sanitized_tests)
    set_property(TEST ${NAME} APPEND PROPERTY LABELS sanitized)
    add_dependencies(sanitized ${TARGET})
    set_property(GLOBAL APPEND PROPERTY chancery_sanitized ${NAME})
  endif()
endfunction()

# A name without a test would be a check that nobody misses.
function(chancery_check_sanitized)
  get_property(found GLOBAL PROPERTY chancery_sanitized)
  list(REMOVE_ITEM sanitized_tests ${found})
  if(sanitized_tests)
    message(FATAL_ERROR "tests/sanitizers/sanitized.cmake names tests that are not there: ${sanitized_tests}")
  endif()
endfunction()
