/** The path of a request: the file's own, else the metadata's `api`, which may be a name. */
export const requestPathOf = ({ path, metadata: { api } }: { path?: string; metadata: { api: string } }): string =>
  path ?? (api.startsWith('/') ? api : `/${api}`);
