"""How HTML reports look: one column that fits a phone, colours that follow the reader's light or dark."""

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1c1e;--soft:#63636a;--line:#d8d8de;--box:#f4f4f7;
--good:#2e7d32;--bad:#c62828;--warn:#8a6d00;--idle:#b5b5bd}
@media (prefers-color-scheme:dark){:root{--paper:#151517;--ink:#ececf0;--soft:#a0a0a8;--line:#3a3a40;--box:#202024;
--good:#66bb6a;--bad:#ef6b6b;--warn:#d9b648;--idle:#5a5a62}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
.brand,.note,small,dt{color:var(--soft)}
.brand{margin:0}
h1{margin:0 0 .5rem}
h1.code0,.tag.code0{color:var(--good)}
h1.code1,.tag.code1{color:var(--bad)}
h1.code2,.tag.code2,.warn{color:var(--warn)}
h2{border-top:1px solid var(--line);padding-top:1rem;margin-top:2rem}
.tag{font-size:1rem;font-weight:600}
.asked{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:0}
.asked dd{margin:0}
dl:not(.asked){display:grid;grid-template-columns:5.5rem 1fr;gap:.25rem .75rem;margin:.5rem 0}
dl:not(.asked) dd{margin:0;min-width:0}
.bars>div{display:grid;grid-template-columns:7rem 1fr;gap:0 .75rem;margin:.5rem 0;align-items:center}
.bars>div>span:last-child{grid-column:2;color:var(--soft);font-size:.9rem}
.bar{display:flex;height:.75rem;border-radius:.25rem;overflow:hidden;background:var(--box)}
.bar i{flex:0 0 auto;flex-basis:0}
.kept{background:var(--good)}.failed{background:var(--bad)}.missed{background:var(--warn)}.barred{background:var(--idle)}
details{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem;margin:.5rem 0}
summary{cursor:pointer}
blockquote{margin:.5rem 0;padding-left:.75rem;border-left:3px solid var(--line)}
pre{background:var(--box);border-radius:.25rem;padding:.5rem;overflow-x:auto;font-size:.85rem;white-space:pre-wrap}
code{font-size:.9em}
.steps{padding-left:1.25rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .5rem;border-bottom:1px solid var(--line)}
.scroll{overflow-x:auto}
td.good{color:var(--good)}td.bad{color:var(--bad)}td.warn{color:var(--warn)}
@media (max-width:30rem){dl:not(.asked){grid-template-columns:1fr}.bars>div{grid-template-columns:1fr}
.bars>div>span:last-child{grid-column:1}}
"""
