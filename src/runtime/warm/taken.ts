/** What a warm box's monitor says first to the command whose box it is now. */
export const TAKEN = 'taken\n';
