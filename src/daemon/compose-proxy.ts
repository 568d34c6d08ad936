/** What the reverse proxy is made of, and who is given which part of it. Called by compose.ts, before the engine, which tells it what is live. */
import { LIMITS } from "../base/limits.ts";
import { makeAccessFile } from "../engine/proxy/access-file.ts";
import type { Certificates, Challenge } from "../engine/proxy/certificates.ts";
import { makeProxy, type Proxy } from "../engine/proxy/proxy.ts";
import { makeRoutes, type Routes } from "../engine/proxy/routes.ts";
import { makePool, type Pool } from "../engine/proxy/upstream/pool.ts";
import { makeWatch } from "../engine/proxy/watch.ts";
import { openFilesLimit } from "../platform/open-files.ts";
import type { ServiceState } from "../state/service-state.ts";
import type { World } from "./world.ts";

export interface ProxyNeeds {
  readonly state: ServiceState;
  readonly certificates: Certificates;
  readonly challenge: Challenge;
}

export interface ProxyParts extends Pick<Proxy, "open" | "follow" | "securePort" | "stop"> {
  readonly routes: Routes;
  readonly pool: Pool;
  /** Takes no more connections, lets what is under way end for a moment, and cuts the rest. */
  close(): Promise<void>;
}

export function composeProxy({ config, clock, log }: World, needs: ProxyNeeds): ProxyParts {
  const watch = makeWatch(clock);
  const openFiles = openFilesLimit();
  const pool = makePool(clock, watch, Math.floor(openFiles * LIMITS.proxyWorkShare));
  const routes = makeRoutes(needs.state);
  const accessFile = makeAccessFile(() => config().proxy.access_log, clock, log);
  const proxy = makeProxy({
    settings: () => {
      const { http, https, response_timeout: responseMs } = config().proxy;
      return { http, https, responseMs };
    },
    routes,
    pool,
    watch,
    certificates: needs.certificates,
    challenge: needs.challenge,
    accessFile,
    clientsMost: Math.floor(openFiles * LIMITS.proxyClientShare),
    clock,
    log,
  });
  return {
    async open() {
      // Instances outlive the daemon: who asks first gets an answer already.
      for (const { name } of needs.state.services.list()) routes.follow(name);
      await proxy.open();
    },
    follow: () => proxy.follow(),
    securePort: () => proxy.securePort(),
    stop: () => proxy.stop(),
    routes,
    pool,
    async close() {
      proxy.stop();
      await pool.closeAll(LIMITS.proxyCloseMs);
      watch.close();
      await accessFile.close();
    },
  };
}
