"""The look of the page around the live picture: spacing and the lesson's column. Only CSS."""

from __future__ import annotations

PAGE = """
<style>
.stMainBlockContainer { padding: 0.6rem 1.1rem 1rem !important; max-width: none !important; }
header.stAppHeader { background: none; height: 0; min-height: 0; }
.stApp, .stApp :is(p, li, h1, h2, h3, label, summary) { word-break: keep-all; overflow-wrap: anywhere; }
.stApp { background: color-mix(in srgb, var(--st-secondary-background-color, #f5f7f9) 100%, transparent); }
.st-key-top { border-bottom: 1px solid var(--st-border-color, #dfe4e9); padding-bottom: .45rem; }
.st-key-top p { margin: 0; }
.lab-chip { display: inline-block; padding: 1px 11px; border-radius: 99px; font-size: 13px; margin-right: 5px;
  background: rgb(128 140 152 / 16%); }
.lab-chip.ready::before { content: "●"; color: #00855b; margin-right: 5px; }
.lab-name { font-weight: 750; margin-right: 10px; }
.st-key-lesson-text h1 { font-size: 1.4rem; padding: 0 0 .1rem; line-height: 1.3; }
.st-key-lesson-text .lab-step { display: inline-block; min-width: 1.55em; height: 1.55em; line-height: 1.55em;
  text-align: center; border-radius: 50%; background: rgb(128 140 152 / 22%); font-size: .85em; margin-right: .5em; }
.st-key-lesson-text h3 { font-size: 1.02rem; padding: 0 0 .2rem; }
.st-key-lesson-text :is(p, li) { font-size: .95rem; line-height: 1.6; }
.st-key-lesson-text table { font-size: .88rem; }
.st-key-lesson-text .stVerticalBlock { gap: .55rem; }
@media (min-width: 1000px) {
  .st-key-lesson-text { position: sticky; top: .5rem; max-height: calc(100vh - 8.6rem); overflow-y: auto;
    scrollbar-width: thin; padding-right: .5rem; }
}
@media (max-width: 640px) { .stMainBlockContainer { padding: .5rem .7rem 1rem !important; } }
</style>
"""
