"""The look of the page around the live picture: spacing and the lesson's column. Only CSS."""

from __future__ import annotations

PAGE = """
<style>
.stMainBlockContainer { padding: 0.55rem 1.1rem 7rem !important; max-width: none !important; }
.stMain:focus-visible::before { box-shadow: inset 0 3px 0 0 #0060a0 !important; } /* a line, not a frame */
header.stAppHeader { background: none; height: 0; min-height: 0; }
.stApp :is(p, li, h1, h2, h3, label, summary, td) { word-break: keep-all; overflow-wrap: anywhere; }
.st-key-top { border-bottom: 1px solid rgb(128 140 152 / 28%); padding-bottom: .45rem; }
.st-key-top p { margin: 0; }
.lab-chip { display: inline-block; padding: 1px 11px; border-radius: 99px; font-size: 13px;
  margin: 1px 5px 1px 0;  background: rgb(128 140 152 / 17%); white-space: nowrap; }
.lab-chip.ready::before { content: "●"; color: #00855b; margin-right: 5px; }
.st-key-top button[data-testid="stPopoverButton"] { min-height: 2rem; padding: 2px 10px; }
.st-key-top [data-testid="stPageLink-NavLink"] { padding: 2px 8px; }
.st-key-kind [role="radiogroup"] { flex-wrap: wrap; }
[data-shade="dark"] .stApp button[kind="primary"] p { color: #0f1417; }
.lab-name { font-weight: 750; margin-right: 10px; }
.st-key-frame { position: relative; gap: 0; }
.st-key-frame:not(:has([data-drawn])) { min-height: 1000px; }
.st-key-frame:not(:has([data-drawn]))::before { content: ""; position: absolute; inset: 0; opacity: .5;
  --c: linear-gradient(rgb(128 140 152 / 18%) 0 0); background-repeat: no-repeat; pointer-events: none;
  background-image: var(--c), var(--c), var(--c), var(--c), var(--c), var(--c), var(--c);
  background-size: 100% 152px, 100% 258px, calc(50% - 5px) 220px, calc(50% - 5px) 220px, 100% 70px,
    calc(50% - 5px) 184px, calc(50% - 5px) 184px;
  background-position: 0 0, 0 162px, 0 430px, 100% 430px, 0 660px, 0 740px, 100% 740px; }
.st-key-lesson-text h1 { font-size: 1.4rem; padding: 0 0 .1rem; line-height: 1.3; }
.st-key-lesson-text h3 { font-size: 1.02rem; padding: 0 0 .2rem; }
.st-key-lesson-text :is(p, li) { font-size: .95rem; line-height: 1.6; }
.st-key-lesson-text :is(td, th) { font-size: .86rem; padding: .2rem .5rem; }
.st-key-lesson-text .stVerticalBlock { gap: .5rem; }
.st-key-lesson-text pre { font-size: .84rem; }
.stTextArea textarea { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas,
  'DejaVu Sans Mono', monospace; font-size: .85rem; line-height: 1.45; }

@media (min-width: 1000px) {
  .st-key-top { min-height: 46px; max-height: 46px; } /* kept from the start, while its switches still come */
  .st-key-lesson-text { position: sticky; top: .5rem; max-height: calc(100vh - 8rem); overflow-y: auto;
    scrollbar-width: thin; scrollbar-gutter: stable; padding-right: .5rem; }
}
@media (max-width: 640px) {
  .stMainBlockContainer { padding: .45rem .6rem 10rem !important; }
  .st-key-top { gap: .4rem; }
  .lab-chip.detail { display: none; }
  .st-key-top .st-key-lesson-choice { flex: 1 0 100%; width: 100% !important; }
  .st-key-lesson-text { max-height: 50vh; overflow-y: auto; border-bottom: 1px solid rgb(128 140 152 / 28%); }
}
</style>
"""
