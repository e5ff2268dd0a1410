/** Why a case is left failing on purpose: a rule of the SPEC's section D, and what that makes of the case. */
export interface Difference {
  readonly rule: "D1" | "D2" | "D3" | "D4" | "D5";
  readonly why: string;
}

/** At most this many cases may differ. */
export const differencesMax = 14;

/** The cases that differ from Phoenix on purpose, by name. A listed case that passes is an error too. */
export const differences: Readonly<Record<string, Difference>> = {
  v2_join_float_ref: { rule: "D1", why: "the join_ref 1.0 is the join_ref 1" },
  v2_bad_lone_surrogate: { rule: "D1", why: "a lone surrogate escape is a string like any other" },
  v1_terminate_reasons: { rule: "D2", why: "however the socket went, terminate is told that it is closed" },
  v2_terminate_reasons: { rule: "D2", why: "however the socket went, terminate is told that it is closed" },
  ws_raw_close_bad_utf8: { rule: "D3", why: "a close reason that is not UTF-8 is answered 1007" },
  ws_deflate_enabled: { rule: "D4", why: "ws answers the offer to compress without parameters" },
  server_shutdown: { rule: "D5", why: "a socket without channels is closed with 1012 too" },
};
