#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "hsm/pkcs11/module.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {

/// Looks into the token beside the backend. Logs in by itself where the backend does so in another process.
class Onlooker {
 public:
  explicit Onlooker(const SimulatedToken& simulated)
      : module_(required(Module::load(simulators::Pkcs11Faults::module()))) {
    const FoundToken token = required(module_->find_token({{}, {}, {}, simulated.token.serial}));
    BOOST_REQUIRE(call().C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                       &session_) == CKR_OK);
    const ByteView pin = as_bytes(simulators::SoftHsm::kPin);
    CK_SESSION_INFO info{};
    BOOST_REQUIRE(call().C_GetSessionInfo(session_, &info) == CKR_OK);
    if (info.state == CKS_RW_USER_FUNCTIONS) return;
    BOOST_REQUIRE(call().C_Login(session_, CKU_USER, mutable_octets(pin), pin.size()) == CKR_OK);
  }
  ~Onlooker() { call().C_CloseSession(session_); }

  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> objects(CK_OBJECT_CLASS kind) const {
    CK_ATTRIBUTE wanted{CKA_CLASS, &kind, sizeof kind};
    std::vector<CK_OBJECT_HANDLE> found(64);
    CK_ULONG count = 0;
    BOOST_REQUIRE(call().C_FindObjectsInit(session_, &wanted, 1) == CKR_OK);
    BOOST_REQUIRE(call().C_FindObjects(session_, found.data(), found.size(), &count) == CKR_OK);
    call().C_FindObjectsFinal(session_);
    found.resize(count);
    return found;
  }
  void remove(CK_OBJECT_HANDLE object) const {
    BOOST_REQUIRE(call().C_DestroyObject(session_, object) == CKR_OK);
  }
  [[nodiscard]] Bytes id_of(CK_OBJECT_HANDLE object) const {
    Bytes id(64);
    CK_ATTRIBUTE wanted{CKA_ID, id.data(), id.size()};
    BOOST_REQUIRE(call().C_GetAttributeValue(session_, object, &wanted, 1) == CKR_OK);
    id.resize(wanted.ulValueLen);
    return id;
  }
  void create(std::span<CK_ATTRIBUTE> wanted) const {
    CK_OBJECT_HANDLE made = 0;
    BOOST_REQUIRE(call().C_CreateObject(session_, wanted.data(), wanted.size(), &made) == CKR_OK);
  }
  /// \param id  empty: none
  void put_certificate(ByteView id, const Bytes& der) const {
    CK_OBJECT_CLASS kind = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE;
    std::array<std::uint8_t, 2> subject{0x30, 0x00};
    std::array wanted{CK_ATTRIBUTE{CKA_CLASS, &kind, sizeof kind},
                      CK_ATTRIBUTE{CKA_CERTIFICATE_TYPE, &type, sizeof type},
                      CK_ATTRIBUTE{CKA_TOKEN, &yes, sizeof yes},
                      CK_ATTRIBUTE{CKA_SUBJECT, subject.data(), subject.size()},
                      CK_ATTRIBUTE{CKA_ID, mutable_octets(id), id.size()},
                      CK_ATTRIBUTE{CKA_VALUE, mutable_octets(der), der.size()}};
    create(wanted);
  }
  [[nodiscard]] CK_RV read_private_value(CK_OBJECT_HANDLE object) const {
    std::array<CK_BYTE, 64> value{};
    CK_ATTRIBUTE wanted{CKA_VALUE, value.data(), value.size()};
    return call().C_GetAttributeValue(session_, object, &wanted, 1);
  }

 private:
  [[nodiscard]] const CK_FUNCTION_LIST& call() const { return module_->functions(); }

  std::shared_ptr<Module> module_;
  CK_SESSION_HANDLE session_ = 0;
};

}  // namespace chancery::hsm
