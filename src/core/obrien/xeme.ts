/** A Xeme: the outcome of a job as a tree of JSON, with a verdict and structured reasons. */

/** One reason of a verdict. */
export interface XemeMessage {
  /** Path-like name of the kind, such as `bryton/runtime/crashed`. */
  readonly class: string;
  readonly message?: string;
  readonly [more: string]: unknown;
}

/** An outcome. Fields that are empty are left out; unknown ones pass through. */
export interface Xeme {
  /** True and false are verdicts; null says that none was reached. */
  readonly success: boolean | null;
  readonly class?: string;
  readonly errors?: readonly XemeMessage[];
  readonly nulls?: readonly XemeMessage[];
  readonly warnings?: readonly XemeMessage[];
  readonly notes?: readonly XemeMessage[];
  readonly nested?: readonly Xeme[];
  readonly meta?: {
    readonly uuid?: string;
    readonly name?: string;
    readonly timestamp?: string;
    readonly run_time?: number;
    readonly skipped?: boolean;
    readonly [more: string]: unknown;
  };
  readonly io?: { readonly stdout?: string; readonly stderr?: string; readonly [more: string]: unknown };
  readonly location?: { readonly file?: string; readonly line?: number; readonly [more: string]: unknown };
  readonly tags?: unknown;
  readonly misc?: unknown;
  readonly [more: string]: unknown;
}
