#ifndef CSIMDJSON_H
#define CSIMDJSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// simdjson's DOM behind C. Nothing throws across this border; every function is noexcept on the other side.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csj_parser csj_parser;

/// A place in a parsed document. Valid until the parser's next parse or its end.
typedef struct {
  const void *document;
  size_t index;
} csj_element;

/// The children of an array or object still to be visited.
typedef struct {
  const void *document;
  size_t at;
  size_t end;
} csj_cursor;

typedef enum { csj_null, csj_bool, csj_int64, csj_uint64, csj_double, csj_string, csj_array, csj_object } csj_kind;

typedef enum {
  csj_ok,
  csj_too_large,
  csj_too_deep,
  csj_no_memory,
  csj_bad_utf8,
  csj_bad_string,
  csj_bad_number,
  csj_empty,
  csj_lone_surrogate,
  csj_not_json
} csj_status;

/// NULL when there is no memory. `depth`: how many arrays and objects may be open at once.
csj_parser *csj_parser_create(size_t capacity, size_t depth);
void csj_parser_destroy(csj_parser *parser);
/// Parses a copy of the bytes, so they need no padding and may go away. On csj_lone_surrogate `offset` is its place.
csj_status csj_parse(csj_parser *parser, const uint8_t *bytes, size_t length, csj_element *root, size_t *offset);

csj_kind csj_kind_of(csj_element element);
/// The bytes live in the document and may hold NUL. False when the element is of another kind; so below.
bool csj_get_string(csj_element element, const char **bytes, size_t *length);
bool csj_get_int64(csj_element element, int64_t *value);
bool csj_get_uint64(csj_element element, uint64_t *value);
bool csj_get_double(csj_element element, double *value);
bool csj_get_bool(csj_element element, bool *value);
/// The first field of that name.
bool csj_field(csj_element object, const char *key, size_t length, csj_element *value);
bool csj_children(csj_element container, csj_cursor *cursor);
bool csj_next(csj_cursor *cursor, csj_element *element);
bool csj_next_field(csj_cursor *cursor, const char **key, size_t *length, csj_element *value);

#ifdef __cplusplus
}
#endif
#endif
