/*
 * Extism's functions, and voxeltron's, as a C plugin sees them: bytes live in blocks of the host, which a plugin names by their offset
 * and reads and writes through calls. Declarations and the few loops that move bytes; includes nothing.
 */
#ifndef EXTISM_H
#define EXTISM_H

typedef unsigned char byte;
typedef unsigned int uint;
typedef unsigned long long offset;

#define EXPORT(name) __attribute__((export_name(name)))
#define EXTISM(name) __attribute__((import_module("extism:host/env"), import_name(name))) extern
#define VOXELTRON(name) __attribute__((import_module("extism:host/user"), import_name(name))) extern

EXTISM("input_length") offset extism_input_length(void);
EXTISM("input_load_u8") uint extism_input_load_u8(offset at);
EXTISM("input_load_u64") offset extism_input_load_u64(offset at);
EXTISM("output_set") void extism_output_set(offset block, offset length);
EXTISM("error_set") void extism_error_set(offset block);
EXTISM("alloc") offset extism_alloc(offset length);
EXTISM("free") void extism_free(offset block);
EXTISM("length") offset extism_length(offset block);
EXTISM("load_u8") uint extism_load_u8(offset at);
EXTISM("load_u64") offset extism_load_u64(offset at);
EXTISM("store_u8") void extism_store_u8(offset at, uint value);
EXTISM("store_u64") void extism_store_u64(offset at, offset value);
EXTISM("config_get") offset extism_config_get(offset key);
EXTISM("var_get") offset extism_var_get(offset key);
EXTISM("var_set") void extism_var_set(offset key, offset value);
EXTISM("log_debug") void extism_log_debug(offset text);
EXTISM("log_info") void extism_log_info(offset text);
EXTISM("log_warn") void extism_log_warn(offset text);
EXTISM("log_error") void extism_log_error(offset text);

/* The broker's methods: the offset of JSON parameters in, the offset of {"result": …} or {"error": …} out. */
VOXELTRON("kv_get") offset kv_get(offset params);
VOXELTRON("kv_set") offset kv_set(offset params);
VOXELTRON("kv_delete") offset kv_delete(offset params);
VOXELTRON("kv_list") offset kv_list(offset params);
VOXELTRON("notify_send") offset notify_send(offset params);
VOXELTRON("net_fetch") offset net_fetch(offset params);

static void extism_input(byte *to, uint length) {
  uint at = 0;
  for (; at + 8 <= length; at += 8) {
    offset eight = extism_input_load_u64(at);
    __builtin_memcpy(to + at, &eight, 8);
  }
  for (; at < length; at++) to[at] = (byte)extism_input_load_u8(at);
}

/* A new block with these bytes. */
static offset extism_block(const byte *from, uint length) {
  offset block = extism_alloc(length);
  uint at = 0;
  for (; at + 8 <= length; at += 8) {
    offset eight;
    __builtin_memcpy(&eight, from + at, 8);
    extism_store_u64(block + at, eight);
  }
  for (; at < length; at++) extism_store_u8(block + at, from[at]);
  return block;
}

static void extism_read(offset block, byte *to, uint length) {
  uint at = 0;
  for (; at + 8 <= length; at += 8) {
    offset eight = extism_load_u64(block + at);
    __builtin_memcpy(to + at, &eight, 8);
  }
  for (; at < length; at++) to[at] = (byte)extism_load_u8(block + at);
}

#endif
