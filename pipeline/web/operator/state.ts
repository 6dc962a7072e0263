// What /api/state and /api/events say; written by pipeline/src/web/state.rs.

export interface CameraNow {
  readonly name: string;
  readonly gate: string;
  readonly state: "connecting" | "live" | "lost";
  readonly reason?: string;
  readonly since?: string;
  readonly tries?: number;
  readonly pace?: { readonly fps: number; readonly latency_ms: number; readonly unchanged_fps: number };
}

export type Deed = "welcomed" | "already_greeted" | "referred" | "doubted" | "counted";

export interface DecisionNow {
  readonly number: number;
  readonly at: string;
  readonly gate: string;
  readonly camera: string;
  readonly track: number;
  readonly deed: Deed;
  readonly looks: number;
  readonly over_ms: number;
  readonly best: number | null;
  readonly second: number | null;
  readonly threshold: number;
  readonly enrolled: number;
  readonly live?: number;
  readonly unproven?: true;
  readonly name?: string;
}

export interface ScreenNow {
  readonly name: string;
  readonly gate: string | null;
  readonly here: boolean;
  readonly faults: readonly string[];
}

export interface State {
  readonly time: string;
  readonly site: string;
  readonly ready: boolean;
  readonly signed_in: boolean;
  readonly pictures: boolean;
  readonly gates: readonly string[];
  readonly cameras: readonly CameraNow[];
  /** Screens that were heard in the last day. */
  readonly screens: readonly ScreenNow[];
  /** Why a file of the guide is not the newest one. */
  readonly guide: string | null;
  readonly broker: { readonly state: "connecting" | "up" | "down"; readonly reason?: string };
  readonly outbox: number;
  readonly enrolled: number;
  readonly threshold: number;
  readonly promised: number;
  readonly decisions: readonly DecisionNow[];
}
