/** Where a version is reached, for those that are not on the daemon's own machine. Without it: at its loopback port. */
export const sql = `
ALTER TABLE versions ADD COLUMN host TEXT;
ALTER TABLE versions ADD COLUMN port INTEGER;
`;
