/** Stands in for a package that the toolkit names but the reading room never calls. */
export const create = (): never => {
  throw new Error('XML writing is not part of the viewer.');
};
