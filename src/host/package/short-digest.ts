/** How a version's folder is called: enough digits of its digest that no two of one plugin are the same. */
export function shortDigest(digest: string): string {
  return digest.replace("sha256:", "").slice(0, 16);
}
