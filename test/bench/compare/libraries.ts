/** What is compared: our own library, the packages of npm pinned to their latest versions, and the libraries of PHP and Perl. */
import { execFileSync } from "node:child_process";

/** A library, and how one end of it is started. */
export interface Library {
  readonly name: string;
  readonly version: string;
  /** Program and arguments of a peer, but for role, port and what the role needs. */
  readonly command: readonly [string, ...string[]];
  /** Npm package in the directory of installed packages; null for the libraries of other languages. */
  readonly isPackage: boolean;
}

/** The packages of npm that hold a Gearman client and worker. */
export const PACKAGES = {
  gearmanode: "0.9.2",
  "node-gearman": "0.2.2",
  gearman: "2.1.0",
  abraxas: "2.1.10",
  "gearman-node": "2.0.13",
} as const;

/** Libraries of other languages: compared where they are installed. */
const FOREIGN = [
  { name: "php-gearman", program: "php", peer: "peer.php", version: ["-r", "echo phpversion('gearman');"] },
  {
    name: "Perl Gearman::Client",
    program: "perl",
    peer: "peer.pl",
    version: ["-MGearman::Client", "-e", "print $Gearman::Client::VERSION"],
  },
] as const;

/** Where the peers find what they run. */
export interface Places {
  /** Our built library. */
  readonly built: string;
  /** The built `peer.mjs`, beside it `node_modules` with the packages. */
  readonly installed: string;
  /** Sources of the peers in other languages. */
  readonly sources: string;
}

/** All libraries there are on this machine, ours first. */
export function librariesOf(ourVersion: string, { built, installed, sources }: Places): Library[] {
  const peer = `${installed}/peer.mjs`;
  const packages = Object.entries(PACKAGES).map(([name, version]): Library => {
    return { name, version, command: [process.execPath, peer, name, installed], isPackage: true };
  });
  const name = "basil-gearman";
  const ours: Library = { name, version: ourVersion, command: [process.execPath, peer, name, built], isPackage: false };
  const foreign = FOREIGN.flatMap((one): Library[] => {
    const version = printed(one.program, one.version);
    return version === ""
      ? []
      : [{ name: one.name, version, command: [one.program, `${sources}/${one.peer}`], isPackage: false }];
  });
  return [ours, ...packages, ...foreign];
}

/** What a program prints; nothing when it is not installed or fails. */
function printed(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
