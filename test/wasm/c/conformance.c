/*
 * The conformance plugin in C: performs the program that comes as the event's message, a command a line, and gives each line's answer.
 * What the commands mean is written in test/conformance/program.ts. No C library: what it needs is in text.h.
 */
#include "text.h"

typedef struct {
  text hook, event;
} call;

/* Appends the answer, as JSON, or gives a text that says why there is none. */
typedef text (*command)(const call *now, text rest, buffer *answer);

static const text DONE = {0};
static uint calls;

static offset block_of(text from) { return extism_block(from.at, from.length); }

static text text_in(offset block) {
  if (block == 0) return (text){0};
  uint length = (uint)extism_length(block);
  byte *at = arena_take(length);
  extism_read(block, at, length);
  return (text){at, length};
}

static text say_or_null(buffer *answer, offset block) {
  if (block == 0 || extism_length(block) == 0) buffer_text(answer, TEXT("null"));
  else json_quote(answer, text_in(block));
  return DONE;
}

static text echo(const call *now, text rest, buffer *answer) {
  buffer_text(answer, now->event);
  return DONE;
}

static text length(const call *now, text rest, buffer *answer) {
  buffer_number(answer, now->event.length);
  return DONE;
}

static text hook(const call *now, text rest, buffer *answer) {
  json_quote(answer, now->hook);
  return DONE;
}

static text count(const call *now, text rest, buffer *answer) {
  buffer_number(answer, ++calls);
  return DONE;
}

static text say(const call *now, text rest, buffer *answer) {
  json_quote(answer, rest);
  return DONE;
}

static text raw(const call *now, text rest, buffer *answer) {
  buffer_text(answer, rest);
  return DONE;
}

static text nothing(const call *now, text rest, buffer *answer) { return DONE; }

static text big(const call *now, text rest, buffer *answer) {
  uint length = text_number(rest);
  buffer_reserve(answer, length + 2);
  buffer_byte(answer, '"');
  for (uint i = 0; i < length; i++) answer->at[answer->length++] = 'x';
  buffer_byte(answer, '"');
  return DONE;
}

static text deep(const call *now, text rest, buffer *answer) {
  uint levels = text_number(rest);
  for (uint i = 0; i < levels; i++) buffer_byte(answer, '[');
  for (uint i = 0; i < levels; i++) buffer_byte(answer, ']');
  return DONE;
}

static text wide(const call *now, text rest, buffer *answer) {
  uint values = text_number(rest);
  buffer_byte(answer, '[');
  for (uint i = 0; i < values; i++) buffer_text(answer, i == 0 ? TEXT("0") : TEXT(",0"));
  buffer_byte(answer, ']');
  return DONE;
}

static text throw(const call *now, text rest, buffer *answer) { return rest; }

static text log(const call *now, text rest, buffer *answer) {
  text level = text_cut(&rest, ' ');
  offset block = block_of(rest);
  if (text_is(level, TEXT("debug"))) extism_log_debug(block);
  else if (text_is(level, TEXT("info"))) extism_log_info(block);
  else if (text_is(level, TEXT("warn"))) extism_log_warn(block);
  else extism_log_error(block);
  buffer_text(answer, TEXT("null"));
  return DONE;
}

static text config(const call *now, text rest, buffer *answer) {
  return say_or_null(answer, extism_config_get(block_of(rest)));
}

static text var(const call *now, text rest, buffer *answer) {
  text verb = text_cut(&rest, ' ');
  text key = text_cut(&rest, ' ');
  if (text_is(verb, TEXT("get"))) return say_or_null(answer, extism_var_get(block_of(key)));
  extism_var_set(block_of(key), text_is(verb, TEXT("set")) ? block_of(rest) : 0);
  buffer_text(answer, TEXT("null"));
  return DONE;
}

static const struct {
  text name;
  offset (*ask)(offset params);
} METHODS[] = {
    {{(const byte *)"kv.get", 6}, kv_get},
    {{(const byte *)"kv.set", 6}, kv_set},
    {{(const byte *)"kv.delete", 9}, kv_delete},
    {{(const byte *)"kv.list", 7}, kv_list},
    {{(const byte *)"notify.send", 11}, notify_send},
    {{(const byte *)"net.fetch", 9}, net_fetch},
};

static text ask(text name, text params, buffer *answer) {
  for (uint i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++)
    if (text_is(METHODS[i].name, name)) {
      buffer_text(answer, text_in(METHODS[i].ask(block_of(params))));
      return DONE;
    }
  return TEXT("no such method");
}

static text call_host(const call *now, text rest, buffer *answer) {
  text name = text_cut(&rest, ' ');
  return ask(name, rest, answer);
}

static text repeat(const call *now, text rest, buffer *answer) {
  uint times = text_number(text_cut(&rest, ' '));
  text name = text_cut(&rest, ' ');
  for (uint i = 0; i < times; i++) {
    answer->length = 0;
    text failure = ask(name, rest, answer);
    if (failure.at != 0) return failure;
  }
  return DONE;
}

static text store(const call *now, text rest, buffer *answer) {
  buffer params = {0};
  buffer_text(&params, TEXT("{\"key\":\"big\",\"value\":"));
  big(now, rest, &params);
  buffer_byte(&params, '}');
  return ask(TEXT("kv.set"), text_of(&params), answer);
}

static text loop(const call *now, text rest, buffer *answer) {
  for (;;) __asm__ volatile("");
}

static __attribute__((noinline)) uint deeper(uint level) {
  uint below = deeper(level + 1);
  // Work after the call, or the compiler makes a loop of it.
  __asm__ volatile("" : "+r"(below));
  return below + level;
}

static text recurse(const call *now, text rest, buffer *answer) {
  buffer_number(answer, deeper(0));
  return DONE;
}

static text grow(const call *now, text rest, buffer *answer) {
  uint MIB = 1 << 20, mebibytes = text_number(rest);
  for (uint i = 0; i < mebibytes; i++) *(volatile byte *)arena_take(MIB) = 1;
  buffer_number(answer, mebibytes);
  return DONE;
}

static text trap(const call *now, text rest, buffer *answer) { __builtin_trap(); }

static const struct {
  const char *name;
  command perform;
} COMMANDS[] = {
    {"echo", echo},
    {"length", length},
    {"hook", hook},
    {"count", count},
    {"say", say},
    {"raw", raw},
    {"nothing", nothing},
    {"big", big},
    {"deep", deep},
    {"wide", wide},
    {"throw", throw},
    {"log", log},
    {"config", config},
    {"var", var},
    {"call", call_host},
    {"repeat", repeat},
    {"store", store},
    {"loop", loop},
    {"recurse", recurse},
    {"grow", grow},
    {"trap", trap},
};

static int is_named(const char *name, text word) {
  for (uint i = 0; i < word.length; i++)
    if (name[i] != word.at[i]) return 0;
  return name[word.length] == 0;
}

static text perform(const call *now, text line, buffer *answer) {
  text word = text_cut(&line, ' ');
  for (uint i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
    if (is_named(COMMANDS[i].name, word)) return COMMANDS[i].perform(now, line, answer);
  return TEXT("the C plugin has no such command");
}

static int run(text name) {
  arena_reset();
  uint size = (uint)extism_input_length();
  byte *input = arena_take(size + 1);
  extism_input(input, size);
  call now = {name, {input, size}};
  text program = json_find(now.event, TEXT("\"message\":\""));
  buffer answers = {0};
  uint lines = 0;
  do {
    text line = text_cut(&program, '\n');
    buffer answer = {0};
    text failure = perform(&now, line, &answer);
    if (failure.at != 0) {
      extism_error_set(block_of(failure));
      return 1;
    }
    if (++lines == 1 && program.length == 0) answers = answer;
    else {
      buffer_byte(&answers, lines == 1 ? '[' : ',');
      buffer_text(&answers, answer.length == 0 ? TEXT("null") : text_of(&answer));
    }
  } while (program.length > 0);
  if (lines > 1) buffer_byte(&answers, ']');
  if (answers.length > 0) extism_output_set(block_of(text_of(&answers)), answers.length);
  return 0;
}

EXPORT("on_alert") int on_alert(void) { return run(TEXT("on_alert")); }
EXPORT("on_deploy_success") int on_deploy_success(void) { return run(TEXT("on_deploy_success")); }
