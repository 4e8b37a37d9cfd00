/** The world of a program that another program embeds: its output and the clock, and no more unless it is asked for. */
import type { Host } from "../../runtime/capabilities.ts";
import { createNodeHost, type NodeHost, type NodeHostOptions } from "./host/node-host.ts";

/** Everything is optional; `sandbox` is true unless said otherwise. */
export type HostOptions = Partial<NodeHostOptions>;

/**
 * A host with defaults from this process: prints to standard output, reads standard input, and has no files,
 * environment or shell unless `sandbox` is false. `parts` replace single functions, for example
 * `{ write: (bytes) => chunks.push(bytes) }`.
 */
export function createHost(options: HostOptions = {}, parts: Partial<Host> = {}): NodeHost {
  const { stdin, stdout, stderr } = process;
  return {
    ...createNodeHost({ directory: process.cwd(), arguments: [], stdin, stdout, stderr, sandbox: true, ...options }),
    ...parts,
  };
}
