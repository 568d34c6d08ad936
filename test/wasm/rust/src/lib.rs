//! The conformance plugin in Rust: performs the program that comes as the event's message, a command a line, and gives each line's
//! answer. What the commands mean is written in test/conformance/program.ts.
use extism_pdk::{
    config, host_fn, info, plugin_fn, var, Error, FnResult, LogLevel, Memory, ToMemory,
};
use serde::Deserialize;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

#[plugin_fn]
pub fn on_alert(event: String) -> FnResult<String> {
    run("on_alert", &event)
}

#[plugin_fn]
pub fn on_deploy_success(event: String) -> FnResult<String> {
    run("on_deploy_success", &event)
}

#[host_fn]
extern "ExtismHost" {
    fn kv_get(params: String) -> String;
    fn kv_set(params: String) -> String;
    fn kv_delete(params: String) -> String;
    fn kv_list(params: String) -> String;
    fn notify_send(params: String) -> String;
    fn net_fetch(params: String) -> String;
}

#[derive(Deserialize)]
struct Alert {
    message: String,
}

struct Call<'a> {
    hook: &'a str,
    event: &'a str,
}

static CALLS: AtomicU32 = AtomicU32::new(0);
/// Work that the compiler can't leave out.
static SPINS: AtomicU64 = AtomicU64::new(0);

fn run(hook: &str, event: &str) -> FnResult<String> {
    let alert: Alert = serde_json::from_str(event)?;
    let call = Call { hook, event };
    let lines: Vec<&str> = alert.message.split('\n').collect();
    if let [line] = lines[..] {
        return Ok(perform(&call, line)?);
    }
    let mut answers = vec![];
    for line in lines {
        let answer = perform(&call, line)?;
        answers.push(if answer.is_empty() {
            "null".into()
        } else {
            answer
        });
    }
    Ok(format!("[{}]", answers.join(",")))
}

fn perform(call: &Call, line: &str) -> Result<String, Error> {
    let (word, rest) = cut(line);
    Ok(match word {
        "echo" => call.event.into(),
        "length" => call.event.len().to_string(),
        "hook" => quote(call.hook),
        "count" => (CALLS.fetch_add(1, Relaxed) + 1).to_string(),
        "say" => quote(rest),
        "raw" => rest.into(),
        "nothing" => String::new(),
        "big" => big("", rest, "")?,
        "deep" => "[".repeat(rest.parse()?) + &"]".repeat(rest.parse()?),
        "wide" => format!("[0{}]", ",0".repeat(rest.parse::<usize>()? - 1)),
        "throw" => return Err(Error::msg(rest.to_string())),
        "log" => log(rest)?,
        "config" => text_or_null(config::get(rest)?),
        "var" => variable(rest)?,
        "call" => call_host(rest)?,
        "repeat" => repeat(rest)?,
        "store" => ask("kv.set", big(r#"{"key":"big","value":"#, rest, "}")?)?,
        "loop" => loop_for_ever(),
        "recurse" => deeper(0).to_string(),
        "grow" => grow(rest.parse()?),
        "trap" => std::process::abort(),
        _ => return Err(Error::msg("the Rust plugin has no such command")),
    })
}

/// In one piece of memory: with its copies on the way, a large text would be too much.
fn big(before: &str, characters: &str, after: &str) -> Result<String, Error> {
    let characters: usize = characters.parse()?;
    let mut text = String::with_capacity(before.len() + characters + after.len() + 2);
    text.push_str(before);
    text.push('"');
    text.extend(std::iter::repeat('x').take(characters));
    text.push('"');
    text.push_str(after);
    Ok(text)
}

fn cut(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

fn text_or_null(text: Option<String>) -> String {
    text.map_or("null".into(), |text| quote(&text))
}

fn log(rest: &str) -> Result<String, Error> {
    let (level, text) = cut(rest);
    let memory = text.to_memory()?;
    match level {
        "info" => info!("{}", text),
        "debug" => memory.log(LogLevel::Debug),
        "warn" => memory.log(LogLevel::Warn),
        _ => memory.log(LogLevel::Error),
    }
    Ok("null".into())
}

fn variable(rest: &str) -> Result<String, Error> {
    let (verb, rest) = cut(rest);
    let (key, value) = cut(rest);
    match verb {
        "get" => return Ok(text_or_null(var::get(key)?)),
        "set" => var::set(key, value)?,
        _ => remove_variable(key)?,
    }
    Ok("null".into())
}

/// What the PDK's own `var::remove` does, and it passes on a missing one.
fn remove_variable(key: &str) -> Result<(), Error> {
    let key = Memory::from_bytes(key)?;
    unsafe { extism_pdk::extism::var_set(key.offset(), 0) };
    Ok(())
}

fn call_host(rest: &str) -> Result<String, Error> {
    let (method, params) = cut(rest);
    ask(method, params.into())
}

fn ask(method: &str, params: String) -> Result<String, Error> {
    unsafe {
        match method {
            "kv.get" => kv_get(params),
            "kv.set" => kv_set(params),
            "kv.delete" => kv_delete(params),
            "kv.list" => kv_list(params),
            "notify.send" => notify_send(params),
            "net.fetch" => net_fetch(params),
            _ => Err(Error::msg("no such method")),
        }
    }
}

fn repeat(rest: &str) -> Result<String, Error> {
    let (times, call) = cut(rest);
    let mut answer = "null".to_string();
    for _ in 0..times.parse::<u32>()? {
        answer = call_host(call)?;
    }
    Ok(answer)
}

fn loop_for_ever() -> ! {
    loop {
        SPINS.fetch_add(1, Relaxed);
    }
}

#[allow(unconditional_recursion)]
#[inline(never)]
fn deeper(level: u64) -> u64 {
    let below = deeper(level + 1);
    // Work after the call, or the compiler makes a loop of it.
    SPINS.fetch_add(below, Relaxed);
    below
}

fn grow(mebibytes: u64) -> String {
    let kept: Vec<Vec<u8>> = (0..mebibytes).map(|_| vec![1; 1 << 20]).collect();
    let last: u64 = kept.iter().map(|one| u64::from(one[one.len() - 1])).sum();
    last.to_string()
}
