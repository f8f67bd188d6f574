// The table of test queries: decoded once into typed arrays, filtered in one pass, drawn only where it is looked at.

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };
const ROW = 3.25 * parseFloat(getComputedStyle(document.documentElement).fontSize); // height, as in queries.css
const MARGIN = 6; // rows drawn beyond either edge
const FIRST_COLUMNS = 3; // routers shown at first, beside Best Single

const find = selector => document.querySelector(selector);
const form = find("form"), box = find(".rows"), body = find(".rows tbody"), panel = find("dialog");

const sign = score => Number.isNaN(score) ? "–" : score === 1 ? "✓" : score === 0 ? "✗" : "◐";
const rank = score => Number.isNaN(score) ? -1 : score; // unknown below wrong
const tone = score => score > 0 ? "good" : score === 0 ? "bad" : "";

// ---- data

async function decode(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true), reader = new TextDecoder();
  const header = JSON.parse(reader.decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  for (const [name, [type, offset, size]] of Object.entries(header.arrays))
    arrays[name] = new TYPES[type](buffer, 4 + length + offset, size);
  const prompts = arrays.prompts ? reader.decode(arrays.prompts).split("\n") : null;
  return { ...header, arrays, prompts, values: header.values.map(value => value ?? NaN) };
}

function explore({ models, n_pool, benchmarks, seeds, routers, values, arrays, prompts }) {
  const nModels = models.length, nQueries = arrays.index.length, { benchmark, index, n_right, cost } = arrays;
  const scoreAt = (query, model) => values[arrays.score[query * nModels + model]];
  const costAt = (query, model) => cost ? cost[query * nModels + model] : NaN;
  const brief = models.map(text => text.slice(text.lastIndexOf("/") + 1)); // without the organisation, where room is short
  const name = query => `${benchmarks[benchmark[query]]} ${index[query]}`;

  // where each query stands in each seed's test set, -1 where it is not in it
  const place = seeds.map((_, seed) => {
    const at = new Int32Array(nQueries).fill(-1);
    arrays[`test ${seed}`].forEach((query, position) => { at[query] = position; });
    return at;
  });
  const modelAt = (router, seed, query) => arrays[`choice ${router} ${seed}`][place[seed][query]];

  function paid(router, seed, query) { // a cascade pays for every model it calls
    const model = modelAt(router, seed, query), calls = arrays[`calls ${router} ${seed}`];
    if (!calls) return costAt(query, model);
    let total = 0;
    for (let called = 0; called < n_pool; called++) {
      const times = calls[model * n_pool + called];
      if (times > 0) total += times * costAt(query, called);
    }
    return total;
  }

  const best = new Float64Array(nQueries).fill(-1); // score of the best model of the pool
  for (let query = 0; query < nQueries; query++)
    for (let model = 0; model < n_pool; model++) {
      const score = scoreAt(query, model);
      if (score > best[query]) best[query] = score;
    }

  // ---- controls

  const fields = form.elements;
  const byName = [...routers.keys()].sort((a, b) => routers[a].name.localeCompare(routers[b].name));
  const byAccuracy = [...routers.keys()].filter(i => !routers[i].is_reference)
    .sort((a, b) => (routers[b].avg_acc ?? 0) - (routers[a].avg_acc ?? 0));
  const bestSingle = routers.length - 1;
  const columns = new Set([...byAccuracy.slice(0, FIRST_COLUMNS), bestSingle]);
  fields.seed.append(...seeds.map((seed, i) => element("option", { value: i }, String(seed))));
  fields.benchmark.append(...benchmarks.map((text, i) => element("option", { value: i }, text)));
  fields.chosen.append(...models.map((text, i) => element("option", { value: i }, text)));
  fields.router.append(...byName.map(i => element("option", { value: i, defaultSelected: i === (byAccuracy[0] ?? bestSingle) }, routers[i].name)));
  find(".columns fieldset").append(...byName.map(i => element("label", { className: "tick" },
    element("input", { type: "checkbox", name: "column", value: i, defaultChecked: columns.has(i) }), routers[i].name)));
  fields.text.placeholder = prompts ? "start of the prompt" : "benchmark or index";
  find("#scope").textContent = `${nQueries.toLocaleString("en")} queries that any seed tests, ` +
    `${n_pool} models, ${routers.length - 1} routers, each at its headline trade-off`;

  // ---- filter and sort

  let rows = new Int32Array(0), seed = 0, order = { key: "query", rising: true }, searched = null;

  const prepare = () => {
    searched ??= Array.from({ length: nQueries }, (_, query) => `${name(query)} ${prompts?.[query] ?? ""}`.toLowerCase());
  };

  function wanted() {
    const text = fields.text.value.trim().toLowerCase();
    if (text) prepare();
    const at = fields.benchmark.value === "" ? -1 : Number(fields.benchmark.value);
    const chosen = fields.chosen.value === "" ? -1 : Number(fields.chosen.value);
    const [low, high] = { "": [0, n_pool], all: [n_pool, n_pool] }[fields.right.value] ??
      fields.right.value.split("-").map(end => end === "" ? n_pool : Number(end));
    const router = Number(fields.router.value), outcome = fields.outcome.value;
    return query => {
      if (at >= 0 && benchmark[query] !== at || n_right[query] < low || n_right[query] > high) return false;
      if (outcome || chosen >= 0) {
        const model = modelAt(router, seed, query), score = scoreAt(query, model);
        if (chosen >= 0 && model !== chosen) return false;
        if (outcome === "right" && !(score > 0)) return false;
        if ((outcome === "wrong" || outcome === "missed") && score > 0) return false;
        if (outcome === "missed" && n_right[query] === 0) return false;
        if (outcome === "below" && score >= best[query]) return false;
      }
      return !text || searched[query].includes(text);
    };
  }

  function sorted(found) {
    const { key, rising } = order;
    if (key === "query") { // the queries stand in this order
      found.sort();
      return rising ? found : found.reverse();
    }
    const value = key === "right" ? query => n_right[query] : query => scoreAt(query, modelAt(key, seed, query));
    const known = Float64Array.from(found, query => { const v = value(query); return Number.isNaN(v) ? Infinity : rising ? v : -v; });
    const numbers = Uint32Array.from(found.keys()).sort((a, b) => known[a] - known[b] || found[a] - found[b]);
    return Int32Array.from(numbers, number => found[number]);
  }

  function update() {
    seed = Number(fields.seed.value);
    const test = arrays[`test ${seed}`];
    rows = sorted(Int32Array.from(test).filter(wanted()));
    box.scrollTop = 0;
    draw(true);
    summarise(test.length);
  }

  function summarise(nTest) {
    const shares = [...columns].map(router => {
      let sum = 0, n = 0;
      for (const query of rows) {
        const score = scoreAt(query, modelAt(router, seed, query));
        if (!Number.isNaN(score)) { sum += score; n++; }
      }
      return n ? `${routers[router].name} ${(100 * sum / n).toFixed(1)}%` : `${routers[router].name} –`;
    });
    find("#summary").textContent = `${rows.length.toLocaleString("en")} of ${nTest.toLocaleString("en")} test queries` +
      (shares.length ? `; mean score on them: ${shares.join(", ")}` : "");
  }

  // ---- the table: as many rows as fit, between two spaces as high as the others

  function heads() {
    const isNarrow = matchMedia("(max-width: 40rem)").matches;
    const columnsOf = [ // the flexible one takes what is left of a wide screen
      { key: "query", text: "Query", width: isNarrow ? 7.5 : 9, isFlexible: !prompts },
      ...(prompts ? [{ text: "Prompt", width: isNarrow ? 15 : 22, isWord: true, isFlexible: true }] : []),
      { key: "right", text: `Right of ${n_pool}`, width: 5.5 },
      ...[...columns].map(router => ({ key: router, text: routers[router].name, width: 12.5, isWord: true })),
    ];
    find("colgroup").replaceChildren(...columnsOf.map(({ width, isFlexible }) =>
      element("col", { style: isFlexible ? "" : `width:${width}rem` })));
    find(".rows table").style.minWidth = `${columnsOf.reduce((sum, { width }) => sum + width, 0)}rem`;
    for (const row of [above, below]) row.firstChild.colSpan = columnsOf.length; // more would make columns of their own
    find(".rows thead tr").replaceChildren(...columnsOf.map(({ key, text, isWord }) => {
      const head = element("th", { scope: "col", className: isWord ? "word" : "" });
      if (key === undefined) { head.append(text); return head; }
      head.append(element("button", { type: "button", onclick: () => {
        order = { key, rising: order.key === key ? !order.rising : true };
        heads();
        update();
      } }, text));
      if (order.key === key) head.ariaSort = order.rising ? "ascending" : "descending";
      return head;
    }));
  }

  const space = () => element("tr", { className: "space", ariaHidden: "true" }, element("td"));
  const above = space(), below = space();
  let drawn = [0, 0];

  function line(position) {
    const query = rows[position];
    const button = element("button", { type: "button" }, name(query));
    const cells = [element("th", { scope: "row" }, button)];
    if (prompts) cells.push(element("td", {}, element("span", { className: "clamp" }, prompts[query])));
    cells.push(element("td", {}, String(n_right[query])));
    for (const router of columns) {
      const model = modelAt(router, seed, query), score = scoreAt(query, model), price = paid(router, seed, query);
      cells.push(element("td", {}, element("span", { className: `pick ${tone(score)}`, title: models[model] }, `${sign(score)} ${brief[model]}`),
        element("small", {}, `score ${short(score)}${cost ? ` · ${short(price)} USD` : ""}`)));
    }
    const row = element("tr", {}, ...cells);
    row.setAttribute("aria-rowindex", position + 2);
    row.dataset.position = position;
    return row;
  }

  function draw(isNew) {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - MARGIN);
    const last = Math.min(rows.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + MARGIN);
    if (!isNew && first === drawn[0] && last === drawn[1]) return;
    const focused = document.activeElement?.closest?.("[data-position]")?.dataset.position;
    const kept = new Map(isNew ? [] : [...body.querySelectorAll("[data-position]")].map(row => [Number(row.dataset.position), row]));
    const lines = [];
    for (let position = first; position < last; position++) lines.push(kept.get(position) ?? line(position));
    above.firstChild.style.height = `${first * ROW}px`;
    below.firstChild.style.height = `${(rows.length - last) * ROW}px`;
    body.replaceChildren(above, ...lines, below);
    drawn = [first, last];
    find(".rows table").setAttribute("aria-rowcount", rows.length + 1);
    if (focused !== undefined) body.querySelector(`[data-position="${focused}"] button`)?.focus({ preventScroll: true });
  }

  function focusRow(position) {
    if (position < 0 || position >= rows.length) return;
    const head = find(".rows thead").offsetHeight, top = position * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + ROW > box.scrollTop + box.clientHeight - head) box.scrollTop = top + ROW - box.clientHeight + head;
    draw();
    body.querySelector(`[data-position="${position}"] button`)?.focus({ preventScroll: true });
  }

  // ---- one query

  let opened = -1;

  function open(position) {
    if (position < 0 || position >= rows.length) return;
    opened = position;
    const query = rows[position];
    find("#query").textContent = name(query);
    for (const [value, isOff] of [["-1", position === 0], ["1", position === rows.length - 1]])
      panel.querySelector(`[value="${value}"]`).disabled = isOff;
    const chosenBy = models.map(() => []);
    routers.forEach((router, i) => chosenBy[modelAt(i, seed, query)].push(router.name));
    const ranked = [...models.keys()].sort((a, b) => rank(scoreAt(query, b)) - rank(scoreAt(query, a)) || costAt(query, a) - costAt(query, b) || a - b);
    const parts = [element("p", { className: "soft" }, `${position + 1} of ${rows.length} · ${n_right[query]} of ${n_pool} models right`)];
    if (prompts) parts.push(element("blockquote", {}, prompts[query]));
    const verdict = score => element("td", { className: tone(score) }, `${sign(score)} ${short(score)}`);
    parts.push(listing("Models", ["Model", "Score", ...(cost ? ["USD"] : []), `Chosen by, seed ${seeds[seed]}`],
      ranked.map(model => [models[model], verdict(scoreAt(query, model)), ...(cost ? [short(costAt(query, model))] : []),
        element("td", { className: "word" }, chosenBy[model].join(", "))])));
    const tested = [...seeds.keys()].filter(s => place[s][query] >= 0);
    parts.push(listing("Routers", ["Router", "Seed", "Model", "Score", ...(cost ? ["USD"] : [])],
      byName.flatMap(router => tested.map(s => {
        const model = modelAt(router, s, query);
        return [routers[router].name, String(seeds[s]), element("td", { className: "word" }, models[model]),
          verdict(scoreAt(query, model)), ...(cost ? [short(paid(router, s, query))] : [])];
      }))));
    find("#detail").replaceChildren(...parts);
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
  }

  function listing(title, headings, lines) {
    const isWord = text => ["Model", "Router"].includes(text) || text.startsWith("Chosen");
    return element("section", {}, element("h3", {}, title), element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: title },
      element("table", {},
        element("thead", {}, element("tr", {}, ...headings.map(text => element("th", { scope: "col", className: isWord(text) ? "word" : "" }, text)))),
        element("tbody", {}, ...lines.map(([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first),
          ...rest.map(cell => typeof cell === "string" ? element("td", {}, cell) : cell)))))));
  }

  // ---- events

  let pending = false;
  box.addEventListener("scroll", () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; draw(); });
  });
  new ResizeObserver(() => draw()).observe(box);
  body.addEventListener("click", event => {
    const row = event.target.closest("[data-position]");
    if (row) open(Number(row.dataset.position));
  });
  body.addEventListener("keydown", event => {
    const row = event.target.closest("[data-position]"), move = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!row || !move) return;
    event.preventDefault();
    focusRow(Number(row.dataset.position) + move);
  });
  panel.addEventListener("click", event => {
    if (event.target === panel) return panel.close();
    const button = event.target.closest(".bar button");
    if (button) Number(button.value) ? open(opened + Number(button.value)) : panel.close();
  });
  panel.addEventListener("close", () => focusRow(opened));
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", event => {
    if (event.target.name === "column") {
      const router = Number(event.target.value);
      event.target.checked ? columns.add(router) : columns.delete(router);
      heads();
    }
    update();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    columns.clear();
    for (const tick of form.querySelectorAll("[name=column]:checked")) columns.add(Number(tick.value));
    order = { key: "query", rising: true };
    heads();
    update();
  }));

  form.hidden = box.hidden = find("#hint").hidden = false;
  heads();
  update();
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
  setTimeout(prepare); // so that the first search is as fast as the next
}

requestAnimationFrame(() => setTimeout(() => { // the page is painted first
  const data = find("#data");
  decode(data.textContent).then(decoded => { data.remove(); explore(decoded); }).catch(error => {
    find("#scope").textContent = `The data cannot be read by this browser: ${error.message}`;
    throw error;
  });
}));
