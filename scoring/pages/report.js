// Sorting and filtering of the tables, and the plot of cost and accuracy. Without this script the page shows
// everything but the plot, in whose place the drawn figure stands.

// ---- sort: numbers from high to low first, words from A to Z, unknown values always last

const leading = text => parseFloat(text.replace(/^[\s[+<]+/, "").replaceAll(",", ""));

function sortBy(head) {
  const body = head.closest("table").tBodies[0];
  const isWord = head.classList.contains("word");
  const before = head.getAttribute("aria-sort");
  const rising = before ? before === "descending" : isWord;
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const keyed = [...body.rows].map(row => {
    const text = row.cells[head.cellIndex].textContent.trim();
    return { row, key: isWord ? text : leading(text), unknown: text === "–" };
  });
  const compare = isWord ? (a, b) => a.key.localeCompare(b.key) : (a, b) => a.key - b.key;
  keyed.sort((a, b) => a.unknown || b.unknown ? a.unknown - b.unknown : rising ? compare(a, b) : compare(b, a));
  body.append(...keyed.map(entry => entry.row));
}

for (const button of document.querySelectorAll("thead button"))
  button.addEventListener("click", () => sortBy(button.closest("th")));

// ---- filter: one form for all tables; the plot follows it

const filters = document.querySelector(".filters");
const followers = [];

function filter() {
  const text = filters.elements.text.value.trim().toLowerCase();
  const boxes = [...filters.querySelectorAll("[name=kind]")];
  const off = new Set(boxes.filter(box => !box.checked).map(box => box.value));
  const matches = (name, kind) => !off.has(kind) && name.toLowerCase().includes(text);
  const names = new Set(), shown = new Set();
  const rows = boxes.map(box => `table.sortable tr.${box.value}`).join(); // others are no contenders: they stay
  for (const row of document.querySelectorAll(rows)) {
    const name = row.cells[0].textContent;
    row.hidden = !matches(name, row.className);
    names.add(name);
    if (!row.hidden) shown.add(name);
  }
  for (const kind of ["benchmark", "seed"]) {
    const chosen = filters.elements[kind].value;
    for (const head of document.querySelectorAll(`th[data-${kind}]`)) {
      const isHidden = chosen !== "" && head.dataset[kind] !== chosen;
      if (head.hidden === isHidden) continue;
      for (const row of head.closest("table").rows) row.cells[head.cellIndex].hidden = isHidden;
    }
  }
  filters.querySelector("output").textContent = `${shown.size} of ${names.size} rows`;
  for (const follow of followers) follow(matches);
}

filters.hidden = false;
filters.addEventListener("input", filter);
filters.addEventListener("submit", event => event.preventDefault());

// ---- plot

const SHAPES = { // of the markers that scoring/figure_style.py uses, for a radius r
  "o": r => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
  "s": r => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
  "^": r => `M0 ${-1.2 * r}L${1.1 * r} ${r}H${-1.1 * r}Z`,
  "v": r => `M0 ${1.2 * r}L${1.1 * r} ${-r}H${-1.1 * r}Z`,
  "D": r => `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0Z`,
  "P": r => `M${-r / 2.5} ${-1.2 * r}h${r / 1.25}v${.8 * r}h${.8 * r}v${r / 1.25}h${-.8 * r}v${.8 * r}h${-r / 1.25}v${-.8 * r}h${-.8 * r}v${-r / 1.25}h${.8 * r}Z`,
  "X": r => `M0 ${-r / 2}L${r / 2} ${-r}L${r} ${-r / 2}L${r / 2} 0L${r} ${r / 2}L${r / 2} ${r}L0 ${r / 2}L${-r / 2} ${r}L${-r} ${r / 2}L${-r / 2} 0L${-r} ${-r / 2}L${-r / 2} ${-r}Z`,
  "x": r => `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`,
};

function shape(space, tag, attributes, ...children) {
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const percent = fraction => `${(100 * fraction).toFixed(2)}%`;
const dollars = usd => `${usd >= 1 ? usd.toFixed(2) : short(usd)} USD`;

function plot(box, drawn, data) {
  const space = drawn.querySelector("svg").namespaceURI;
  const make = shape.bind(null, space);
  const tip = element("div", { className: "tip", hidden: true, role: "status" });
  const legend = element("ul", { className: "legend", ariaLabel: "Shown in the plot" });
  const canvas = make("svg", { role: "group", "aria-label": "Cost and accuracy. Arrow keys go from point to point." });
  const series = data.series.map(entry => ({ ...entry, points: [...entry.points].sort((a, b) => a.usd - b.usd) }));
  const every = series.flatMap(entry => entry.points);
  const range = key => [Math.min(...every.map(p => p[key])), Math.max(...every.map(p => p[key]))];
  const isLog = range("usd")[0] > 0 && range("usd")[1] > 10 * range("usd")[0];
  const project = isLog ? Math.log10 : value => value;
  let matches = () => true, here = null, spots = [];

  const shownPoints = entry => entry.isHidden ? [] : entry.points.filter(point => matches(point.name, entry.kind));

  function ticks(low, high, count) { // round numbers in a linear range
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= raw);
    const found = [];
    for (let n = Math.ceil(low / step); n * step <= high; n++) found.push(Number((n * step).toPrecision(12)));
    return found;
  }

  function logTicks(low, high, count) { // powers of ten, with 2 and 5 between them where there is room
    const found = [];
    const factors = high - low <= count / 3 ? [1, 2, 5] : [1];
    const stride = Math.max(1, Math.ceil((high - low) / count));
    for (let power = Math.floor(low); power <= high; power += stride)
      for (const factor of factors) {
        const at = power + Math.log10(factor);
        if (at >= low && at <= high) found.push(Number((factor * 10 ** power).toPrecision(3)));
      }
    return found;
  }

  function draw() {
    const width = Math.max(280, box.clientWidth), isWide = width >= 640;
    const height = Math.min(520, Math.max(320, width * .62));
    const left = 40, right = 14, top = 10, bottom = 42;
    const pad = ([low, high]) => { const room = (high - low || 1) * .06; return [low - room, high + room]; };
    const [xLow, xHigh] = pad(range("usd").map(project)), [yLow, yHigh] = pad(range("acc").map(acc => 100 * acc));
    const x = usd => left + (project(usd) - xLow) / (xHigh - xLow) * (width - left - right);
    const y = acc => height - bottom - (100 * acc - yLow) / (yHigh - yLow) * (height - top - bottom);
    canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    canvas.replaceChildren();
    spots = [];

    const xTicks = isLog ? logTicks(xLow, xHigh, width / 70) : ticks(xLow, xHigh, width / 90);
    for (const value of xTicks) canvas.append(
      make("line", { class: "grid", x1: x(value), x2: x(value), y1: top, y2: height - bottom }),
      make("text", { x: x(value), y: height - bottom + 16, "text-anchor": "middle" }, short(value)));
    for (const value of ticks(yLow, yHigh, height / 60)) canvas.append(
      make("line", { class: "grid", x1: left, x2: width - right, y1: y(value / 100), y2: y(value / 100) }),
      make("text", { x: left - 6, y: y(value / 100) + 4, "text-anchor": "end" }, short(value)));
    canvas.append(
      make("path", { class: "axis", fill: "none", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
      make("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" },
        `cost of one test set, USD${isLog ? " (log)" : ""}`),
      make("text", { transform: `translate(11 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" },
        "AvgAcc, percent"));

    const frontier = every.filter(p => p.isOnFrontier).sort((a, b) => a.usd - b.usd || a.acc - b.acc);
    if (frontier.length) canvas.append(make("path", { class: "frontier", d: frontier.map((p, i) =>
      i ? `H${x(p.usd)}V${y(p.acc)}` : `M${x(p.usd)} ${y(p.acc)}`).join("") + `H${width - right}` }));

    for (const entry of series) {
      const group = make("g", {}), points = shownPoints(entry), isLine = entry.isCurve && points.length > 1;
      if (isLine) group.append(make("path", { class: "curve", stroke: entry.colour,
        d: points.map((p, i) => `${i ? "L" : "M"}${x(p.usd)} ${y(p.acc)}`).join("") }));
      for (const point of points) {
        const mark = make("path", { "data-point": "", role: "img", tabindex: -1, fill: entry.colour,
          d: SHAPES[entry.marker](isLine ? 4 : 5), transform: `translate(${x(point.usd)} ${y(point.acc)})`,
          "aria-label": words(entry, point).join(", ") });
        if (entry.marker === "x") mark.style.stroke = "var(--ink)", mark.style.strokeWidth = 2;
        const spot = { entry, point, mark, group, x: x(point.usd), y: y(point.acc) };
        mark.addEventListener("focus", () => show(spot));
        mark.addEventListener("blur", () => show(null));
        spots.push(spot);
        group.append(mark);
      }
      canvas.append(group);
    }
    if (spots.length) spots[0].mark.setAttribute("tabindex", 0);
    if (isWide) nameMarks(width - right);
    here = null;
    tip.hidden = true;
  }

  function nameMarks(rightEdge) { // beside models and references, where the name covers no other name or point
    const taken = spots.map(spot => [spot.x - 5, spot.y - 5, spot.x + 5, spot.y + 5]);
    const isFree = box => !taken.some(t => box[0] < t[2] && t[0] < box[2] && box[1] < t[3] && t[1] < box[3]);
    for (const spot of spots.filter(s => !s.entry.isCurve)) {
      const text = spot.point.name, width = 6.3 * text.length;
      for (const [dx, dy, anchor, from] of [[9, 4, "start", 0], [-9, 4, "end", -width],
        [0, -9, "middle", -width / 2], [0, 17, "middle", -width / 2]]) {
        const at = spot.x + dx + from, box = [at, spot.y + dy - 10, at + width, spot.y + dy + 3];
        if (box[0] < 44 || box[2] > rightEdge || box[1] < 0 || !isFree(box)) continue;
        taken.push(box);
        canvas.append(make("text", { class: "name", x: spot.x + dx, y: spot.y + dy, "text-anchor": anchor }, text));
        break;
      }
    }
  }

  const words = (entry, point) => [
    point.name,
    ...(point.tradeOff === null ? [] : [`trade-off ${short(point.tradeOff)}`]),
    `AvgAcc ${percent(point.acc)}`,
    dollars(point.usd),
    ...(point.isOnFrontier ? ["on the Pareto frontier"] : point.distance > 0 ? [`${short(point.distance)} to the frontier`] : []),
  ];

  function show(spot) {
    if (here === spot) return;
    here?.mark.classList.remove("here");
    here = spot;
    tip.hidden = !spot;
    const isCurve = Boolean(spot?.entry.isCurve); // then the other curves step back
    for (const other of spots)
      other.group.classList.toggle("faded", isCurve && other.entry.isCurve && other.group !== spot.group);
    if (!spot) return;
    spot.mark.classList.add("here");
    const [name, ...lines] = words(spot.entry, spot.point);
    tip.replaceChildren(element("b", {}, name), ...lines.flatMap((line, i) => i ? [element("br"), line] : [line]));
    const leftMost = box.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(leftMost, spot.x + (spot.x > box.clientWidth / 2 ? -tip.offsetWidth - 14 : 14)))}px`;
    tip.style.top = `${canvas.parentNode.offsetTop + Math.max(0, spot.y - tip.offsetHeight / 2)}px`;
  }

  function nearest(event) {
    const frame = canvas.getBoundingClientRect();
    const px = event.clientX - frame.left, py = event.clientY - frame.top;
    let best = null, least = 30 ** 2;
    for (const spot of spots) {
      const distance = (spot.x - px) ** 2 + (spot.y - py) ** 2;
      if (distance < least) [best, least] = [spot, distance];
    }
    return best;
  }

  function step(event) { // left and right along a series, up and down from series to series
    if (!here) return;
    const order = [...new Set(spots.map(spot => spot.entry))];
    const own = spots.filter(spot => spot.entry === here.entry);
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key], across = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    let next = null;
    if (sideways) next = own[own.indexOf(here) + sideways];
    else if (across) next = spots.find(spot => spot.entry === order[order.indexOf(here.entry) + across]);
    else return;
    event.preventDefault();
    if (!next) return;
    for (const spot of spots) spot.mark.setAttribute("tabindex", spot === next ? 0 : -1);
    next.mark.focus();
  }

  canvas.addEventListener("pointermove", event => show(nearest(event)));
  canvas.addEventListener("pointerdown", event => show(nearest(event)));
  canvas.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") show(null); });
  canvas.addEventListener("keydown", step);

  for (const entry of series) {
    const sign = make("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" }, make("path", { d: SHAPES[entry.marker](5),
      fill: entry.colour, stroke: entry.marker === "x" ? "currentColor" : "none", "stroke-width": 2 }));
    const button = element("button", { type: "button", ariaPressed: String(!entry.isHidden) }, sign, entry.name);
    button.addEventListener("click", () => {
      entry.isHidden = !entry.isHidden;
      button.setAttribute("aria-pressed", String(!entry.isHidden));
      draw();
    });
    legend.append(element("li", {}, button));
  }

  const note = element("p", { className: "soft" }, data.hint);
  box.append(element("div", {}, canvas), tip, legend, note);
  box.hidden = false;
  drawn.hidden = true;
  followers.push(test => { matches = test; draw(); });
  let width = 0;
  new ResizeObserver(() => { if (box.clientWidth !== width) { width = box.clientWidth; draw(); } }).observe(box);
}

const plotted = JSON.parse(document.getElementById("plot-data").textContent);
const drawnFigure = document.getElementById("figure-trade_off");
if (plotted && drawnFigure) plot(document.getElementById("plot"), drawnFigure, plotted);
filter();
