// What people do on a page, and what they have to see then; each returns the
// list of what was otherwise.
export const actions = {};
