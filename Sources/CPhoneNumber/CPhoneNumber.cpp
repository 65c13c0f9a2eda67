#include "CPhoneNumber.h"

#include <cstring>
#include <string>

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::Logger;
using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

const PhoneNumberUtil &library() {
  // The library prints numbers it stumbles over; phone numbers never reach a log. Once, and for good.
  static const PhoneNumberUtil *const instance = [] {
    const PhoneNumberUtil *const util = PhoneNumberUtil::GetInstance();
    Logger::set_logger_impl(new NullLogger());
    return util;
  }();
  return *instance;
}

cpn_kind kind_of(PhoneNumberUtil::PhoneNumberType type) {
  switch (type) {
    case PhoneNumberUtil::MOBILE:
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE: return cpn_mobile;
    case PhoneNumberUtil::FIXED_LINE: return cpn_landline;
    case PhoneNumberUtil::UNKNOWN: return cpn_unknown;
    default: return cpn_service;
  }
}

cpn_length length_of(PhoneNumberUtil::ValidationResult result) {
  switch (result) {
    case PhoneNumberUtil::IS_POSSIBLE: return cpn_possible;
    case PhoneNumberUtil::TOO_SHORT:
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY: return cpn_length_short;
    case PhoneNumberUtil::TOO_LONG: return cpn_length_long;
    default: return cpn_length_other;
  }
}

}  // namespace

cpn_status cpn_read(const char *text, size_t length, const char *region, cpn_reading *reading) {
  try {
    const PhoneNumberUtil &util = library();
    PhoneNumber number;
    switch (util.Parse(std::string(text, length), region, &number)) {
      case PhoneNumberUtil::NO_PARSING_ERROR: break;
      case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR: return cpn_bad_country;
      case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
      case PhoneNumberUtil::TOO_SHORT_NSN: return cpn_too_short;
      case PhoneNumberUtil::TOO_LONG_NSN: return cpn_too_long;
      default: return cpn_not_a_number;
    }
    std::memset(reading, 0, sizeof *reading);
    reading->national = static_cast<int64_t>(number.national_number());
    reading->country_code = number.country_code();
    reading->length = length_of(util.IsPossibleNumberWithReason(number));

    std::string e164;
    util.Format(number, PhoneNumberUtil::E164, &e164);
    if (e164.size() >= 8 && e164.size() <= 16) reading->digits = std::stoll(e164.substr(1));

    std::string owner;
    util.GetRegionCodeForNumber(number, &owner);
    if (owner.size() == 2 && owner != "ZZ") std::memcpy(reading->region, owner.data(), 2);
    reading->kind = kind_of(util.GetNumberType(number));
    return cpn_parsed;
  } catch (...) {
    return cpn_failed;
  }
}

int32_t cpn_country_code(const char *region) {
  try {
    return library().GetCountryCodeForRegion(region);
  } catch (...) {
    return 0;
  }
}
