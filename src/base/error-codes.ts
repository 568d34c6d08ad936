/**
 * Every expected failure of voxeltron, in one table. Append-only: a code that was released keeps its kind for ever,
 * because scripts branch on it. `kind` decides exit status, HTTP status and whether trying again can help.
 * Read by errors.ts, the CLI (exit status) and the API server (HTTP status); docs/errors.md is made from it.
 */
export const KINDS = {
  failure: { exit: 1, http: 500, retryable: false },
  usage: { exit: 2, http: 400, retryable: false },
  unreachable: { exit: 3, http: 503, retryable: true },
  missing: { exit: 4, http: 404, retryable: false },
  denied: { exit: 5, http: 403, retryable: false },
  conflict: { exit: 6, http: 409, retryable: false },
  invalid: { exit: 7, http: 422, retryable: false },
  timeout: { exit: 8, http: 504, retryable: true },
  unavailable: { exit: 9, http: 502, retryable: true },
  bug: { exit: 70, http: 500, retryable: false },
  interrupted: { exit: 130, http: 499, retryable: true },
} as const;

export type Kind = keyof typeof KINDS;

interface Row {
  readonly kind: Kind;
  /** Advice that holds for every occurrence; `fail` may give a better one for the case at hand. */
  readonly hint?: string;
}

const table = {
  // command line and API
  "usage.invalid": { kind: "usage", hint: "see --help" },
  "request.invalid": { kind: "usage" },
  "request.too_large": { kind: "usage" },
  "request.unknown_operation": { kind: "missing" },
  "daemon.not_reachable": { kind: "unreachable", hint: "start it with: voxeltron daemon" },
  "daemon.already_running": { kind: "conflict" },
  "daemon.stopping": { kind: "unreachable" },
  "connection.lost": { kind: "unreachable" },
  "consent.needed": {
    kind: "denied",
    hint: "pass --yes, or --grant CAPABILITY for exactly those capabilities",
  },
  "consent.refused": { kind: "denied" },
  "operation.interrupted": { kind: "interrupted" },
  "internal.bug": { kind: "bug", hint: "this is a bug in voxeltron; the daemon's log has the details" },

  // configuration and state
  "config.invalid": { kind: "invalid", hint: "mend it, then: voxeltron config check" },
  "config.unreadable": { kind: "invalid" },
  "state.newer": { kind: "conflict", hint: "run the voxeltron version that wrote this data, or a newer one" },
  "state.unusable": { kind: "failure" },
  "disk.full": { kind: "failure", hint: "free some space, then try again" },

  // plugins: what is on disk
  "manifest.invalid": { kind: "invalid" },
  "manifest.missing": { kind: "invalid" },
  "plugin.invalid": { kind: "invalid" },
  "plugin.too_large": { kind: "invalid" },
  "plugin.not_found": { kind: "missing", hint: "voxeltron plugin list shows what is installed" },
  "plugin.bundle_failed": { kind: "invalid" },
  "plugin.import_refused": { kind: "invalid" },
  "plugin.unsupported": { kind: "invalid" },
  "plugin.tampered": { kind: "denied", hint: "install it again to look at and accept what changed" },
  "plugin.disabled": { kind: "conflict" },
  "plugin.changed": { kind: "conflict" },
  "plugin.version_not_found": { kind: "missing" },
  "plugin.link_unreadable": { kind: "invalid" },
  "plugin.not_approved": { kind: "denied" },
  "plugin.built_in": { kind: "denied" },
  "plugin.folder_exposed": { kind: "invalid" },
  "plugin.name_taken": { kind: "conflict" },
  "plugin.folder_kept": { kind: "failure", hint: "remove the folder by hand" },
  "grant.unknown": { kind: "usage" },
  "grant.required_missing": { kind: "denied" },
  "upload.not_found": { kind: "missing" },
  "upload.invalid": { kind: "usage" },
  "upload.too_large": { kind: "usage" },

  // plugins: while they run
  "plugin.failed": { kind: "failure" },
  "plugin.load_failed": { kind: "failure" },
  "plugin.timeout": { kind: "timeout" },
  "plugin.out_of_memory": { kind: "failure" },
  "plugin.crashed": { kind: "failure" },
  "plugin.protocol": { kind: "failure" },
  "plugin.no_hook": { kind: "missing" },
  "plugin.check_failed": { kind: "failure" },
  "plugin.stopped": { kind: "unavailable" },
  "plugin.suspended": { kind: "unavailable" },
  "plugin.paused": { kind: "conflict" },
  "plugin.in_use": { kind: "conflict" },
  "confinement.unavailable": { kind: "unavailable" },
  "capability.denied": { kind: "denied" },
  "capability.out_of_scope": { kind: "denied" },
  "capability.unknown_method": { kind: "missing" },
  "capability.invalid_params": { kind: "usage" },
  "capability.limit": { kind: "failure" },
  "stream.not_found": { kind: "missing" },
  "network.failed": { kind: "failure" },
  "network.timeout": { kind: "timeout" },
  "notify.unknown_channel": { kind: "missing" },
  "notify.failed": { kind: "failure" },
  "file.not_found": { kind: "missing" },
  "file.exists": { kind: "conflict" },
  "file.not_empty": { kind: "conflict" },
  "file.wrong_type": { kind: "failure" },
  "file.not_text": { kind: "failure", hint: "read it as bytes" },
  "file.failed": { kind: "failure" },
  "file.unavailable": { kind: "unavailable" },

  // events
  "event.not_found": { kind: "missing" },
  "event.invalid": { kind: "usage" },
  "gate.refused": { kind: "denied" },

  // alerts
  "alert.not_found": { kind: "missing", hint: "voxeltron alert list --all shows alerts and rules" },
  "alert.invalid": { kind: "usage" },
  "alert.no_channel": { kind: "usage" },

  // services and deploys
  "service.not_found": { kind: "missing", hint: "voxeltron status shows what is deployed" },
  "service.invalid": { kind: "usage" },
  "service.stopped": { kind: "conflict" },
  "service.busy": { kind: "conflict", hint: "try again when it is done" },
  "version.not_found": { kind: "missing" },
  "deploy.in_progress": { kind: "conflict" },
  "deploy.not_found": { kind: "missing" },
  "deploy.cancelled": { kind: "interrupted" },
  "deploy.interrupted": { kind: "failure" },
  "deploy.unhealthy": { kind: "failure" },
  "deploy.exited": { kind: "failure" },
  "deploy.image_not_found": { kind: "failure" },
  "deploy.pull_failed": { kind: "failure" },
  "deploy.build_failed": { kind: "failure" },
  "deploy.port_taken": { kind: "conflict" },
  "deploy.domain_taken": { kind: "conflict" },
  "deploy.failed": { kind: "failure" },
  "provider.unknown": { kind: "usage" },
  "server.unknown": { kind: "usage", hint: "servers are named in the configuration: [servers.NAME]" },
  "server.untrusted": { kind: "denied" },
  "server.refused": { kind: "denied" },
  "server.files_invalid": { kind: "invalid" },
  "server.unsupported": { kind: "unavailable" },
  "provider.unavailable": { kind: "unavailable" },
  "provider.unsupported": { kind: "usage" },
  "provider.failed": { kind: "failure" },
  "instance.not_found": { kind: "missing" },
  "exec.failed": { kind: "failure" },
  "registry.not_found": { kind: "missing" },
  "registry.denied": { kind: "denied" },
  "secret.unreadable": { kind: "failure" },
  "secret.not_found": { kind: "missing", hint: "voxeltron secret list shows what is set" },
  "secret.invalid": { kind: "usage" },
  "secret.name_taken": { kind: "conflict" },
  "secret.key_missing": { kind: "failure" },
  "secret.key_invalid": { kind: "invalid" },
  "secret.key_exposed": { kind: "invalid" },
  "secret.key_fixed": { kind: "conflict" },

  // certificates
  "certificate.not_found": { kind: "missing", hint: "voxeltron cert list shows the domains that need one" },
  "certificate.failed": { kind: "failure" },
  "certificate.held": { kind: "unavailable" },
  "certificate.unusable": { kind: "invalid" },

  // workspaces
  "workspace.not_found": { kind: "missing", hint: "voxeltron workspace list shows which there are" },
  "workspace.exists": { kind: "conflict" },
  "workspace.invalid": { kind: "usage" },
  "workspace.busy": { kind: "conflict", hint: "try again when it is done" },
  "workspace.idle": { kind: "missing" },
  "workspace.failed": { kind: "conflict" },
  "workspace.stopped": { kind: "conflict" },
  "workspace.paused": { kind: "conflict" },
  "workspace.port_taken": { kind: "conflict" },
  "workspace.exited": { kind: "failure" },
  "workspace.cancelled": { kind: "interrupted" },
  "workspace.interrupted": { kind: "failure" },

  // containers, as plugins ask about them
  "container.not_found": { kind: "missing" },
  "container.invalid": { kind: "usage" },
  "container.exists": { kind: "conflict" },
  "container.not_running": { kind: "conflict" },
  "container.port_taken": { kind: "conflict" },
  "container.image_not_found": { kind: "missing" },

  // metrics
  "metrics.unknown": { kind: "missing" },
  "metrics.invalid_query": { kind: "usage" },
  "metrics.listen_failed": { kind: "failure" },

  // the proxy
  "proxy.listen_failed": { kind: "failure" },
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof table;

export const ERROR_CODES: Readonly<Record<ErrorCode, Row>> = table;
