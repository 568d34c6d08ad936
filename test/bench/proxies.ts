/** The proxies that ours is measured beside, from Debian: each with one worker, in front of the same service. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Rival {
  readonly name: string;
  readonly start: (folder: string, port: number, upstream: number) => string[];
}

export const RIVALS: readonly Rival[] = [
  {
    name: "nginx",
    start(folder, port, upstream) {
      const file = join(folder, "rival-nginx.conf");
      writeFileSync(
        file,
        `daemon off; master_process off; pid ${folder}/rival-nginx.pid; error_log /dev/null; worker_rlimit_nofile 20000; events { worker_connections 19000; }
http { access_log off; client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
keepalive_requests 10000000; upstream u { server 127.0.0.1:${upstream}; keepalive 64; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }
`,
      );
      return ["nginx", "-c", file];
    },
  },
  {
    name: "haproxy",
    start(folder, port, upstream) {
      const file = join(folder, "haproxy.cfg");
      writeFileSync(
        file,
        `global
  nbthread 1
  no strict-limits
  maxconn 19000
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 75s
  timeout server 60s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  http-reuse safe
  server s 127.0.0.1:${upstream}
`,
      );
      return ["haproxy", "-db", "-f", file];
    },
  },
  {
    name: "caddy",
    start(folder, port, upstream) {
      const file = join(folder, "Caddyfile");
      writeFileSync(
        file,
        `{
  admin off
  auto_https off
}
http://127.0.0.1:${port}, http://bench.test:${port} {
  reverse_proxy 127.0.0.1:${upstream}
}
`,
      );
      return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
    },
  },
];
