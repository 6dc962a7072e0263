// What /api/flow says; written by pipeline/src/flow/told.rs and pipeline/src/web/flow.rs.

export interface Fan {
  readonly median: number;
  readonly low80: number;
  readonly high80: number;
  readonly low95: number;
  readonly high95: number;
}

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Horizon {
  readonly minutes: number;
  /** People a minute. */
  readonly arrivals: Fan;
  readonly queue?: Fan;
  readonly wait_seconds?: Fan;
}

export type Kind = "over" | "over_soon" | "open_lanes" | "close_lanes" | "steer" | "camera_lost";

export interface Advice {
  readonly cause: string;
  readonly kind: Kind;
  readonly minutes?: number;
  readonly lanes?: number;
  readonly gate?: string;
  readonly wait_seconds?: number;
  readonly text: string;
}

export interface GateFlow {
  readonly gate: string;
  readonly at: string;
  readonly counting: "whole" | "partial" | "none";
  readonly lost_cameras: readonly string[];
  /** Since when, while that is shorter than a minute. */
  readonly counting_since?: string;
  readonly entered_last_minute?: number;
  readonly left_last_minute?: number;
  readonly entered_total: number;
  readonly left_total: number;
  readonly inside?: number;
  readonly queue?: { readonly length: Estimate; readonly wait_seconds: Estimate; readonly service_per_minute: Estimate; readonly lanes_open: number };
  readonly limit_seconds?: number;
  readonly advice: readonly Advice[];
}

export type RestsOn = "history" | "programme" | "both" | "live_only";

/** A gate among others. */
export interface AtAGlance {
  readonly flow: GateFlow;
  readonly horizons: readonly Horizon[];
  readonly rests_on: RestsOn | null;
  /** By minute, of the last hour; null where nobody saw. */
  readonly entered: readonly (number | null)[];
}

/** What is told as things change. */
export interface Told {
  readonly time: string;
  readonly site: string;
  readonly signed_in: boolean;
  readonly allowed: boolean;
  readonly trouble: string | null;
  /** Whether these are all gates; else those that changed. */
  readonly whole: boolean;
  readonly gates: readonly AtAGlance[];
}

export interface Grade {
  readonly minutes: number;
  readonly forecasts: number;
  readonly mean_absolute_error: number;
  readonly mase?: number;
  readonly coverage80?: number;
  readonly coverage95?: number;
}

export interface Mark {
  readonly title: string;
  readonly venue: string;
  readonly gate: string | null;
  readonly starts: string;
  readonly ends: string;
}

/** One gate, as it was and as it will be; lists are by minute from `from` (seconds since 1970) on. */
export interface Whole {
  readonly time: string;
  readonly flow: GateFlow;
  readonly forecast: { readonly at: string; readonly horizons: readonly Horizon[]; readonly day: readonly { readonly at: string; readonly arrivals: Fan }[]; readonly grades: readonly Grade[]; readonly rests_on: RestsOn } | null;
  readonly from: number;
  readonly entered: readonly (number | null)[];
  readonly left: readonly (number | null)[];
  readonly queue: readonly (number | null)[];
  readonly wait_seconds: readonly (number | null)[];
  readonly marks: readonly Mark[];
}

export interface Step {
  readonly minutes: number;
  readonly lanes: number;
  readonly queue: Fan;
  readonly wait_seconds: Fan;
}

/** The answer to "what if". */
export interface WhatIf {
  readonly as_is: readonly Step[];
  readonly would_be: readonly Step[];
}
