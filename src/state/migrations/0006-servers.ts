/** Services on other machines than the daemon's own. */
export const sql = `
ALTER TABLE services ADD COLUMN server TEXT NOT NULL DEFAULT 'local';
`;
