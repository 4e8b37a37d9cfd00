/** How job handles look to programs. */

/** `H:vm:12`, or `127.0.0.1:4731//H:vm:12` when there are several servers, whose handles may be equal. */
export const shownHandle = (hasSeveralServers: boolean, server: string, handle: string): string =>
  hasSeveralServers ? `${server}//${handle}` : handle;
