"""The colours of a report, and a mark for each status."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5b6675; --line: #d6dce4; --ground: #fff;
  --panel: #f5f7fa; --good: #1a7f4b; --warn: #9a6200; --bad: #c02434; --busy: #2660b8;
  --stage: #b9c6d8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --dim: #9aa6b5; --line: #333d4a;
  --ground: #12171e; --panel: #1a212b; --good: #4cc38a; --warn: #e0a63a; --bad: #ff7b86;
  --busy: #76a9ff; --stage: #48566a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header { border-top: .3rem solid currentColor; padding-top: 1rem; }
header > :not(h1) { color: var(--ink); } header > .dim { color: var(--dim); }
h1 { font-size: 1.5rem; margin: 0; } h1::first-letter { text-transform: uppercase; }
 h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.dim { color: var(--dim); } code, pre { font: 13px/1.45 ui-monospace, monospace; }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.2rem 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem 1rem; min-width: 7rem; } .card b { display: block; font-size: 1.5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--dim); font-weight: 600; }
th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
td code { display: block; min-width: 12rem; white-space: normal; overflow-wrap: anywhere; }
table + table, .scroll + .scroll { margin-top: 1.2rem; } .names { overflow-wrap: anywhere; }
.bar { display: inline-block; height: .6rem; border-radius: .2rem; background: var(--busy);
  margin-right: .5rem; min-width: 2px; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
.add { color: var(--good); } .del { color: var(--bad); } .at { color: var(--busy); }
dl { margin: 0; } dd { margin: 0 0 .6rem; overflow-wrap: anywhere; }
.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
details { margin: .4rem 0; } summary { cursor: pointer; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui; }
svg .dim { fill: var(--dim); } svg .grid { stroke: var(--line); }
svg .stage { fill: var(--stage); } svg .good { fill: var(--good); } svg .warn { fill: var(--warn); }
svg .bad { fill: var(--bad); } svg .busy { fill: var(--busy); }
@media print { body { max-width: none; padding: 0; font-size: 11px; } .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
  h2 { break-after: avoid; } tr, .card, dd { break-inside: avoid; } th, td { white-space: normal; }
  svg { min-width: 0; } }
"""


TONES = {
    "converged": "good",
    "unchanged": "good",
    "rolled_back": "warn",
    "stale": "warn",
    "pending": "dim",
    "failed": "bad",
    "unreachable": "bad",
    "no_access": "bad",
    "degraded": "bad",
}


MARKS = {
    "converged": "~",
    "unchanged": "=",
    "rolled_back": "<",
    "stale": "!",
    "pending": ".",
    "failed": "!",
    "unreachable": "?",
    "no_access": "!",
    "degraded": "X",
}
"""The marks of the terminal; some readers cannot distinguish colours."""
