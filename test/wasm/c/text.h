/*
 * Texts in C: a length and bytes, an arena that is given back whole at the end of a call, and the two things that the conformance plugin
 * needs of JSON: to find a text in an object, and to write one.
 */
#ifndef TEXT_H
#define TEXT_H

#include "extism.h"

typedef struct {
  const byte *at;
  uint length;
} text;

typedef struct {
  byte *at;
  uint length, capacity;
} buffer;

#define TEXT(literal) ((text){(const byte *)(literal), sizeof(literal) - 1})

extern byte __heap_base;
static uint arena_end;

static void arena_reset(void) { arena_end = (uint)&__heap_base; }

/* Memory for the rest of this call. A module that gets no more of it can do nothing but stop. */
static byte *arena_take(uint length) {
  const uint PAGE = 65536;
  uint start = (arena_end + 7) & ~7u;
  arena_end = start + length;
  uint have = __builtin_wasm_memory_size(0);
  uint want = (arena_end + PAGE - 1) / PAGE;
  if (want > have && __builtin_wasm_memory_grow(0, want - have) == (uint)-1) __builtin_trap();
  return (byte *)start;
}

static void buffer_reserve(buffer *to, uint more) {
  if (to->length + more <= to->capacity) return;
  uint capacity = to->capacity * 2 > to->length + more ? to->capacity * 2 : to->length + more;
  byte *at = arena_take(capacity);
  if (to->length > 0) __builtin_memcpy(at, to->at, to->length);
  to->at = at;
  to->capacity = capacity;
}

static void buffer_byte(buffer *to, byte value) {
  buffer_reserve(to, 1);
  to->at[to->length++] = value;
}

static void buffer_text(buffer *to, text from) {
  if (from.length == 0) return;
  buffer_reserve(to, from.length);
  __builtin_memcpy(to->at + to->length, from.at, from.length);
  to->length += from.length;
}

static void buffer_number(buffer *to, uint value) {
  if (value >= 10) buffer_number(to, value / 10);
  buffer_byte(to, '0' + value % 10);
}

static text text_of(const buffer *from) { return (text){from->at, from->length}; }

static int text_is(text a, text b) {
  if (a.length != b.length) return 0;
  for (uint i = 0; i < a.length; i++)
    if (a.at[i] != b.at[i]) return 0;
  return 1;
}

/* Takes what stands before the first `end` off the front of `from`, and the `end` with it. */
static text text_cut(text *from, byte end) {
  uint length = 0;
  while (length < from->length && from->at[length] != end) length++;
  text front = {from->at, length};
  uint skip = length < from->length ? length + 1 : length;
  *from = (text){from->at + skip, from->length - skip};
  return front;
}

static uint text_number(text from) {
  uint value = 0;
  for (uint i = 0; i < from.length && from.at[i] >= '0' && from.at[i] <= '9'; i++)
    value = value * 10 + (from.at[i] - '0');
  return value;
}

static void buffer_utf8(buffer *to, uint code) {
  if (code < 0x80) buffer_byte(to, code);
  else if (code < 0x800) {
    buffer_byte(to, 0xc0 | code >> 6);
    buffer_byte(to, 0x80 | (code & 63));
  } else if (code < 0x10000) {
    buffer_byte(to, 0xe0 | code >> 12);
    buffer_byte(to, 0x80 | (code >> 6 & 63));
    buffer_byte(to, 0x80 | (code & 63));
  } else {
    buffer_byte(to, 0xf0 | code >> 18);
    buffer_byte(to, 0x80 | (code >> 12 & 63));
    buffer_byte(to, 0x80 | (code >> 6 & 63));
    buffer_byte(to, 0x80 | (code & 63));
  }
}

static uint json_hex(const byte *at) {
  uint value = 0;
  for (uint i = 0; i < 4; i++) value = value << 4 | (at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
  return value;
}

/* The character that stands behind a backslash. */
static byte json_escape(byte name) {
  const char *names = "btnfr", *values = "\b\t\n\f\r";
  for (uint i = 0; names[i] != 0; i++)
    if ((byte)names[i] == name) return (byte)values[i];
  return name;
}

/* The text that begins after a quote, without its escapes. `from` is JSON that a host wrote, so it has an end. */
static text json_unquote(const byte *from) {
  buffer to = {0};
  for (;;) {
    byte value = *from++;
    if (value == '"') return text_of(&to);
    if (value != '\\') {
      buffer_byte(&to, value);
      continue;
    }
    byte escape = *from++;
    if (escape != 'u') {
      buffer_byte(&to, json_escape(escape));
      continue;
    }
    uint code = json_hex(from);
    from += 4;
    if (code >= 0xd800 && code < 0xdc00 && from[0] == '\\' && from[1] == 'u') {
      uint low = json_hex(from + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        from += 6;
      }
    }
    buffer_utf8(&to, code);
  }
}

/* The first text under this name, which is given with its quotes and colon and the quote that opens the text. */
static text json_find(text json, text name) {
  for (uint i = 0; i + name.length <= json.length; i++)
    if (text_is((text){json.at + i, name.length}, name)) return json_unquote(json.at + i + name.length);
  return TEXT("");
}

static void json_quote(buffer *to, text from) {
  buffer_byte(to, '"');
  for (uint i = 0; i < from.length; i++) {
    byte value = from.at[i];
    if (value == '"' || value == '\\') buffer_byte(to, '\\');
    if (value >= 0x20) buffer_byte(to, value);
    else {
      buffer_text(to, TEXT("\\u00"));
      buffer_byte(to, '0' + (value >> 4));
      buffer_byte(to, "0123456789abcdef"[value & 15]);
    }
  }
  buffer_byte(to, '"');
}

#endif
