/** A deploy on Docker beside the same container made by hand through the engine's socket, until it answers. */
import { ensureTestImage, TEST_IMAGE as image } from "../fixtures/docker-image.ts";
import { makeMachine } from "../e2e/machine.ts";
import { interleaved, median, timed, type Row } from "./measure.ts";

const ROUNDS = 12;
const SOCKET = "/var/run/docker.sock";

export async function benchDockerDeploy(): Promise<Row[]> {
  await ensureTestImage();
  await using machine = makeMachine('[providers]\ndefault = "docker"\n');
  await machine.start();
  let round = 0;
  const command = "httpd -f -p 8080 -h /";
  const times = await interleaved(ROUNDS, {
    voxeltron: async () => {
      const service = `bench-${round}`;
      const end = await machine.json<{ durationMs: number }>(
        "deploy",
        service,
        "--image",
        image,
        "--command",
        command,
        "--port",
        "8080",
        "--health",
        "/etc",
      );
      await machine.cli("remove", service, "--yes");
      return end.durationMs;
    },
    raw: async () => {
      const name = `voxeltron-bench-${process.pid}-${round++}`;
      const time = await timed(() => rawDeploy(name, command.split(" ")));
      await engine("DELETE", `/containers/${name}?force=true`);
      return time;
    },
  });
  return [
    {
      what: "deploy on Docker, until healthy and live",
      value: median(times.voxeltron),
      unit: "ms",
      runs: ROUNDS,
    },
    { what: "raw create + start, until it answers", value: median(times.raw), unit: "ms", runs: ROUNDS },
    {
      what: "deploy / raw",
      value: median(times.voxeltron) / median(times.raw),
      unit: "×",
      runs: ROUNDS,
      aim: "≤ 1.10",
    },
  ];
}

async function rawDeploy(name: string, command: readonly string[]): Promise<void> {
  await engine("POST", `/containers/create?name=${name}`, {
    Image: image,
    Cmd: command,
    ExposedPorts: { "8080/tcp": {} },
    HostConfig: { PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] }, Init: true },
  });
  await engine("POST", `/containers/${name}/start`);
  const info = (await engine("GET", `/containers/${name}/json`)) as {
    NetworkSettings: { Ports: Record<string, [{ HostPort: string }]> };
  };
  const port = info.NetworkSettings.Ports["8080/tcp"]?.[0].HostPort;
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    try {
      await (await fetch(`http://127.0.0.1:${port}/etc`, { keepalive: false })).text();
      return;
    } catch {
      await Bun.sleep(5);
    }
  }
  throw new Error("the container did not answer");
}

async function engine(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`http://engine${path}`, {
    unix: SOCKET,
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
