"use strict";
// Plays the pictures of one recorded run. Reads only the JSON in this file; text goes in as text, never as markup.
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const words = run.words;
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const clock = (s) => {
    const sign = s < 0 ? "-" : "", n = Math.abs(s), m = Math.floor(n / 60);
    return `${sign}${m}:${(n % 60).toFixed(1).padStart(4, "0")}`;
  };
  const el = (name, attributes, ...children) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const text = (x, y, said, cls) => el("text", { x, y, class: cls || "" }, said);
  const colour = (n) => `var(--c${n % 4})`;
  const frameAt = (t) => {
    let low = 0, high = run.frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (run.frames[middle].t <= t + 1e-6) low = middle; else high = middle - 1;
    }
    const found = { t: run.frames[low].t };
    for (const key of Object.keys(run.frames[low])) if (key !== "t") found[key] = run.pool[run.frames[low][key]];
    return found;
  };

  const dot = (pod, x, y) => {
    const group = el("g", {}, el("title", {}, `${pod.name}: ${words.states[pod.state]}${pod.reason ? ", " + pod.reason : ""}`));
    const c = pod.state === "failing" ? "var(--bad)" : colour(pod.colour);
    const shape = { cx: x, cy: y, r: 9, stroke: c, "stroke-width": 2.5, fill: "none" };
    if (pod.state === "ready") shape.fill = c;
    if (pod.state === "pulling") shape["stroke-dasharray"] = "3 3";
    if (pod.state === "terminating") shape.opacity = 0.4;
    group.append(el("circle", shape));
    if (pod.state === "failing") group.append(el("path", { d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8`, stroke: c, "stroke-width": 2.5 }));
    return group;
  };

  // What stands before the Services: a band by weight, dashes by header, dots for copies.
  const gateway = (gate, services, height) => {
    const rows = services.length * 68, top = Math.max(4, rows / 2 - 27), parts = [];
    parts.push(el("rect", { class: "box", x: -320, y: top, width: 150, height: 54, rx: 8 }));
    parts.push(text(-310, top + 22, gate.title), text(-310, top + 42, gate.host.length > 20 ? `${gate.host.slice(0, 19)}…` : gate.host, "dim"));
    gate.arrows.forEach((arrow, i) => {
      const at = services.findIndex((s) => s.name === arrow.service), to = 37 + 68 * at + 24 * arrow.place;
      const from = top + 27 + (i - (gate.arrows.length - 1) / 2) * 10;
      const line = el("path", { d: `M-170 ${from}C-130 ${from} -140 ${to} -100 ${to}H10`, fill: "none", stroke: colour(arrow.colour), class: "way",
        "stroke-width": arrow.kind === "weight" ? 2 + 8 * (arrow.share || 0) : 2 });
      const dashes = { header: "8 4", mirror: "1 4" }[arrow.kind];
      if (dashes) line.setAttribute("stroke-dasharray", dashes);
      const said = text(4, to - 3 - (arrow.kind === "weight" ? 4 * (arrow.share || 0) : 0), arrow.label, "said");
      said.setAttribute("text-anchor", "end");
      parts.push(line, said);
    });
    return parts;
  };

  const draw = (picture) => {
    const sets = picture.replicaSets.filter((s) => s.replicas || picture.pods.some((p) => p.hash === s.hash));
    const parts = [], middles = {};
    let y = 10;
    for (const set of sets) {
      const pods = picture.pods.filter((p) => p.hash === set.hash);
      const height = 58 + 26 * Math.ceil(pods.length / 15);
      middles[set.hash] = y + height / 2;
      parts.push(el("rect", { class: "box", x: 480, y, width: 410, height, rx: 8 }));
      parts.push(el("rect", { x: 480, y, width: 6, height, fill: colour(set.colour) }));
      parts.push(text(498, y + 22, `v${set.version}`.replace(/^v(?!\d)/, "")));
      parts.push(text(498, y + 40, `${set.name} · ${words.roles[set.role] || set.role} · ${set.ready}/${set.replicas}`, "dim"));
      pods.forEach((pod, i) => parts.push(dot(pod, 510 + 25 * (i % 15), y + 62 + 26 * Math.floor(i / 15))));
      y += height + 14;
    }
    let at = 10;
    const hashes = Object.fromEntries(picture.pods.map((p) => [p.name, p]));
    for (const service of picture.services) {
      parts.push(el("rect", { class: "box", x: 10, y: at, width: 260, height: 54, rx: 8 }));
      parts.push(text(22, at + 22, service.name));
      parts.push(text(22, at + 42, `${words.roles[service.role] || service.role} · :${service.port} · ${service.endpoints} ${words.ready}`, "dim"));
      const shares = {};
      for (const route of picture.routes.filter((r) => r.service === service.name)) {
        const pod = hashes[route.pod];
        if (pod) shares[pod.hash] = (shares[pod.hash] || 0) + route.share;
      }
      const weighted = picture.gateway ? picture.gateway.arrows.filter((a) => a.kind === "weight" && a.service === service.name) : [];
      const part = picture.gateway ? weighted.reduce((sum, a) => sum + (a.share || 0), 0) : 1; // of all requests
      for (const [hash, share] of Object.entries(shares)) {
        if (!(hash in middles)) continue;
        const c = colour((sets.find((s) => s.hash === hash) || {}).colour || 0), from = at + 27, to = middles[hash];
        parts.push(el("path", { d: `M270 ${from}C370 ${from} 380 ${to} 480 ${to}`, fill: "none", stroke: c,
          "stroke-width": 2 + 10 * share * part, opacity: 0.75 }));
        if (!weighted.length || weighted.length > 1) parts.push(text(385, (from + to) / 2 - 6, `${Math.round(100 * share)} %`));
      }
      at += 68;
    }
    const height = Math.max(y, at, 120), gate = picture.gateway;
    if (gate) parts.push(...gateway(gate, picture.services, height));
    const stage = byId("stage");
    stage.setAttribute("viewBox", gate ? `-330 0 1230 ${height}` : `0 0 900 ${height}`);
    stage.replaceChildren(...parts);
    const r = picture.rollout;
    byId("phase").textContent = r ? `${words.phases[r.phase] || r.phase}${r.message ? " — " + r.message : ""}` : "";
    byId("step").textContent = r ? r.steps.map((s) => ({ done: "✓ ", now: "▶ ", todo: "· " })[s.state] + s.text).join("   ") : "";
  };

  const chart = () => {
    const svg = byId("chart"), span = Math.max(run.end - run.begin, 0.1), x = (t) => 10 + 880 * (t - run.begin) / span;
    const counts = run.frames.map((f) => {
      const found = {};
      for (const pod of run.pool[f.pods]) if (pod.state === "ready") found[pod.colour] = (found[pod.colour] || 0) + 1;
      return found;
    });
    const kinds = [...new Set(run.frames.flatMap((f) => run.pool[f.pods].map((p) => p.colour)))].sort((a, b) => a - b);
    const most = Math.max(1, ...counts.map((c) => Object.values(c).reduce((a, b) => a + b, 0)));
    const yOf = (n) => 110 - 95 * n / most, parts = [];
    const base = counts.map(() => 0);
    for (const kind of kinds) {
      let up = "", down = "";
      counts.forEach((c, i) => {
        const from = x(Math.max(run.begin, run.frames[i].t)), to = x(i + 1 < counts.length ? run.frames[i + 1].t : run.end), n = base[i] + (c[kind] || 0);
        up += `${up ? "L" : "M"}${from} ${yOf(n)}L${to} ${yOf(n)}`;
        down = `L${to} ${yOf(base[i])}L${from} ${yOf(base[i])}` + down;
        base[i] = n;
      });
      parts.push(el("path", { d: up + down + "Z", fill: colour(kind), opacity: 0.8 }));
    }
    for (const mark of run.marks) if (mark.kind === "action")
      parts.push(el("line", { x1: x(mark.t), x2: x(mark.t), y1: 8, y2: 110, stroke: "var(--dim)", "stroke-dasharray": "2 3" }, el("title", {}, mark.text)));
    const cursor = el("line", { y1: 4, y2: 114, stroke: "var(--ink)", "stroke-width": 2 });
    svg.replaceChildren(...parts, text(10, 12, `${most}`, "dim"), cursor);
    return (t) => { cursor.setAttribute("x1", x(t)); cursor.setAttribute("x2", x(t)); };
  };

  const slider = byId("t"), play = byId("play"), speed = byId("speed"), point = chart();
  slider.min = run.begin; slider.max = run.end; slider.step = "any";
  const lists = [["marks", run.marks], ["why", run.why]].map(([id, found]) => {
    const items = found.map((one) => {
      const button = document.createElement("button"), item = document.createElement("li");
      button.type = "button"; button.textContent = clock(one.t);
      button.addEventListener("click", () => { stop(); show(one.t); });
      item.append(button, one.text);
      return item;
    });
    byId(id).replaceChildren(...items);
    byId(id).previousElementSibling.hidden = !items.length;
    return [found, items];
  });
  let now = run.begin, drawn = null, timer = 0, last = 0;
  const show = (t) => {
    now = Math.min(run.end, Math.max(run.begin, t));
    slider.value = now;
    byId("clock").textContent = clock(now);
    slider.setAttribute("aria-valuetext", clock(now));
    point(now);
    const picture = frameAt(now);
    if (picture.t !== drawn) {
      drawn = picture.t;
      draw(picture);
      for (const [found, items] of lists) {
        let current = -1;
        found.forEach((one, i) => { if (one.t <= now + 1e-6) current = i; });
        items.forEach((item, i) => item.classList.toggle("now", i === current));
        if (current >= 0) {
          const item = items[current], list = item.parentElement;
          list.scrollTop = item.offsetTop - list.offsetTop - list.clientHeight / 2;
        }
      }
    }
  };
  const stop = () => { cancelAnimationFrame(timer); timer = 0; play.textContent = words.play; };
  const tick = (time) => {
    show(now + (time - last) / 1000 * Number(speed.value));
    last = time;
    if (now >= run.end) stop(); else timer = requestAnimationFrame(tick);
  };
  const toggle = () => {
    if (timer) { stop(); return; }
    if (now >= run.end) show(run.begin);
    play.textContent = words.pause; last = performance.now(); timer = requestAnimationFrame(tick);
  };
  const jump = (way) => {
    const stops = run.marks.map((m) => m.t);
    const next = way > 0 ? stops.find((t) => t > now + 0.005) : stops.filter((t) => t < now - 0.005).pop();
    stop(); show(next === undefined ? (way > 0 ? run.end : run.begin) : next);
  };
  play.addEventListener("click", toggle);
  byId("back").addEventListener("click", () => jump(-1));
  byId("next").addEventListener("click", () => jump(1));
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, select")) return;
    if (event.key === " ") { event.preventDefault(); toggle(); }
    if (event.key === "ArrowRight") { event.preventDefault(); jump(1); }
    if (event.key === "ArrowLeft") { event.preventDefault(); jump(-1); }
  });
  show(run.begin);
})();
