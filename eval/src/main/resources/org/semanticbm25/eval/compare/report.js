"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = id => document.getElementById(id);
  const put = (id, ...children) => find(id).replaceChildren(...children);
  const REFERENCE = "cross-encoder";
  let collection;

  /** As wide as there is room, so that text in charts stays legible. */
  const room = (id, most) => Math.min(most, find(id).clientWidth || most);

  /** A chart area with axes; returns the group to draw in. */
  function chart(label, width, height, x, y, names, format) {
    const margin = {top: 12, right: 16, bottom: 42, left: 52};
    const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width)
      .attr("role", "img").attr("aria-label", label);
    x.range([margin.left, width - margin.right]);
    y.range([height - margin.bottom, margin.top]);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - margin.bottom})`).call(d3.axisBottom(x).ticks(5, format));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${margin.left},0)`).call(d3.axisLeft(y).ticks(5));
    svg.append("text").attr("x", width - margin.right).attr("y", height - 6).attr("text-anchor", "end").text(names[0]);
    svg.append("text").attr("x", 4).attr("y", 10).text(names[1]);
    return svg;
  }

  function padded(extent, share = 0.08) {
    const room = (extent[1] - extent[0]) * share || 1;
    return [extent[0] - room, extent[1] + room];
  }

  const quality = system => collection.judged ? system.measures[collection.main]
    : system.name === REFERENCE ? 1 : system.agreement.alignment;

  /** A table with a row for each system that has any of the figures. */
  function systemTable(caption, figures, value) {
    const rows = collection.systems.filter(s => figures.some(figure => value(s, figure) !== undefined));
    return rows.length === 0 ? null : el("table", {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, el("th", {scope: "col"}, "system"), ...figures.map(figure => el("th", {scope: "col"}, figure)))),
      el("tbody", {}, ...rows.map(s => el("tr", {}, el("th", {scope: "row", title: s.about}, el("bdi", {}, s.name)),
        ...figures.map(figure => el("td", {}, shown(value(s, figure))))))));
  }

  const shown = value => value === undefined ? "–" : value !== 0 && Math.abs(value) < 0.001 ? value.toPrecision(2)
    : value.toFixed(Math.abs(value) < 10 ? 3 : 1);

  function showSystems() {
    const figures = kind => [...new Set(collection.systems.flatMap(s => Object.keys(s[kind])))].filter(figure => !/ (low|high)$/.test(figure));
    const lengths = Object.fromEntries(collection.lengths.map(length => [`${length.words} (${length.queries})`, length]));
    const times = {"ms a query": "millis", "cost of 1,000 queries": "cost"};
    put("systems", ...[
      systemTable("How good: against judgements", figures("measures"), (s, figure) => s.measures[figure]),
      systemTable("How close: to the cross-encoder", figures("agreement"), (s, figure) => s.agreement[figure]),
      systemTable(`${collection.main} by words of the query (queries)`, Object.keys(lengths), (s, figure) => lengths[figure].means[s.name]),
      systemTable("What it costs", Object.keys(times), (s, figure) => s[times[figure]]),
    ].filter(table => table));
    const asked = collection.queries === collection.allQueries ? `all ${collection.queries} queries`
      : `${collection.queries} of ${collection.allQueries} queries, drawn at random`;
    put("systems-note", el("bdi", {}, collection.name), `: ${collection.passages} passages, ${asked}. Neural systems read the first ${collection.pool} hits.`,
      ...collection.systems.flatMap(s => [" ", el("bdi", {}, s.name), ": ", el("bdi", {}, s.about), "."]));
  }

  function showFrontier() {
    const systems = collection.systems.filter(s => s.cost && quality(s) !== undefined);
    const x = d3.scaleLog().domain(d3.extent(systems, s => s.cost)).nice();
    const y = d3.scaleLinear().domain(padded(d3.extent(systems, quality), 0.15));
    const main = collection.judged ? collection.main : "alignment";
    const svg = chart(`${main} against cost: ` + systems.map(s => `${s.name} ${number(quality(s))} at ${s.cost.toPrecision(2)}`).join(", "),
      room("frontier", 760), 380, x, y, ["cost of 1,000 queries, logarithmic", main], "~g");
    let best = -Infinity;
    const frontier = d3.sort(systems, s => s.cost).filter(s => quality(s) > best && (best = quality(s), true));
    svg.append("path").attr("class", "frontier").attr("d", d3.line().x(s => x(s.cost)).y(s => y(quality(s)))(frontier));
    const right = d3.median(x.range());
    const groups = svg.selectAll("g.system").data(systems).join("g").attr("class", "system")
      .attr("transform", s => `translate(${x(s.cost)},${y(quality(s))})`);
    groups.append("circle").attr("class", "dot").attr("r", 5);
    // labels that would lie upon each other move apart
    const places = [];
    const label = s => {
      let place = y(quality(s)) - 8;
      while (places.some(p => Math.abs(p.y - place) < 13 && Math.abs(p.x - x(s.cost)) < 140)) {
        place += 13;
      }
      places.push({x: x(s.cost), y: place});
      return place - y(quality(s));
    };
    groups.append("text").attr("x", s => x(s.cost) > right ? -9 : 9).attr("y", label)
      .attr("text-anchor", s => x(s.cost) > right ? "end" : "start").text(s => s.name);
    put("frontier", svg.node());
  }

  function showScatter() {
    put("scatter", ...collection.systems.filter(s => s.points.length > 1).map(s => {
      const x = d3.scaleLinear().domain(padded(d3.extent(s.points, p => p[0])));
      const y = d3.scaleLinear().domain(padded(d3.extent(s.points, p => p[1])));
      const r = `r ${number(s.agreement.r, 2)} [${number(s.agreement["r low"], 2)}, ${number(s.agreement["r high"], 2)}]`;
      const svg = chart(`Scores of ${s.name} against logits, ${r}`, 320, 260, x, y, ["logit", `${s.name}, ${r}`]);
      svg.append("g").selectAll("circle").data(s.points).join("circle").attr("class", "pale").attr("r", 2)
        .attr("cx", p => x(p[0])).attr("cy", p => y(p[1]));
      return svg.node();
    }));
  }

  function showHeads() {
    find("heads-section").hidden = !data.heads;
    if (!data.heads) {
      return;
    }
    const cells = data.heads.weights.flatMap((row, layer) => row.map((weight, head) => ({layer, head, weight})));
    const most = d3.max(cells, c => Math.abs(c.weight));
    const x = d3.scaleBand().domain(d3.range(data.heads.weights[0].length)).padding(0.08);
    const y = d3.scaleBand().domain(d3.range(data.heads.weights.length)).padding(0.08);
    const strongest = d3.sort(cells, c => -Math.abs(c.weight)).slice(0, 3);
    const width = room("heads", 560), height = 300;
    const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("role", "img")
      .attr("aria-label", "Weights of heads; the strongest: " + strongest.map(c => `layer ${c.layer + 1} head ${c.head + 1} ${number(c.weight, 2)}`).join(", "));
    x.range([52, width - 8]);
    y.range([8, height - 36]);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - 36})`).call(d3.axisBottom(x).tickFormat(h => h + 1));
    svg.append("g").attr("class", "axis").attr("transform", "translate(52,0)").call(d3.axisLeft(y).tickFormat(l => l + 1));
    svg.append("text").attr("x", width - 8).attr("y", height - 4).attr("text-anchor", "end").text("head");
    svg.append("text").attr("x", 2).attr("y", 14).text("layer");
    svg.selectAll("rect").data(cells).join("rect").attr("class", c => c.weight < 0 ? "loss" : "win")
      .attr("x", c => x(c.head)).attr("y", c => y(c.layer)).attr("width", x.bandwidth()).attr("height", y.bandwidth())
      .attr("fill-opacity", c => 0.06 + 0.94 * Math.abs(c.weight) / most)
      .append("title").text(c => `layer ${c.layer + 1}, head ${c.head + 1}: ${number(c.weight, 2)}`);
    put("heads", svg.node());
    put("heads-note", `What the attention of each head to a passage counts for in the extracted function, for a query token of IDF ${data.heads.idf}: green adds to the score, red takes from it.`);
  }

  const difference = query => (query.values[find("system").value] ?? 0) - (query.values[find("baseline").value] ?? 0);

  function showQueries() {
    const wanted = find("search").value.toLowerCase();
    const all = d3.sort(collection.details.filter(q => q.text.toLowerCase().includes(wanted)), q => -difference(q));
    const won = all.filter(q => difference(q) > 1e-9).length, lost = all.filter(q => difference(q) < -1e-9).length;
    put("tally", `${find("system").value} against ${find("baseline").value}, ${collection.main}: ${won} won, ${lost} lost, ${all.length - won - lost} even.`);
    const width = 1000, height = 180;
    const x = d3.scaleBand().domain(d3.range(all.length)).range([0, width]).padding(0.1);
    const most = d3.max(all, q => Math.abs(difference(q))) || 1;
    const y = d3.scaleLinear().domain([-most, most]).range([height - 4, 4]);
    const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("role", "img")
      .attr("aria-label", `Differences of queries, from ${number(d3.max(all, difference))} to ${number(d3.min(all, difference))}`);
    svg.append("line").attr("class", "rule").attr("x2", width).attr("y1", y(0)).attr("y2", y(0));
    svg.selectAll("rect").data(all).join("rect").attr("class", q => difference(q) < 0 ? "loss" : "win")
      .attr("x", (q, i) => x(i)).attr("width", x.bandwidth())
      .attr("y", q => y(Math.max(0, difference(q)))).attr("height", q => Math.abs(y(difference(q)) - y(0)))
      .append("title").text(q => `${q.text}: ${number(difference(q))}`);
    put("bars", svg.node());
    put("queries", ...all.map(q => el("li", {}, el("button", {type: "button", "data-id": q.id, onclick: event => showQuery(q, event.currentTarget)},
      el("span", {class: "value " + (difference(q) < 0 ? "loss-text" : "win-text")}, `${difference(q) >= 0 ? "+" : "−"}${number(Math.abs(difference(q)))} (${number(q.values[find("system").value])})`),
      el("span", {class: "text"}, q.text)))));
    find("query-section").hidden = true;
  }

  function showQuery(query, button) {
    document.querySelectorAll("#queries button").forEach(b => b.toggleAttribute("aria-current", false));
    button.setAttribute("aria-current", "true");
    const baseline = find("baseline").value;
    const order = [baseline, find("system").value, ...Object.keys(query.hits)];
    const rankings = Object.fromEntries([...new Set(order)].map(system => [system, query.hits[system]]));
    const detail = el("div", {"aria-live": "polite"});
    const choose = (id, system, hit) => {
      document.querySelectorAll("#query .hit").forEach(b => b.setAttribute("aria-pressed", String(b.dataset.id === id)));
      detail.replaceChildren(query.passages[id] ? passage(id, query.passages[id], query.terms, system, baseline) : el("p", {}, `${id} is not in this index.`));
    };
    find("query-section").hidden = false;
    put("query-heading", query.text);
    put("query", termList(query.terms),
      el("p", {class: "note"}, `${collection.main}: `, ...Object.entries(query.values).flatMap(([s, v], i) => [i ? ", " : "", el("bdi", {}, s), ` ${number(v)}`])),
      columns(rankings, baseline, query.passages, query.terms, choose), detail);
    find("query-heading").focus();
  }

  function choices(id, chosen) {
    put(id, ...collection.systems.map(s => el("option", {value: s.name, selected: s.name === chosen}, s.name)));
  }

  function show(chosen) {
    collection = chosen;
    document.querySelectorAll("#collections button").forEach(b => b.setAttribute("aria-current", String(b.textContent === chosen.name)));
    choices("system", collection.systems[1] ? collection.systems[1].name : collection.systems[0].name);
    choices("baseline", collection.systems[0].name);
    find("search").value = "";
    showSystems();
    showFrontier();
    showScatter();
    showQueries();
  }

  put("about", Object.entries(data.settings).map(([name, value]) => `${name}: ${value}`).join(" · "));
  put("collections", ...data.collections.map(c => el("button", {type: "button", onclick: () => show(c)}, c.name)));
  find("choice").addEventListener("submit", event => event.preventDefault());
  for (const id of ["system", "baseline", "search"]) {
    find(id).addEventListener("input", showQueries);
  }
  showHeads();
  show(data.collections[0]);
})();
