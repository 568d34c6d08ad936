// The broker's methods as Go functions, and one that finds them by name.
package main

import "github.com/extism/go-pdk"

//go:wasmimport extism:host/user kv_get
func kvGet(params uint64) uint64

//go:wasmimport extism:host/user kv_set
func kvSet(params uint64) uint64

//go:wasmimport extism:host/user kv_delete
func kvDelete(params uint64) uint64

//go:wasmimport extism:host/user kv_list
func kvList(params uint64) uint64

//go:wasmimport extism:host/user notify_send
func notifySend(params uint64) uint64

//go:wasmimport extism:host/user net_fetch
func netFetch(params uint64) uint64

// The offset of JSON parameters in, the offset of {"result": …} or {"error": …} out.
var methods = map[string]func(uint64) uint64{
	"kv.get":      kvGet,
	"kv.set":      kvSet,
	"kv.delete":   kvDelete,
	"kv.list":     kvList,
	"notify.send": notifySend,
	"net.fetch":   netFetch,
}

func askHost(method, params string) (string, error) {
	ask, known := methods[method]
	if !known {
		return "", errNoMethod
	}
	block := pdk.AllocateString(params)
	answer := pdk.FindMemory(ask(block.Offset()))
	return string(answer.ReadBytes()), nil
}
