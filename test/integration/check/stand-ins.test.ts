/** What stands behind the door of a checked plugin: everything that it may ask for answers as the real one would, and does nothing. */
import { beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeGuestWasm } from "../../../scripts/guest-wasm/make-guest-wasm.ts";
import { CAPABILITY_NAMES } from "../../../src/sdk/index.ts";
import { tempDir } from "../../harness.ts";
import { runCheck, writePlugin } from "./checked.ts";

const LONGEST_MS = 60_000;

beforeAll(async () => void (await makeGuestWasm()), LONGEST_MS);

const TOML = `[plugin]
name = "curious"
version = "1.0.0"
tier = 2
[capabilities]
required = [${CAPABILITY_NAMES.map((name) => `"${name}"`).join(", ")}]
[hooks]
on_alert = true
[config]
channel = "ops"
`;

/** Uses each power, and fails with what is not as it would be. */
const CODE = `
const seen = [];
const check = (what, good) => { if (!good) seen.push(what); };
const codeOf = async (work) => { try { await work(); return "none"; } catch (error) { return error.code; } };

export default {
  async on_alert(event, ctx) {
    seen.length = 0;
    check("config", ctx.config.channel === "ops");
    await ctx.kv.set("k", { a: [1] });
    check("kv", (await ctx.kv.get("k")).a[0] === 1);
    const name = "files/" + event.id + Math.random();
    await ctx.fs.write(name, "text");
    await ctx.fs.append(name, " more");
    check("fs.readText", (await ctx.fs.readText(name)) === "text more");
    check("fs.list", (await ctx.fs.list("files")).length > 0);
    check("fs out of reach", (await codeOf(() => ctx.fs.readText("../etc/passwd"))) === "capability.out_of_scope");
    check("fs missing", (await codeOf(() => ctx.fs.readText("files/none"))) === "file.not_found");
    const answer = await fetch("https://api.example.com/v1", { method: "POST", body: "x" });
    check("fetch", answer.status === 200 && JSON.stringify(await answer.json()) === "{}");
    const connection = await ctx.net.connect({ host: "db.example.com", port: 5432 });
    await connection.write(new Uint8Array([1, 2]));
    check("connect", (await connection.read()) == null);
    await connection.close();
    await ctx.notify.send("any-channel", { title: "t", text: "x", severity: "error" });
    const [web] = await ctx.docker.list();
    check("docker.list", web.service === "web" && web.state === "running" && web.origin === "service");
    check("docker.inspect", (await ctx.docker.inspect(web.id)).name === web.name);
    check("docker.stats", (await ctx.docker.stats(web.id)).memoryBytes > 0);
    const made = await ctx.docker.create({ image: "redis:7", name: "cache-" + Math.floor(Math.random() * 1e9) });
    await ctx.docker.start(made.id);
    check("docker.create", (await ctx.docker.inspect(made.id)).state === "running");
    await ctx.docker.remove(made.id);
    check("docker.remove", (await codeOf(() => ctx.docker.inspect(made.id))) === "container.not_found");
    check("docker guards services", (await codeOf(() => ctx.docker.remove(web.id))) === "capability.out_of_scope");
    let events = 0;
    for await (const each of ctx.docker.events()) if (each.id === web.id) events++;
    check("docker.events", events > 0);
    check("secrets.get", (await ctx.secrets.get("web", "TOKEN")) === "stand-in for TOKEN");
    check("secrets.list", (await ctx.secrets.list("web")).includes("TOKEN"));
    const series = await ctx.metrics.query({ service: "web", metric: "cpu_percent" });
    check("metrics", series.unit === "percent" && series.points.length === 5);
    check("metrics unknown", (await codeOf(() => ctx.metrics.query({ metric: "happiness" }))) === "metrics.unknown");
    check("logs.query", (await ctx.logs.query({ service: "web", stream: "stderr" })).length === 1);
    let lines = 0;
    for await (const line of ctx.logs.follow({ service: "web" })) lines += line.text.length > 0 ? 1 : 0;
    check("logs.follow", lines === 2);
    if (seen.length > 0) throw new Error("not as it would be: " + seen.join(", "));
  },
};
`;

test(
  "answers to all that can be asked for, as often as it is asked, and leaves nothing on the disk",
  async () => {
    await using dir = tempDir();
    const folder = writePlugin(dir.path, { "plugin.toml": TOML, "index.js": CODE });
    const { report, status, stderr } = await runCheck(folder, dir.path, []);
    const bad = report.results.filter(({ outcome }) => outcome !== "passed");
    // What a plugin tries and may not is found, however well it takes the refusal.
    expect(new Map(bad.map(({ check, subject = "", found }) => [`${check} ${subject}`, found]))).toEqual(
      new Map([
        ["capabilities.asked docker_write", expect.stringMatching(/^docker\.remove [0-9a-f]{64}: beyond/)],
        ["capabilities.asked fs_read", expect.stringMatching(/^fs\.readText \.\.\/etc\/passwd: beyond/)],
      ]),
    );
    expect(new Set(report.capabilities.map(({ capability }) => capability))).toEqual(
      new Set(CAPABILITY_NAMES),
    );
    expect(report.capabilities.filter(({ uses }) => uses < 3)).toEqual([]);
    expect(stderr).toContain("2 checks failed");
    expect(status).toBe(1);
    expect(readdirSync(join(dir.path, "tmp"))).toEqual([]);
  },
  LONGEST_MS,
);
