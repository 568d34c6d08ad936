import { describe, expect, test } from "bun:test";
import type { PortBinding } from "../../../../src/engine/providers/provider.ts";
import {
  parseWorkspaceInput,
  type WorkspaceInput,
} from "../../../../src/engine/workspaces/workspace-input.ts";
import { decodeSpec, encodeSpec } from "../../../../src/engine/workspaces/workspace-spec.ts";

const read = (input: Partial<WorkspaceInput>) => parseWorkspaceInput({ name: "shop", ...input });

describe("what is asked for", () => {
  test("with everything, as the devbox plugin API has it", () => {
    const request = read({
      image: "ubuntu:22.04",
      ports: { app: 8080 },
      env: { NODE_ENV: "development" },
      cpus: 2,
      memory: "4g",
      volumes: ["/srv:/srv:ro"],
      command: "sleep 'a b'",
    });
    expect(request).toEqual({
      name: "shop",
      provider: undefined,
      server: "local",
      start: false,
      spec: {
        image: "ubuntu:22.04",
        ports: [{ key: "app", inside: 8080, outside: 8080 }],
        env: { NODE_ENV: "development" },
        cpus: 2,
        memoryBytes: 4_294_967_296,
        volumes: [{ source: "/srv", target: "/srv", readOnly: true }],
        command: ["sleep", "a b"],
      },
    });
    expect(decodeSpec(encodeSpec(request.spec))).toEqual(request.spec);
  });

  test("with next to nothing is read again as it was", () => {
    const { spec } = read({});
    expect(decodeSpec(encodeSpec(spec))).toEqual(spec);
  });

  test.each<[Record<string, number>, PortBinding]>([
    [{ "3000": 8080 }, { key: "3000", inside: 3000, outside: 8080 }],
    [{ "8080": 8080 }, { key: "8080", inside: 8080, outside: 8080 }],
    [{ web_ui: 1 }, { key: "web_ui", inside: 1, outside: 1 }],
    [{ constructor: 80 }, { key: "constructor", inside: 80, outside: 80 }],
  ])("a port as %j", (ports, binding) => {
    expect(read({ ports }).spec.ports).toEqual([binding]);
  });

  test.each([
    [{ name: "" }, "a workspace's name"],
    [{ name: "A" }, "a workspace's name"],
    [{ name: "../x" }, "a workspace's name"],
    [{ ports: { app: 0 } }, "from 1 to 65535"],
    [{ ports: { app: 80.5 } }, "from 1 to 65535"],
    [{ ports: { "0": 80 } }, "a port has a name"],
    [{ ports: { "70000": 80 } }, "a port has a name"],
    [{ ports: { "a b": 80 } }, "a port has a name"],
    [{ ports: { "08": 80 } }, "a port has a name"],
    [{ ports: { a: 80, b: 80 } }, "given to two ports"],
    [{ ports: { "a-b": 80, A_B: 81 } }, "two ports have the name"],
    [
      { ports: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`p${at}`, at + 1])) },
      "at most 50 ports",
    ],
    [{ env: { "A B": "1" } }, "a variable's name"],
    [{ env: { A: "nul\0" } }, "holds a NUL"],
    [{ memory: "lots" }, "memory is a size"],
    [{ memory: "1k" }, "memory is at least"],
    [{ cpus: 0 }, "cpus is a number"],
    [{ volumes: ["nowhere"] }, "a volume is SOURCE:TARGET"],
    [{ volumes: ["a:b"] }, "an absolute path inside"],
    [{ volumes: ["a:/x/../../etc"] }, "an absolute path inside"],
    [{ command: "a && b" }, "without a shell"],
    [{ image: "no image" }, "an image is a reference"],
  ] as const)("%j is refused as a workspace's mistake", (input, words) => {
    expect(() => read(input as Partial<WorkspaceInput>)).toThrow(
      expect.objectContaining({ code: "workspace.invalid", message: expect.stringContaining(words) }),
    );
  });
});
