// What /api/why/NUMBER says; written by pipeline/src/web/why.rs.
import type { Deed } from "./state.ts";

export interface Look {
  readonly number: number;
  readonly after_ms: number;
  readonly weight: number;
  readonly share: number;
  readonly score: number | null;
  readonly pooled: boolean;
  /** By term; the page knows some by a word of its own and shows further ones by theirs. */
  readonly quality: Readonly<Record<string, number | null>>;
}

export interface Rule {
  readonly rule: string;
  readonly title: string;
  readonly needed_words: string;
  readonly was_words: string;
  readonly met: boolean | null;
  readonly binds: boolean;
}

export interface Step {
  readonly step: string;
  readonly title: string;
  readonly at_ms: number | null;
  readonly missing?: string;
}

export interface Why {
  readonly number: number;
  readonly at: string;
  readonly gate: string;
  readonly camera: string;
  readonly track: number;
  readonly deed: Deed;
  readonly found: "named" | "alike" | "unknown" | "unproven" | "doubted";
  readonly sentence: string;
  readonly visitor?: string;
  readonly name?: string;
  readonly portrait?: string;
  readonly best: number | null;
  readonly second: number | null;
  readonly threshold: number | null;
  readonly enrolled: number;
  readonly looks: readonly Look[];
  readonly untold: number;
  readonly refused: number;
  readonly rules: readonly Rule[];
  readonly kept_from: readonly string[];
  readonly steps: readonly Step[];
}
