/** Root may write every file: tests of what may not be written need somebody who may not. */

/** Runs something as a user who is not root, for whom the file system has rules; a user who is none has them anyway. */
export async function asMortal<T>(body: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    return await body();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}
