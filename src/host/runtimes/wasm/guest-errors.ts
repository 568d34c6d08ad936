/**
 * What can go wrong with a module, as three kinds that its callers tell apart: it is not taken at all, its call failed, or a
 * function of the host ended the call. Only words cross to the daemon; it gives them their codes.
 */

/** The module is not taken: `plugin.load_failed`. The message is one clause about the module, the hint what to do. */
export class GuestRefusal extends Error {
  override readonly name = "GuestRefusal";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * A hook failed. `kind` is `refused` where it ended well and its output can't be taken. `code` is the guest's own and may be
 * empty; `stack` names functions of the module, one a line.
 */
export class GuestThrown extends Error {
  override readonly name: string;
  override readonly stack: string;
  readonly kind: "threw" | "refused";
  readonly code: string;

  constructor(
    message: string,
    options: { name?: string; stack?: string; code?: string; kind?: "threw" | "refused" } = {},
  ) {
    super(message);
    this.name = options.name ?? "Error";
    this.stack = options.stack ?? "";
    this.kind = options.kind ?? "threw";
    this.code = options.code ?? "";
  }
}

/** A function of the host ends the call: a wild pointer, a bound that was passed. The guest may catch it like any exception. */
export class HostFault extends Error {
  override readonly name = "HostFault";
}
