/** The folder that a plugin was dropped into and consented to. */
export const sql = `
ALTER TABLE plugins ADD COLUMN drop_in TEXT;
`;
