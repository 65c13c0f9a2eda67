#include "CSimdjson.h"

#include <cstring>
#include <new>
#include <type_traits>

#include <simdjson.h>

using namespace simdjson;
using internal::tape_ref;

// An element is a tape_ref and nothing else, so the C struct can carry it by value.
static_assert(sizeof(dom::element) == sizeof(csj_element), "dom::element changed its layout");
static_assert(sizeof(tape_ref) == sizeof(csj_element), "tape_ref changed its layout");
static_assert(std::is_trivially_copyable<dom::element>::value, "dom::element must be copyable as bytes");

struct csj_parser {
  dom::parser parser;
  explicit csj_parser(size_t capacity) : parser(capacity) {}
};

namespace {

dom::element element_of(csj_element place) noexcept {
  dom::element element;
  std::memcpy(static_cast<void *>(&element), &place, sizeof place);
  return element;
}

tape_ref tape_of(csj_element place) noexcept {
  return tape_ref(static_cast<const dom::document *>(place.document), place.index);
}

int hex_digit(uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  const uint8_t lower = byte | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The code unit of a `\uXXXX` at `at`, or -1.
int32_t escaped_unit(const uint8_t *at, const uint8_t *end) noexcept {
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
  int32_t unit = 0;
  for (int i = 2; i < 6; i++) {
    const int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

/// simdjson lets an escaped surrogate without its partner through, as bytes that are not UTF-8. A backslash outside a
/// string is no JSON anyway, so it is enough to look at each backslash.
bool find_lone_surrogate(const uint8_t *bytes, size_t length, size_t *offset) noexcept {
  const uint8_t *const end = bytes + length;
  const uint8_t *at = bytes;
  while ((at = static_cast<const uint8_t *>(std::memchr(at, '\\', static_cast<size_t>(end - at)))) != nullptr) {
    const int32_t unit = escaped_unit(at, end);
    if (unit >= 0xD800 && unit <= 0xDFFF) {
      const int32_t next = unit <= 0xDBFF ? escaped_unit(at + 6, end) : -1;
      if (next < 0xDC00 || next > 0xDFFF) {
        *offset = static_cast<size_t>(at - bytes);
        return true;
      }
      at += 12;
    } else {
      at += 2;
    }
    if (at >= end) return false;
  }
  return false;
}

csj_status status_of(error_code error) noexcept {
  switch (error) {
    case SUCCESS: return csj_ok;
    case CAPACITY: return csj_too_large;
    case DEPTH_ERROR: return csj_too_deep;
    case MEMALLOC: return csj_no_memory;
    case UTF8_ERROR: return csj_bad_utf8;
    case STRING_ERROR:
    case UNESCAPED_CHARS:
    case UNCLOSED_STRING: return csj_bad_string;
    case NUMBER_ERROR:
    case NUMBER_OUT_OF_RANGE: return csj_bad_number;
    case EMPTY: return csj_empty;
    default: return csj_not_json;
  }
}

}  // namespace

csj_parser *csj_parser_create(size_t capacity, size_t depth) {
  try {
    auto *parser = new csj_parser(capacity);
    if (parser->parser.allocate(1024, depth) == SUCCESS) return parser;
    delete parser;
    return nullptr;
  } catch (...) {
    return nullptr;
  }
}

void csj_parser_destroy(csj_parser *parser) { delete parser; }

csj_status csj_parse(csj_parser *parser, const uint8_t *bytes, size_t length, csj_element *root, size_t *offset) {
  try {
    if (find_lone_surrogate(bytes, length, offset)) return csj_lone_surrogate;
    dom::element element;
    const error_code error = parser->parser.parse(bytes, length, true).get(element);
    if (error != SUCCESS) return status_of(error);
    std::memcpy(root, static_cast<const void *>(&element), sizeof *root);
    return csj_ok;
  } catch (...) {
    return csj_no_memory;
  }
}

csj_kind csj_kind_of(csj_element element) {
  switch (element_of(element).type()) {
    case dom::element_type::ARRAY: return csj_array;
    case dom::element_type::OBJECT: return csj_object;
    case dom::element_type::INT64: return csj_int64;
    case dom::element_type::UINT64: return csj_uint64;
    case dom::element_type::DOUBLE: return csj_double;
    case dom::element_type::STRING: return csj_string;
    case dom::element_type::BOOL: return csj_bool;
    case dom::element_type::NULL_VALUE: return csj_null;
  }
  return csj_null;
}

bool csj_get_string(csj_element element, const char **bytes, size_t *length) {
  std::string_view view;
  if (element_of(element).get_string().get(view) != SUCCESS) return false;
  *bytes = view.data();
  *length = view.size();
  return true;
}

bool csj_get_int64(csj_element element, int64_t *value) {
  return element_of(element).get_int64().get(*value) == SUCCESS;
}

bool csj_get_uint64(csj_element element, uint64_t *value) {
  return element_of(element).get_uint64().get(*value) == SUCCESS;
}

bool csj_get_double(csj_element element, double *value) {
  return element_of(element).get_double().get(*value) == SUCCESS;
}

bool csj_get_bool(csj_element element, bool *value) { return element_of(element).get_bool().get(*value) == SUCCESS; }

bool csj_field(csj_element object, const char *key, size_t length, csj_element *value) {
  dom::object fields;
  dom::element found;
  if (element_of(object).get_object().get(fields) != SUCCESS) return false;
  if (fields.at_key(std::string_view(key, length)).get(found) != SUCCESS) return false;
  std::memcpy(value, static_cast<const void *>(&found), sizeof *value);
  return true;
}

bool csj_children(csj_element container, csj_cursor *cursor) {
  const auto type = element_of(container).type();
  if (type != dom::element_type::ARRAY && type != dom::element_type::OBJECT) return false;
  // A container's opening entry is followed by its children; the entry before the next sibling closes it.
  *cursor = {container.document, container.index + 1, tape_of(container).after_element() - 1};
  return true;
}

bool csj_next(csj_cursor *cursor, csj_element *element) {
  if (cursor->at >= cursor->end) return false;
  *element = {cursor->document, cursor->at};
  cursor->at = tape_of(*element).after_element();
  return true;
}

bool csj_next_field(csj_cursor *cursor, const char **key, size_t *length, csj_element *value) {
  if (cursor->at >= cursor->end) return false;
  const std::string_view name = tape_of({cursor->document, cursor->at}).get_string_view();
  *key = name.data();
  *length = name.size();
  *value = {cursor->document, cursor->at + 1};
  cursor->at = tape_of(*value).after_element();
  return true;
}
