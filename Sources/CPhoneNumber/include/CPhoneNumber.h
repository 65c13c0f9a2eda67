#ifndef CPHONENUMBER_H
#define CPHONENUMBER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// libphonenumber behind C: one call answers all we ask of a number. Nothing throws across this border, nothing is
// logged.

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { cpn_parsed, cpn_bad_country, cpn_not_a_number, cpn_too_short, cpn_too_long, cpn_failed } cpn_status;
typedef enum { cpn_possible, cpn_length_short, cpn_length_long, cpn_length_other } cpn_length;
typedef enum { cpn_unknown, cpn_mobile, cpn_landline, cpn_service } cpn_kind;

typedef struct {
  int64_t digits;         // E.164 without `+`; 0 when it does not fit 15 digits
  int64_t national;       // the national significant number
  int32_t country_code;
  cpn_length length;      // whether the length is one of the country's
  cpn_kind kind;          // cpn_unknown: not a valid number
  char region[4];         // ISO 3166 when one country owns the number; empty otherwise
} cpn_reading;

/// `text`: ASCII digits, with a leading `+` when international. `region`: two capital letters, or "ZZ" for none.
cpn_status cpn_read(const char *text, size_t length, const char *region, cpn_reading *reading);
/// The calling code of a region; 0 when the library does not know it.
int32_t cpn_country_code(const char *region);

#ifdef __cplusplus
}
#endif
#endif
