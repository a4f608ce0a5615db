/** The word that makes this program the keeper of warm boxes. */
export const KEEPER_COMMAND = '__keep-pools';
