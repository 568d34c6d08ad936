// The conformance plugin in Go: performs the program that comes as the event's message, a command a line, and gives each line's
// answer. What the commands mean is written in test/conformance/program.ts.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/extism/go-pdk"
)

//go:wasmexport on_alert
func onAlert() int32 { return run("on_alert") }

//go:wasmexport on_deploy_success
func onDeploySuccess() int32 { return run("on_deploy_success") }

// A library of hooks has nothing to do when it is started.
func main() {}

var errNoMethod = errors.New("no such method")

type call struct {
	hook  string
	event []byte
}

type command func(now call, rest string) (string, error)

var commands map[string]command

func init() {
	commands = map[string]command{
		"echo":    func(now call, _ string) (string, error) { return string(now.event), nil },
		"length":  func(now call, _ string) (string, error) { return strconv.Itoa(len(now.event)), nil },
		"hook":    func(now call, _ string) (string, error) { return quote(now.hook) },
		"say":     func(_ call, rest string) (string, error) { return quote(rest) },
		"raw":     func(_ call, rest string) (string, error) { return rest, nil },
		"nothing": func(call, string) (string, error) { return "", nil },
		"big":     func(_ call, rest string) (string, error) { return big(rest), nil },
		"deep":    func(_ call, rest string) (string, error) { return times("[", rest) + times("]", rest), nil },
		"wide": func(_ call, rest string) (string, error) {
			return "[" + times("0,", rest)[:2*number(rest)-1] + "]", nil
		},
		"throw":   func(_ call, rest string) (string, error) { return "", errors.New(rest) },
		"count":   count,
		"log":     log,
		"print":   print,
		"config":  config,
		"var":     variable,
		"call":    callHost,
		"repeat":  repeat,
		"store":   store,
		"wait":    wait,
		"loop":    loop,
		"recurse": func(call, string) (string, error) { return strconv.Itoa(deeper(0)), nil },
		"grow":    grow,
		"trap":    func(call, string) (string, error) { panic("trap") },
		"exit":    func(_ call, rest string) (string, error) { os.Exit(number(rest)); return "", nil },
	}
}

func run(hook string) int32 {
	now := call{hook, pdk.Input()}
	answer, err := perform(now)
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	if answer != "" {
		pdk.OutputString(answer)
	}
	return 0
}

func perform(now call) (string, error) {
	var alert struct{ Message string }
	if err := json.Unmarshal(now.event, &alert); err != nil {
		return "", err
	}
	var answers []string
	for _, line := range strings.Split(alert.Message, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		perform, known := commands[word]
		if !known {
			return "", errors.New("the Go plugin has no such command")
		}
		answer, err := perform(now, rest)
		if err != nil {
			return "", err
		}
		answers = append(answers, answer)
	}
	if len(answers) == 1 {
		return answers[0], nil
	}
	for i, answer := range answers {
		if answer == "" {
			answers[i] = "null"
		}
	}
	return "[" + strings.Join(answers, ",") + "]", nil
}

func quote(text string) (string, error) {
	quoted, err := json.Marshal(text)
	return string(quoted), err
}

func number(text string) int {
	value, _ := strconv.Atoi(text)
	return value
}

func times(text, count string) string { return strings.Repeat(text, number(count)) }

func big(rest string) string { return `"` + times("x", rest) + `"` }

var calls int

func count(call, string) (string, error) {
	calls++
	return strconv.Itoa(calls), nil
}

var levels = map[string]pdk.LogLevel{
	"debug": pdk.LogDebug,
	"info":  pdk.LogInfo,
	"warn":  pdk.LogWarn,
	"error": pdk.LogError,
}

func log(_ call, rest string) (string, error) {
	level, text, _ := strings.Cut(rest, " ")
	pdk.Log(levels[level], text)
	return "null", nil
}

func print(_ call, rest string) (string, error) {
	stream, text, _ := strings.Cut(rest, " ")
	file := os.Stdout
	if stream == "stderr" {
		file = os.Stderr
	}
	_, err := fmt.Fprintln(file, text)
	return "null", err
}

func config(_ call, rest string) (string, error) {
	value, found := pdk.GetConfig(rest)
	if !found {
		return "null", nil
	}
	return quote(value)
}

func variable(_ call, rest string) (string, error) {
	verb, rest, _ := strings.Cut(rest, " ")
	key, value, _ := strings.Cut(rest, " ")
	switch verb {
	case "get":
		if found := pdk.GetVar(key); found != nil {
			return quote(string(found))
		}
	case "set":
		pdk.SetVar(key, []byte(value))
	default:
		pdk.RemoveVar(key)
	}
	return "null", nil
}

func callHost(_ call, rest string) (string, error) {
	method, params, _ := strings.Cut(rest, " ")
	return askHost(method, params)
}

func repeat(now call, rest string) (answer string, err error) {
	count, rest, _ := strings.Cut(rest, " ")
	for i := 0; i < number(count) && err == nil; i++ {
		answer, err = callHost(now, rest)
	}
	return answer, err
}

func store(_ call, rest string) (string, error) {
	return askHost("kv.set", `{"key":"big","value":`+big(rest)+"}")
}

func wait(_ call, rest string) (string, error) {
	time.Sleep(time.Duration(number(rest)) * time.Millisecond)
	return "null", nil
}

func loop(call, string) (string, error) {
	for {
		calls++
	}
}

//go:noinline
func deeper(level int) int { return deeper(level+1) + level }

func grow(_ call, rest string) (string, error) {
	var kept [][]byte
	for i := 0; i < number(rest); i++ {
		part := make([]byte, 1<<20)
		part[0] = 1
		kept = append(kept, part)
	}
	return strconv.Itoa(len(kept)), nil
}
