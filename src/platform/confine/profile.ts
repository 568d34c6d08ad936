/**
 * What kind of work a confined process does, and so what it keeps. `guest`: nothing can be opened once it is sealed. `bundler`:
 * folders can, so that Bun.build works, but none except its own thread list and no file.
 */
export type Profile = "guest" | "bundler";
