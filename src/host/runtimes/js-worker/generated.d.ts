/** Files made by scripts/guest-wasm, imported as the path at which they can be read. */
declare module "*.generated.wasm" {
  const path: string;
  export default path;
}
