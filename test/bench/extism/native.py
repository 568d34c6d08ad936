"""The same module run by Extism's native runtime (wasmtime), for test/bench/rooms.ts: native.py MODULE HOOK CALLS INPUT.

Prints the microseconds of each call as a JSON list."""

import json
import sys
import time

import extism

module, hook, calls, text = sys.argv[1:5]
with open(module, "rb") as file:
    plugin = extism.Plugin({"wasm": [{"data": file.read()}]}, wasi=True)
data = text.encode()
times = []
for _ in range(int(calls)):
    start = time.perf_counter()
    plugin.call(hook, data)
    times.append((time.perf_counter() - start) * 1e6)
print(json.dumps(times))
